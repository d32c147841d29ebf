"""Arguments → settings → one worker → exit code."""

from __future__ import annotations

import os
import signal
import sys
import threading
from collections.abc import Callable, Sequence
from pathlib import Path

from stepbench import configuration, flags, open_files, settings_table, streams
from stepbench.errors import EnvironmentRefused, UsageError
from stepbench.parent import leave_with_parent
from stepbench.settings import Settings, named
from worker import health_check

READY = "ready"
"""The one line on stdout: executors are up, the first step may come. For whoever started this process."""
EXIT_USAGE = 2
EXIT_ENVIRONMENT = 3


def main(arguments: list[str] | None = None) -> int:
    """Exit code: 0 ended when told to, 2 wrong usage, 3 the environment refused; with --check-health 0 or 1."""
    streams.prepare()
    return _outcome(arguments)


def _parser() -> flags.Parser:
    parser = flags.Parser(
        prog="python -m worker", description="Takes step messages from the steps queue and runs them until told to end."
    )
    parser.add_argument(
        "--while-stdin-open", action="store_true", help="end at once when stdin ends, as when the starter is gone"
    )
    parser.add_argument(
        health_check.FLAG,
        nargs="?",
        const="",
        metavar="FILE",
        help="say how the worker is that writes FILE (HEALTH_FILE where not given) and exit: 0 healthy, 1 not; by "
        "itself and with FILE it starts fastest",
    )
    flags.add(parser, (row.variable for row in settings_table.table() if "worker" in row.programs))
    return parser


def _outcome(arguments: Sequence[str] | None) -> int:
    try:
        parsed = flags.parse(_parser(), arguments)
        settings = configuration.load(flags.given(parsed), "worker")
        if parsed.check_health is not None:
            return _check_health(parsed.check_health, settings.health_file)
        _require_place(settings)
        if parsed.while_stdin_open:
            leave_with_parent()
        else:  # the starter has told already
            for problem in configuration.unknown_lines():
                print(problem, file=sys.stderr)
        with open_files.shortage_told():
            _work(settings)
    except UsageError as error:
        print(*error.problems, sep="\n", file=sys.stderr)
        return EXIT_USAGE
    except EnvironmentRefused as error:
        print(error, file=sys.stderr)
        return EXIT_ENVIRONMENT
    return 0


def _require_place(settings: Settings) -> None:
    """Raises UsageError."""
    for field in ("bucket", "steps_queue_url"):
        if getattr(settings, field) is None:
            raise UsageError(
                f"{named(field)} is not set: a worker needs a bucket and a steps queue; "
                "python -m orchestrator local prints those of an embedded stack"
            )


def _work(settings: Settings) -> None:
    from stepbench import aws_errors
    from worker.assembly import assemble

    worker = assemble(settings)
    _on_signals(worker.stop)
    with aws_errors.worded("worker", settings):
        worker.run(announce=_announce)


def _on_signals(stop: Callable[[], None]) -> None:
    """Calls `stop` for each SIGTERM and SIGINT, in a thread of its own.

    A handler runs wherever the main thread is, be it within the very lock that `stop` needs.
    """
    heard, tell = os.pipe()
    os.set_blocking(tell, False)
    signal.set_wakeup_fd(tell, warn_on_full_buffer=False)
    for number in (signal.SIGTERM, signal.SIGINT):
        signal.signal(number, lambda *_: None)

    def listen() -> None:
        while os.read(heard, 1):
            stop()

    threading.Thread(target=listen, name="signals", daemon=True).start()


def _check_health(given: str, configured: Path | None) -> int:
    path = Path(given) if given else configured
    if path is None:
        raise UsageError(f"{named('health_file')} is not set, and {health_check.FLAG} names no file")
    sentence, code = health_check.look(path)
    _tell(sentence)
    return code


def _announce() -> None:
    _tell(READY)


def _tell(line: str) -> None:
    """Nobody has to be there to read it."""
    print(line, file=streams.lasting(sys.stdout), flush=True)
