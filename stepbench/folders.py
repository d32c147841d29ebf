"""Whether a folder can be written, or made and then written."""

from __future__ import annotations

from pathlib import Path

from stepbench import names


def obstacle(folder: Path) -> str | None:
    """What stands in the way of new files in `folder`, as a clause; null if nothing does. Nothing is left behind.

    It is tried, because permissions do not tell: root has all of them, and still cannot make a file in /proc.
    """
    import tempfile

    if not names.is_text(folder):
        return "its name has bytes that are no line of UTF-8 text"
    try:
        there = next(place for place in (folder, *folder.parents) if place.exists())
        if not there.is_dir():
            return f"{there} is no folder"
        tempfile.TemporaryFile(dir=there).close()
    except OSError as error:  # a name that is too long as well, or a folder on the way that may not be entered
        return f"it cannot be written: {error.strerror}"
    return None
