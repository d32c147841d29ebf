"""`settings`: the table of all settings, from their one declaration."""

from __future__ import annotations

import argparse
import textwrap
from collections.abc import Iterable, Iterator
from typing import TYPE_CHECKING

from stepbench.settings_table import Row

if TYPE_CHECKING:
    from stepbench.settings import Settings

HELP = "print every setting: variable, flag, default, unit, bounds and meaning"
SETTINGS: tuple[str, ...] | None = ()

HEADINGS = ("Variable", "Flag", "Default", "Unit", "Accepts", "Meaning")
COLUMNS = 80


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """In which form."""
    parser.add_argument("--markdown", action="store_true", help="print the table as it stands in the README")


def run(settings: Settings, arguments: argparse.Namespace) -> int:
    """Prints the table; 0."""
    from stepbench.settings_table import table

    print("\n".join(as_markdown(table()) if arguments.markdown else as_text(table())))
    return 0


def as_markdown(rows: Iterable[Row]) -> Iterator[str]:
    """A table with a line for each setting."""
    yield f"| {' | '.join(HEADINGS)} |"
    yield f"|{' --- |' * len(HEADINGS)}"
    for row in rows:
        default = f"`{row.default}`" if row.default else ""
        cells = (f"`{row.variable}`", f"`{row.flag}`", default, row.unit, row.accepts, row.meaning)
        yield f"| {' | '.join(cell.replace('|', chr(92) + '|') for cell in cells)} |"


def as_text(rows: Iterable[Row]) -> Iterator[str]:
    """Columns for a terminal: what a setting accepts and means stands below its name."""
    yield f"{HEADINGS[0]:<26}{HEADINGS[1]:<29}{HEADINGS[2]}"
    for row in rows:
        default = f"{row.default} {row.unit}".strip() if row.default else "-"
        yield f"{row.variable:<26}{row.flag:<29}{default}"
        yield from _indented(row.meaning)
        if row.accepts:
            yield from _indented(f"accepts {row.accepts} {row.unit}")


def _indented(text: str) -> list[str]:
    return textwrap.wrap(text, COLUMNS, initial_indent="    ", subsequent_indent="    ", break_on_hyphens=False)
