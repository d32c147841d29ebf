"""`json`: one array of objects."""

from __future__ import annotations

from pathlib import Path

from stepbench.errors import PayloadRefused
from stepbench.file_formats._json_values import parse
from stepbench.rows import Rows


def read(path: Path) -> Rows:
    """The objects of the file's array."""
    try:
        value = parse(str(path.read_bytes(), "utf-8-sig"))
    except UnicodeDecodeError as error:
        raise PayloadRefused(f"byte {error.start} is not UTF-8; write the file in UTF-8") from error
    except ValueError as error:
        raise PayloadRefused(f"it is no JSON: {error}") from error
    if not isinstance(value, list):
        raise PayloadRefused("it holds one JSON value that is no array; write an array of objects, [{…}, {…}]")
    for row, record in enumerate(value, 1):
        if not isinstance(record, dict):
            raise PayloadRefused(f"element {row} of its array is no object; write an array of objects, [{{…}}, {{…}}]")
    return value
