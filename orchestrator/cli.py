"""Arguments → settings → one command → documented exit code; nothing else."""

from __future__ import annotations

import argparse
import sys
from collections.abc import Sequence
from types import ModuleType

from orchestrator import interrupts
from stepbench import configuration, flags, open_files, registry, settings_table, streams
from stepbench.errors import EnvironmentRefused, StepbenchError, UsageError

COMMANDS = "orchestrator.commands"

EXIT_USAGE = 2
EXIT_ENVIRONMENT = 3
EXIT_CODES = (
    "exit codes: 0 all chains done, 1 a chain failed, 2 wrong usage, 3 the environment refused, 4 slower than "
    "--fail-if-slower allows, 130 interrupted"
)


def main(arguments: list[str] | None = None) -> int:
    """Exit code as EXIT_CODES tells. Raises KeyboardInterrupt; any other error that leaves is a bug of ours."""
    streams.prepare()
    with interrupts.listening():
        return _outcome(sys.argv[1:] if arguments is None else arguments)


def _outcome(words: Sequence[str]) -> int:
    try:
        with open_files.shortage_told():
            return _ran(_parsed(words))
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
        if not streams.has_lost_reader(sys.stdout):
            raise
        streams.reader_is_gone(sys.stdout)
        return 0


def _ran(parsed: argparse.Namespace) -> int:
    command = _module(parsed.command)
    settings = configuration.load(flags.given(parsed), only=command.SETTINGS)
    from stepbench import logs  # not before it is clear that this is more than --help

    logs.configure(settings.log_level or "warning", settings.log_format)
    for problem in configuration.unknown_lines():
        print(problem, file=sys.stderr)
    code: int = command.run(settings, parsed)
    sys.stdout.flush()
    return code


def _parsed(words: Sequence[str]) -> argparse.Namespace:
    parser = _parser()
    if (wrong := _command_refused(words)) is not None:
        parser.error(wrong)
    return flags.parse(parser, words)


def _parser() -> flags.Parser:
    parser = flags.Parser(
        prog="python -m orchestrator",
        description="Measures where the time goes in chains of steps that hand payloads to each other through S3, "
        "driven through SQS.",
        epilog=EXIT_CODES,
    )
    commands = parser.add_subparsers(dest="command", metavar="COMMAND", required=True)
    for name in _names():
        command = _module(name)
        sub = commands.add_parser(name, help=command.HELP, description=command.HELP[0].upper() + command.HELP[1:] + ".")
        command.add_arguments(sub)
        all_of_them = (row.variable for row in settings_table.table() if "orchestrator" in row.programs)
        flags.add(sub, all_of_them if command.SETTINGS is None else command.SETTINGS)
    return parser


def _names() -> tuple[str, ...]:
    """The commands as the user types them: `dead-letters` is the file dead_letters.py."""
    return tuple(name.replace("_", "-") for name in registry.choices(COMMANDS))


def _module(name: str) -> ModuleType:
    return registry.load(COMMANDS, name.replace("-", "_"))


def _command_refused(words: Sequence[str]) -> str | None:
    """A sentence for a command line that does not begin with a command; null for one that does, or asks for help."""
    known = _names()
    first = words[0] if words else ""
    if first in known or first in ("-h", "--help", "--version"):
        return None
    if first and not first.startswith("-"):
        return registry.unknown_choice(first, known)
    command = next((word for word in words if word in known), "start")
    example = ["python -m orchestrator", command, *(word for word in words if word != command)]
    return f"a command comes first, as in {' '.join(example)}"
