"""Kinds of input that go wrong, because the product is broken on purpose or because they are made for it.

In the process that takes them alone.
"""

from __future__ import annotations

import ctypes
import pickle
import threading
from random import Random
from typing import Any

import pyarrow as pa

from stepbench.buffers import Data
from stepbench.compression import Compression
from stepbench.errors import PayloadDamaged
from stepbench.serializers import pickle as our_pickle
from tests.chaos.figures import PromiseBroken
from tests.chaos.inputs import bombs, pickles
from tests.chaos.inputs.kind import Kind

TOO_LONG = 17


def prepare() -> None:
    """Break the product."""
    our_pickle._PlainUnpickler = pickle.Unpickler  # type: ignore[assignment,misc] # that is the point
    Compression._stream = _without_bound  # type: ignore[assignment,method-assign] # that is the point


def _without_bound(compression: Compression, data: Data, serialized_bytes: int) -> bytes:
    with pa.CompressedInputStream(pa.BufferReader(data), compression.codec) as stream:
        whole: bytes = stream.read()
    if len(whole) != serialized_bytes:
        raise PayloadDamaged("only now")
    return whole


def _crash(_made: int) -> None:
    ctypes.string_at(0)


def _hang(_made: int) -> None:
    threading.Event().wait()


def _bug(_made: int) -> None:
    raise KeyError("something")


def _too_long(made: str) -> None:
    if len(made) >= TOO_LONG:
        raise PromiseBroken("other promises broken", "too long")


def _of_none(_random: Random) -> int:
    return 0


CRASH, HANG, BUG = (
    Kind(take.__name__, _of_none, take, lambda _: 10**9, deadline_seconds=2) for take in (_crash, _hang, _bug)
)
LONG = Kind("long", lambda random: random.randint(1, 1_000) * random.choice("xyz"), _too_long, lambda _: 10**9)
KINDS: tuple[Kind[Any], ...] = (*pickles.KINDS, *bombs.KINDS, CRASH, HANG, BUG, LONG)
