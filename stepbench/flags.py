"""Flags made from the settings, and `did you mean` for the ones that are none."""

from __future__ import annotations

import argparse
import difflib
import sys
from collections.abc import Iterable, Sequence
from typing import Any, NoReturn

from stepbench import settings_table, streams

EXIT_USAGE = 2


class Parser(argparse.ArgumentParser):
    """argparse that takes flags only by their whole names and says in a sentence what is wrong.

    On a stdout that is `streams.checked`, help that cannot be written raises EnvironmentRefused.
    """

    def __init__(self, **options: Any) -> None:
        super().__init__(allow_abbrev=False, **options)
        self.add_argument("--version", action=_Version, nargs=0, help="print the version and exit")
        self.set_defaults(parser=self)  # of a command's parser and the program's, the command's wins

    def flags(self) -> list[str]:
        """All that it takes, in their long form."""
        return [name for name in self._option_string_actions if name.startswith("--")]

    def exit(self, status: int = 0, message: str | None = None) -> NoReturn:
        try:
            sys.stdout.flush()
        except BrokenPipeError:
            streams.reader_is_gone(sys.stdout)
        super().exit(status, message)

    def error(self, message: str) -> NoReturn:
        self.exit(EXIT_USAGE, f"{message}; see {self.prog} --help\n")


class _Version(argparse.Action):
    """Unlike argparse's own it looks the version up only when it is asked for."""

    def __call__(self, parser: argparse.ArgumentParser, *_: Any) -> NoReturn:
        from importlib.metadata import version

        sys.stdout.write(f"stepbench {version('stepbench')}\n")
        parser.exit()


def parse(parser: Parser, arguments: Sequence[str] | None) -> argparse.Namespace:
    """Parsed arguments. Ends the program with exit code 2 for a flag that is none, naming the nearest that is."""
    parsed, strange = parser.parse_known_args(arguments)
    if strange:
        # What follows a flag that is none is most likely its value.
        wrong = [word for word in strange if word.startswith("-")] or strange
        asked: Parser = parsed.parser
        asked.error("; ".join(_strange(word, asked) for word in wrong))
    return parsed


def _strange(word: str, parser: Parser) -> str:
    flag = word.partition("=")[0]
    if flag in (row.flag for row in settings_table.table()):
        return f"{flag} is a setting, but not one of this command"
    near = difflib.get_close_matches(flag, parser.flags(), n=1)
    hint = f" (did you mean {near[0]}?)" if flag.startswith("--") and near else ""
    return f"{flag} is no flag or argument of this command{hint}"


def add(parser: argparse.ArgumentParser, variables: Iterable[str]) -> None:
    """A flag for each of these settings. Values stay text: the settings check them, all at once."""
    wanted = set(variables)
    if not wanted:
        return
    group = parser.add_argument_group("settings", "each also a variable of the environment or a line in .env")
    for row in settings_table.table():
        if row.variable in wanted:
            is_switch = row.accepts == "true, false"
            group.add_argument(
                row.flag,
                dest=row.variable,
                nargs="?" if is_switch else None,
                const="true" if is_switch else None,
                default=argparse.SUPPRESS,
                metavar=row.unit or ("BOOL" if is_switch else "VALUE"),
                help=_help(row).replace("%", "%%"),
            )


def given(arguments: argparse.Namespace) -> dict[str, Any]:
    """The settings that were given as flags, by variable name."""
    known = {row.variable for row in settings_table.table()}
    return {name: value for name, value in vars(arguments).items() if name in known}


def _help(row: settings_table.Row) -> str:
    accepts = f"; accepts {row.accepts}" if row.accepts else ""
    default = f"; default {row.default}" if row.default else ""
    return f"{row.meaning}{accepts} ({row.variable}{default})"
