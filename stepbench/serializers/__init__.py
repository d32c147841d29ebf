"""Serializers: how records become bytes and come back. One file each; the file name is what the user types.

Every file defines `SERIALIZER`, an object of this protocol. All of them carry the same logical records, each in the
form that is native to it (see `Form`), and one contract test runs over all of them.
"""

from __future__ import annotations

from typing import Any, Literal, Protocol

from stepbench import registry
from stepbench.buffers import Data
from stepbench.compression import Compression

Form = Literal["rows", "table", "bytes"]
"""What a payload is in memory: a list of dicts, a `pyarrow.Table`, or bytes."""


class Serializer(Protocol):
    """Turns one native form into bytes and back. Stateless; safe to use from any thread."""

    form: Form
    suffix: str
    """Ending of the object's key, without the dot."""
    loses: str
    """What `decode(encode(records))` does not give back, as a sentence for the docs; empty if nothing."""
    compresses_itself: bool
    """COMPRESSION becomes this format's own codec instead of a pass over the finished bytes."""
    memory_multiple: float
    """Peak memory of encode or decode, as a multiple of the payload's size as JSON; held by a test.

    Beside the value that encode is given; with the bytes that decode is given, and the value that it makes of them. It
    is that of the generated records: records of a few bytes each, or text beyond Latin-1, take more as Python objects.
    """

    def encode(self, value: Any, compression: Compression, /) -> Data:
        """Bytes of `value`, which is of this serializer's form. Raises PayloadRefused for what it cannot carry."""
        ...

    def decode(self, data: Data, /) -> Any:
        """The value that `data` holds, in this serializer's form. Raises PayloadDamaged for anything else."""
        ...

    def serialized_bytes(self, data: Data, /) -> int:
        """Size before compression of encoded `data`: its length, or what a self-compressing format's footer says."""
        ...


def load(name: str) -> Serializer:
    """The serializer called `name`. Raises UsageError if there is none or if its dependency is not installed."""
    serializer: Serializer = registry.load(__name__, name).SERIALIZER
    return serializer
