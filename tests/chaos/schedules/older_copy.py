"""A copy of a metrics file as it was a while ago."""

from __future__ import annotations

from pathlib import Path
from random import Random

MOST_LINES_BEHIND = 8


def older_copy(path: Path, copy: Path, random: Random) -> Path:
    """Made after the first payload was told, for from an older one there is nothing to resume; maybe torn."""
    lines = path.read_bytes().splitlines(keepends=True)
    least = 1 + next(number for number, line in enumerate(lines) if b'"first_payload"' in line)
    kept = max(least, len(lines) - random.randint(1, MOST_LINES_BEHIND))
    text = b"".join(lines[:kept])
    if kept < len(lines):
        text += lines[kept][: random.choice((0, random.randrange(len(lines[kept]))))]
    copy.write_bytes(text)
    return copy
