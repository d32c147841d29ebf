"""Names of files that are no text: the kernel takes any bytes, and what is written here is one line of UTF-8."""

from __future__ import annotations

from pathlib import Path

CONTROLS = {chr(code) for code in (*range(32), 127)}


def shown(path: Path) -> str:
    """`path` for a person to read: bytes that are no UTF-8 text, and line breaks and the like, by their numbers."""
    text = str(path).encode("utf-8", "surrogateescape").decode("utf-8", "backslashreplace")
    return "".join(_number(character) if character in CONTROLS else character for character in text)


def is_text(path: Path) -> bool:
    """Whether it can be printed on a line, and written into a metrics file."""
    return shown(path) == str(path)


def _number(character: str) -> str:
    return character.encode("unicode_escape").decode()
