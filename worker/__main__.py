"""`python -m worker`, and the console script `stepbench-worker`."""

from __future__ import annotations

import signal
import sys


def main() -> int:
    """Exit code. A signal that comes before there is a worker ends the program: it holds nothing yet."""
    for number in (signal.SIGTERM, signal.SIGINT):
        signal.signal(number, lambda *_: sys.exit(0))
    from worker import health_check  # in here, so that no signal comes too early

    if (health_file := health_check.asked_for_alone(sys.argv[1:])) is not None:
        from stepbench import streams

        streams.prepare()
        sentence, code = health_check.look(health_file)
        print(sentence, file=streams.lasting(sys.stdout), flush=True)
        return code
    try:
        from worker import cli
    except ModuleNotFoundError as error:
        from stepbench import set_up

        print(set_up.sentence(error), file=sys.stderr)
        return set_up.EXIT_NOT_SET_UP
    return cli.main()


if __name__ == "__main__":
    sys.exit(main())
