"""`--matrix FILE.csv`: a row per case, a column per setting, and `name` and `baseline` if you like.

Columns are named as one types the settings (PAYLOAD_MB, payload-mb, --payload-mb). An empty cell leaves the setting to
the flags, the environment and the defaults. Rows are numbered as editors number lines: the header is row 1.
"""

from __future__ import annotations

import csv
from collections.abc import Iterator
from pathlib import Path

from orchestrator.experiment.axes import MOST_CASES
from orchestrator.experiment.names import checked, field_named, of_a_case
from orchestrator.experiment.request import Request, Wanted
from orchestrator.report.units import one_line
from stepbench.errors import UsageError
from stepbench.settings import named, variable_of

NAME, BASELINE = "name", "baseline"
YES = frozenset({"1", "x", "y", "yes", "true"})
NO = frozenset({"", "0", "n", "no", "false"})
MOST_BYTES = 10_000_000


def read(path: Path) -> Request:
    """What is wrong is among its problems, with row and column. Raises UsageError for what cannot be read at all."""
    rows = list(_rows(path))
    if len(rows) < 2:
        raise UsageError(f"{path}: holds no case; its first row names settings, each row below is a case")
    if len(rows) > MOST_CASES + 1:
        raise UsageError(f"{path}: holds {len(rows) - 1:,} cases, and an experiment has at most {MOST_CASES:,}")
    problems: list[str] = []
    columns = _columns(path, rows[0][1], problems)
    wanted = [_case(path, number, cells, columns, problems) for number, cells in rows[1:]]
    marked = [
        case
        for case, (number, cells) in zip(wanted, rows[1:], strict=True)
        if _is_baseline(path, number, cells, columns, problems)
    ]
    if len(marked) > 1:
        problems.append(f"{marked[0].where} and {marked[1].where} are both marked as baseline; keep one")
    baseline = marked[0].where if marked else None
    return Request(tuple(wanted), {}, baseline=baseline, problems=tuple(problems))


def _rows(path: Path) -> Iterator[tuple[int, list[str]]]:
    """Each with the number of its last line, blank ones left out."""
    try:
        if path.stat().st_size > MOST_BYTES:
            raise UsageError(f"{path}: is larger than {MOST_BYTES:,} bytes, and no matrix of cases")
        with path.open(encoding="utf-8-sig", newline="") as file:
            reader = csv.reader(file, strict=True)
            for cells in reader:
                if any(cell.strip() for cell in cells):
                    yield reader.line_num, [cell.strip() for cell in cells]
    except OSError as error:
        raise UsageError(f"--matrix {path}: cannot be read: {error.strerror}") from error
    except (csv.Error, UnicodeDecodeError) as error:
        raise UsageError(f"--matrix {path}: is no CSV in UTF-8: {one_line(str(error))}") from error


def _columns(path: Path, header: list[str], problems: list[str]) -> list[str | None]:
    """The variable of each column, or `name` or `baseline`; null where it is none."""
    columns: list[str | None] = []
    for text in header:
        place = f"{path} row 1, column {one_line(text)!r}"
        try:
            column = text.casefold() if text.casefold() in (NAME, BASELINE) else _variable(text)
        except UsageError as error:
            problems.append(f"{place}: {error}; name and baseline are the columns beside settings")
            column = None
        if column is not None and column in columns:
            problems.append(f"{place}: the same column stands there twice")
        columns.append(column)
    return columns


def _variable(text: str) -> str:
    field = field_named(text)
    if not of_a_case(field):
        raise UsageError(f"{named(field)} is the same for a whole experiment, so give it as flag or variable")
    return variable_of(field)


def _case(path: Path, number: int, cells: list[str], columns: list[str | None], problems: list[str]) -> Wanted:
    where = f"{path} row {number}"
    if len(cells) > len(columns):
        problems.append(f"{where}: has {len(cells)} cells, and row 1 names {len(columns)} columns")
    filled = {column: cell for column, cell in zip(columns, cells, strict=False) if column and cell}
    name = filled.pop(NAME, None)
    filled.pop(BASELINE, None)
    try:
        name = checked(name) if name is not None else None
    except UsageError as error:
        problems.append(f"{where}, column name: {error}")
    places = {column: f"{where}, column {column} =" for column in filled}
    return Wanted(filled, places, where, name)


def _is_baseline(path: Path, number: int, cells: list[str], columns: list[str | None], problems: list[str]) -> bool:
    if BASELINE not in columns or columns.index(BASELINE) >= len(cells):
        return False
    text = cells[columns.index(BASELINE)].casefold()
    if text not in YES | NO:
        problems.append(f"{path} row {number}, column baseline = {text!r}: write yes in one row, and nothing elsewhere")
    return text in YES
