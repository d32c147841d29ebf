"""`python -m orchestrator`, and the console script `stepbench`."""

from __future__ import annotations

import sys

EXIT_INTERRUPTED = 130


def main() -> int:
    """Exit code. Everything is imported in here, so that Ctrl-C leaves no traceback however early it comes."""
    try:
        try:
            from orchestrator import cli
        except ModuleNotFoundError as error:
            from stepbench import set_up

            print(set_up.sentence(error), file=sys.stderr)
            return set_up.EXIT_NOT_SET_UP
        return cli.main()
    except KeyboardInterrupt:
        return EXIT_INTERRUPTED


if __name__ == "__main__":
    sys.exit(main())
