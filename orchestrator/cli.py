"""Arguments → settings → one command → documented exit code; nothing else."""

from __future__ import annotations

import signal
import sys
from types import FrameType

from stepbench import configuration, flags, registry
from stepbench.errors import EnvironmentRefused, StepbenchError, UsageError

COMMANDS = "orchestrator.commands"

EXIT_USAGE = 2
EXIT_ENVIRONMENT = 3
EXIT_INTERRUPTED = 130
EXIT_CODES = (
    "exit codes: 0 all chains done, 1 a chain failed, 2 wrong usage, 3 the environment refused, 130 interrupted"
)


def main(arguments: list[str] | None = None) -> int:
    """Exit code as EXIT_CODES tells. Only a bug of ours leaves with a traceback."""
    parser = _parser()
    parsed = flags.parse(parser, arguments)
    signal.signal(signal.SIGTERM, _interrupt)
    try:
        command = registry.load(COMMANDS, parsed.command)
        settings = configuration.load(flags.given(parsed), only=command.SETTINGS)
        from stepbench import logs  # not before it is clear that this is more than --help

        logs.configure(settings.log_level or "warning", settings.log_format)
        for problem in configuration.unknown_lines():
            print(problem, file=sys.stderr)
        code: int = command.run(settings, parsed)
        sys.stdout.flush()
        return code
    except UsageError as error:
        print(*error.problems, sep="\n", file=sys.stderr)
        return EXIT_USAGE
    except EnvironmentRefused as error:
        print(error, file=sys.stderr)
        return EXIT_ENVIRONMENT
    except StepbenchError as error:
        print(error, file=sys.stderr)
        return EXIT_USAGE
    except BrokenPipeError:
        flags.reader_is_gone()
        return 0
    except KeyboardInterrupt:
        return EXIT_INTERRUPTED


def _parser() -> flags.Parser:
    parser = flags.Parser(
        prog="python -m orchestrator",
        description="Measures where the time goes in chains of steps that hand payloads to each other through S3, "
        "driven through SQS.",
        epilog=EXIT_CODES,
    )
    commands = parser.add_subparsers(dest="command", metavar="COMMAND", required=True)
    for name in registry.choices(COMMANDS):
        command = registry.load(COMMANDS, name)
        sub = commands.add_parser(name, help=command.HELP, description=command.HELP[0].upper() + command.HELP[1:] + ".")
        command.add_arguments(sub)
        all_of_them = (row.variable for row in configuration.table() if "orchestrator" in row.programs)
        flags.add(sub, all_of_them if command.SETTINGS is None else command.SETTINGS)
    return parser


def _interrupt(_signal: int, _frame: FrameType | None) -> None:
    raise KeyboardInterrupt
