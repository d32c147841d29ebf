"""`pickle`: protocol 5 by the standard library's pickle module. Loading admits plain data only.

Nothing that a payload names is imported or called: without a class or function to call, pickle's opcodes can build
None, booleans, numbers, text, bytes, lists, tuples, dicts and sets, and nothing else. What is left to a hostile payload
is memory: an opcode may name an index that makes the unpickler's memo grow to many GB. That cannot be seen without
reading all opcodes in Python, which costs many times the load itself; so loading may make the process larger by what
the worst of honest payloads takes, and no further.
"""

from __future__ import annotations

import pickle
from typing import Any, NoReturn

from stepbench import rows
from stepbench.address_space import growing_at_most
from stepbench.buffers import Data, length, reader
from stepbench.compression import Compression
from stepbench.errors import PayloadDamaged
from stepbench.serializers import Form, Serializer

PROTOCOL = 5
_HEAD = b"\x80\x05"
MOST_MEMORY_MULTIPLE = 300
"""Memory of loading over the payload's bytes, at most: one byte makes an empty set, of 232 bytes and a place to be."""
MEMORY_SLACK_BYTES = 64_000_000
REASON_CHARACTERS = 200
"""Of a reason, which may repeat a name or a number of the payload's."""

_DAMAGE = (
    pickle.UnpicklingError,
    EOFError,
    ValueError,
    TypeError,
    LookupError,
    AttributeError,
    ImportError,
    OverflowError,
    MemoryError,
    RecursionError,
)
"""All that the unpickler raises for damaged input: it tries what the bytes say and lets its own calls fail."""


class _PlainPickler(pickle.Pickler):
    """Refuses what `_PlainUnpickler` would not load. The types that pickle knows by itself do not come by here."""

    def reducer_override(self, obj: Any, /) -> NoReturn:
        raise TypeError(f"{type(obj).__name__} is no plain data")


class _PlainUnpickler(pickle.Unpickler):
    """Every way from a pickle to something that is not plain data goes through these two."""

    def find_class(self, module: str, name: str, /) -> NoReturn:
        raise pickle.UnpicklingError(f"it asks for {module}.{name}, and only plain data is admitted")

    def persistent_load(self, _identifier: Any, /) -> NoReturn:
        raise pickle.UnpicklingError("it asks for an object from outside, and only plain data is admitted")


class _Chunks:
    """A file for the pickler that keeps what is written as it is: growing one buffer would copy it again and again."""

    def __init__(self) -> None:
        self.chunks: list[bytes] = []
        self.write = self.chunks.append


def _dump(value: Any) -> bytes:
    file = _Chunks()
    _PlainPickler(file, PROTOCOL).dump(value)
    return b"".join(file.chunks)


class Pickle:
    form: Form = "rows"
    suffix = "pickle"
    loses = ""
    compresses_itself = False
    memory_multiple = 5.0

    def encode(self, value: Any, _compression: Compression, /) -> bytes:
        """Raises PayloadRefused for anything but plain data."""
        try:
            return _dump(value)
        except (ValueError, TypeError, RecursionError) as error:
            raise rows.refusal("pickle", value, _dump, error) from error

    def decode(self, data: Data, /) -> rows.Rows:
        """The list of records. Raises PayloadDamaged for anything else, and for all that is not plain data."""
        if bytes(data[:2]) != _HEAD:
            raise PayloadDamaged(f"the payload is no pickle of protocol {PROTOCOL}")
        source = reader(data)
        try:
            with growing_at_most(MOST_MEMORY_MULTIPLE * length(data) + MEMORY_SLACK_BYTES):
                value = _PlainUnpickler(source).load()
        except _DAMAGE as error:
            reason = (str(error) or type(error).__name__)[:REASON_CHARACTERS]
            raise PayloadDamaged(f"the payload is no pickle of plain data: {reason}") from error
        if source.read(1):
            raise PayloadDamaged("the payload goes on after the end of the pickle")
        return rows.checked(value)

    def serialized_bytes(self, data: Data, /) -> int:
        return length(data)


SERIALIZER: Serializer = Pickle()
