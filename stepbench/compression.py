"""Compression of a payload's bytes, through pyarrow's codecs, at levels that we pin.

Levels are pinned and shown because a library's default changes with its version, and because two libraries' defaults do
not mean the same effort. The pins are what each tool's own command line or documentation recommends for general use:
gzip 6, zstd 3, lz4 1 (the fast mode), brotli 4 (the effort at which it costs about what gzip does; pyarrow's own
default, 8, is an archive's). `lz4` is the LZ4 frame format. `snappy` is the raw format, which has no levels.

Decompression is bounded by the size that the producer declared and must yield exactly that. It is never pyarrow's
one-shot call with a size that the compressed form does not itself confirm: given one too large, that returns
uninitialised memory.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from types import MappingProxyType
from typing import TYPE_CHECKING

from stepbench.buffers import Data, length
from stepbench.errors import PayloadDamaged, PayloadRefused, SizeMismatch
from stepbench.registry import unknown_choice

if TYPE_CHECKING:
    import pyarrow as pa

SNAPPY_MAX_BYTES = 2**32 - 1
"""The raw format states its length in 32 bits (google/snappy, format_description.txt)."""


@dataclass(frozen=True)
class Levels:
    """The levels that a codec takes; `pinned` stands where the user names none."""

    least: int
    most: int
    pinned: int


LEVELS: Mapping[str, Levels | None] = MappingProxyType(
    {
        "none": None,
        "gzip": Levels(1, 9, pinned=6),
        "zstd": Levels(1, 22, pinned=3),
        "lz4": Levels(1, 12, pinned=1),
        "snappy": None,
        "brotli": Levels(0, 11, pinned=4),
    }
)
"""Every codec that COMPRESSION may name, in the order in which help texts show them."""

SUFFIXES = MappingProxyType({"none": "", "gzip": "gz", "zstd": "zst", "lz4": "lz4", "snappy": "snappy", "brotli": "br"})
"""Ending of an object's key that tells its compression, without the dot."""


@dataclass(frozen=True)
class Compression:
    """A codec and its level (None where it has none). `str()` gives the pinned form: `zstd:3`, `snappy`, `none`."""

    codec: str = "none"
    level: int | None = None

    def __post_init__(self) -> None:
        """Raises ValueError for a codec or level that there is not; a missing level becomes the pinned one."""
        object.__setattr__(self, "level", _checked_level(self.codec, self.level))

    @classmethod
    def parse(cls, text: str) -> Compression:
        """The compression that `text` names, `codec` or `codec:level`. Raises ValueError with a sentence to show."""
        codec, colon, level = text.strip().partition(":")
        if colon and not (level.isascii() and level.removeprefix("-").isdigit() and len(level) < 9):
            raise ValueError(f"{text!r} is no compression: the level after the colon must be a whole number")
        return cls(codec, int(level) if colon else None)

    def __str__(self) -> str:
        return self.codec if self.level is None else f"{self.codec}:{self.level}"

    @property
    def suffix(self) -> str:
        """Ending of an object's key, without the dot; empty for `none`."""
        return SUFFIXES[self.codec]

    def compress(self, data: Data) -> Data:
        """`data` compressed; `none` hands back `data` itself. Raises PayloadRefused beyond a codec's size limit."""
        if self.codec == "none":
            return data
        if self.codec == "snappy" and length(data) > SNAPPY_MAX_BYTES:
            raise PayloadRefused(f"snappy cannot compress {length(data)} bytes: its limit is 4 GiB; use zstd or lz4")
        compressed: bytes = self._pyarrow_codec().compress(data, asbytes=True)
        return compressed

    def decompress(self, data: Data, serialized_bytes: int) -> Data:
        """`data` decompressed to exactly `serialized_bytes`; `none` hands back `data` itself.

        Raises SizeMismatch when it is smaller or larger than declared (what exceeds the declaration is never
        decompressed), PayloadDamaged when it is no whole compressed form of this codec or has bytes after it.
        """
        if self.codec == "none":
            if length(data) != serialized_bytes:
                raise SizeMismatch(f"the payload has {length(data)} bytes, its producer declared {serialized_bytes}")
            return data
        if not length(data):
            raise PayloadDamaged(f"the payload is empty: no {self.codec} data")
        try:
            return (self._snappy if self.codec == "snappy" else self._stream)(data, serialized_bytes)
        except (OSError, ValueError) as error:
            # pyarrow raises OSError or its ArrowInvalid, a ValueError, for damaged input.
            raise PayloadDamaged(f"the payload is no whole {self.codec} data: {error}") from error
        except (MemoryError, OverflowError) as error:
            raise SizeMismatch(f"the declared {serialized_bytes} bytes cannot be held in memory") from error

    def _stream(self, data: Data, serialized_bytes: int) -> memoryview:
        import pyarrow as pa

        with pa.CompressedInputStream(pa.BufferReader(data), self.codec) as stream:
            # Not `read`: pyarrow never gives back what that had taken when the data turn out to be damaged.
            whole = memoryview(stream.read_buffer(serialized_bytes)).cast("B")
            # Subtle: this also makes the codec read its trailer and what stands after it, and fail on either.
            beyond = stream.read(1)
        if len(whole) < serialized_bytes:
            raise SizeMismatch(
                f"the payload decompresses to {len(whole)} bytes, not to the declared {serialized_bytes}"
            )
        if beyond:
            raise SizeMismatch(f"the payload decompresses to more than the declared {serialized_bytes} bytes")
        return whole

    def _snappy(self, data: Data, serialized_bytes: int) -> bytes:
        stated = _snappy_length(data)
        if stated != serialized_bytes:
            raise SizeMismatch(f"the payload decompresses to {stated} bytes, not to the declared {serialized_bytes}")
        whole: bytes = self._pyarrow_codec().decompress(data, serialized_bytes, asbytes=True)
        return whole

    def _pyarrow_codec(self) -> pa.Codec:
        import pyarrow as pa

        return pa.Codec(self.codec, compression_level=self.level)


def _checked_level(codec: str, level: int | None) -> int | None:
    if codec not in LEVELS:
        raise ValueError(unknown_choice(codec, tuple(LEVELS)))
    levels = LEVELS[codec]
    if levels is None:
        if level is not None:
            raise ValueError(f"{codec} has no levels: write {codec} alone")
        return None
    if level is None:
        return levels.pinned
    if not levels.least <= level <= levels.most:
        raise ValueError(f"{codec} has no level {level}: it takes {levels.least} to {levels.most}")
    return level


def _snappy_length(data: Data) -> int:
    """The length that raw snappy data states in the varint at its front."""
    length = 0
    for index, byte in enumerate(bytes(data[:5])):
        length |= (byte & 0x7F) << (7 * index)
        if byte < 0x80:
            return length
    raise PayloadDamaged("the payload is no whole snappy data: it does not state its length")


NONE = Compression()
