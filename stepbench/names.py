"""Names of files that are no text: the kernel takes any bytes, and what is written here is UTF-8."""

from __future__ import annotations

from pathlib import Path


def shown(path: Path) -> str:
    """`path` for a person to read: bytes that are no UTF-8 text by their numbers."""
    return str(path).encode("utf-8", "surrogateescape").decode("utf-8", "backslashreplace")


def is_text(path: Path) -> bool:
    """Whether it can be printed, and written into a metrics file."""
    return shown(path) == str(path)
