"""Sees to it that nothing in an input is run: the interpreter itself tells of what must not happen.

https://docs.python.org/3/library/audit_events.html
"""

from __future__ import annotations

import sys
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

from tests.chaos.figures import PromiseBroken

_FORBIDDEN = ("os.", "subprocess.", "shutil.", "ctypes.", "socket.", "pickle.", "exec", "compile", "import", "code.")
_HARMLESS = {"os.listdir", "os.scandir"}

_watching = False
_seen: list[str] = []


def _hear(event: str, arguments: tuple[Any, ...]) -> None:
    if _watching and event.startswith(_FORBIDDEN) and event not in _HARMLESS:
        _seen.append(f"{event}{arguments!r:.200}")


def install() -> None:
    """Once in a process: there is no way back."""
    sys.addaudithook(_hear)


@contextmanager
def watching() -> Iterator[None]:
    """Raises PromiseBroken if anything inside has run code, imported, or gone out into the world."""
    global _watching  # noqa: PLW0603 # an audit hook has no other way to be told
    _seen.clear()
    _watching = True
    try:
        yield
    finally:
        _watching = False
        # Whatever came of it: what a pickle has done is done, also where it is refused in the end.
        if _seen:
            raise PromiseBroken("other promises broken", f"taking it did {_seen[0]}")
