"""`jsonl`: one object a line. Lines of nothing but white space are passed over."""

from __future__ import annotations

from pathlib import Path
from typing import Any

from stepbench.errors import PayloadRefused
from stepbench.file_formats._json_values import parse
from stepbench.rows import Rows


def read(path: Path) -> Rows:
    """The objects of the file's lines."""
    with path.open("rb") as lines:
        return [_record(number, line) for number, line in enumerate(lines, 1) if line.strip()]


def _record(number: int, line: bytes) -> dict[str, Any]:
    try:
        value = parse(str(line, "utf-8-sig" if number == 1 else "utf-8"))
    except ValueError as error:  # UnicodeDecodeError is one.
        raise PayloadRefused(f"line {number} is no JSON: {error}; write one object a line, in UTF-8") from error
    if not isinstance(value, dict):
        raise PayloadRefused(f"line {number} is no object; write one object a line")
    return value
