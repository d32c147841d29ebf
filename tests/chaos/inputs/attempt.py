"""One hostile input, given to the product: what came of it, what it did, and what memory it took."""

from __future__ import annotations

import gc
from typing import Any

from stepbench.failures import kind_of
from stepbench.peak_memory import PeakMemory
from tests.chaos.figures import PromiseBroken
from tests.chaos.inputs import canary
from tests.chaos.inputs.kind import MB, Kind

MESSAGE_CHARACTERS = 3_000
"""An error's sentence is for a person, or for a completion: it does not hand on what was sent."""

_memory = PeakMemory()


def try_one(kind: Kind[Any], made: Any) -> None:
    """Raises PromiseBroken."""
    gc.collect(0)
    _memory.reset()
    before_bytes = _memory.so_far() or 0
    try:
        with canary.watching():
            kind.take(made)
    except kind.foreseen as error:
        if kind_of(error) != "permanent":
            raise PromiseBroken("other promises broken", f"{error!r:.300}, as if it might get better") from error
        if len(str(error)) > MESSAGE_CHARACTERS:
            raise PromiseBroken("other promises broken", f"an error of {len(str(error))} characters") from error
    except PromiseBroken:
        raise
    except Exception as error:
        sentence = f"an error that nobody foresaw: {type(error).__name__}: {error!s:.300}"
        raise PromiseBroken("other promises broken", sentence) from error
    grown_bytes = (_memory.so_far() or 0) - before_bytes
    if grown_bytes > kind.most_bytes(made):
        allowed = kind.most_bytes(made) / MB
        sentence = f"it took {grown_bytes / MB:.0f} MB of memory, where {allowed:.0f} MB are allowed"
        raise PromiseBroken("other promises broken", sentence)
