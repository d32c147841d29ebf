"""`python -m orchestrator.local.emulator sqs|s3`: one emulated service on a free port of this machine.

Prints its port as one line once it accepts connections. Lives as long as its standard input: when that ends, because
whoever started it closed it or died in whatever way, the process is gone at once. Leaves no file: large objects are in
unlinked temporary files. Not bothered by Ctrl-C, which a terminal sends to its whole process group.
"""

from __future__ import annotations

import signal
import sys

from stepbench.parent import leave_with_parent

SERVICES = ("sqs", "s3")


def main(arguments: list[str]) -> int:
    """Serves until standard input ends. Exit code 2 for wrong usage, 3 where moto is not installed."""
    if len(arguments) != 1 or arguments[0] not in SERVICES:
        print(f"usage: python -m orchestrator.local.emulator {'|'.join(SERVICES)}", file=sys.stderr)
        return 2
    signal.signal(signal.SIGINT, signal.SIG_IGN)
    leave_with_parent()
    try:
        from orchestrator.local.emulation import application
        from orchestrator.local.http_server import serve
    except ModuleNotFoundError as error:
        if error.name is None or error.name.startswith("orchestrator"):
            raise
        print(f"the package {error.name} is not installed: pip install 'stepbench[local]'", file=sys.stderr)
        return 3
    server = serve(application(arguments[0]))
    print(server.server_address[1], flush=True)
    server.serve_forever()
    return 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
