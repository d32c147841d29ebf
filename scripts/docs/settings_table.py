"""The README's table of settings is the one that the program prints."""

from __future__ import annotations

import re

BEGIN = "<!-- settings:begin -->"
END = "<!-- settings:end -->"

_BETWEEN = re.compile(f"{re.escape(BEGIN)}\n(.*?)\n?{re.escape(END)}", re.DOTALL)


def differs(readme: str, table: str, path: str = "README.md") -> list[str]:
    """Whether what stands between the markers is not `table`, with the first line that differs."""
    between = _BETWEEN.search(readme)
    if between is None:
        return [f"{path}: the markers {BEGIN} and {END} are missing"]
    written, printed = between[1].strip().splitlines(), table.strip().splitlines()
    if written == printed:
        return []
    where = next((n for n, pair in enumerate(zip(written, printed, strict=False)) if pair[0] != pair[1]), None)
    row = min(len(written), len(printed)) if where is None else where
    return [f"{path}: row {row + 1} of the settings table is not what the program prints; `make docs` writes it"]


def written_into(readme: str, table: str) -> str:
    """`readme` with `table` between the markers."""
    return _BETWEEN.sub(lambda _: f"{BEGIN}\n\n{table.strip()}\n\n{END}", readme)
