from __future__ import annotations

import random
import resource
import struct
import tracemalloc
from pathlib import Path

import pytest

from stepbench.buffers import Data
from stepbench.compression import LEVELS, Compression
from stepbench.errors import PayloadDamaged, PayloadRefused, SizeMismatch

STATM = Path("/proc/self/statm")
PLAIN = random.Random(1).randbytes(3000) + b"again and again " * 5000
CODECS = [Compression(codec) for codec in LEVELS]
COMPRESSING = [compression for compression in CODECS if compression.codec != "none"]
STREAMED = [compression for compression in COMPRESSING if compression.codec != "snappy"]


def compressed(compression: Compression, data: bytes = PLAIN) -> bytes:
    return bytes(compression.compress(data))


@pytest.mark.parametrize(
    ("text", "pinned"),
    [
        ("none", "none"),
        ("gzip", "gzip:6"),
        ("zstd", "zstd:3"),
        ("lz4", "lz4:1"),
        ("snappy", "snappy"),
        ("brotli", "brotli:4"),
        ("zstd:22", "zstd:22"),
        ("brotli:0", "brotli:0"),
        (" gzip:1 ", "gzip:1"),
    ],
)
def test_a_compression_is_shown_with_its_pinned_level(text: str, pinned: str) -> None:
    assert str(Compression.parse(text)) == pinned
    assert Compression.parse(pinned) == Compression.parse(text)


@pytest.mark.parametrize(
    ("text", "sentence"),
    [
        ("zstandard", "did you mean zstd"),
        ("", "is not one of none, gzip"),
        ("ZSTD", "is not one of"),
        ("zstd:0", "takes 1 to 22"),
        ("zstd:-5", "takes 1 to 22"),
        ("gzip:10", "takes 1 to 9"),
        ("snappy:1", "has no levels"),
        ("none:1", "has no levels"),
        ("zstd:", "whole number"),
        ("zstd:3.5", "whole number"),
        ("zstd:³", "whole number"),
        ("zstd:3:4", "whole number"),
    ],
)
def test_a_compression_that_there_is_not_is_refused_with_what_there_is(text: str, sentence: str) -> None:
    with pytest.raises(ValueError, match=sentence):
        Compression.parse(text)


@pytest.mark.parametrize("compression", CODECS, ids=str)
@pytest.mark.parametrize("kind", [bytes, bytearray, memoryview])
@pytest.mark.parametrize("plain", [b"", b"a", PLAIN], ids=len)
def test_what_was_compressed_comes_back_from_any_buffer(compression: Compression, kind: type, plain: bytes) -> None:
    data: Data = kind(compression.compress(kind(plain)))
    assert bytes(compression.decompress(data, len(plain))) == plain


def test_none_passes_data_through_without_a_copy() -> None:
    assert Compression().compress(PLAIN) is PLAIN
    assert Compression().decompress(PLAIN, len(PLAIN)) is PLAIN


@pytest.mark.parametrize("compression", COMPRESSING, ids=str)
def test_every_level_is_one_that_the_codec_takes(compression: Compression) -> None:
    levels = LEVELS[compression.codec]
    for level in (levels.least, levels.pinned, levels.most) if levels else (None,):
        chosen = Compression(compression.codec, level)
        assert bytes(chosen.decompress(chosen.compress(PLAIN), len(PLAIN))) == PLAIN


@pytest.mark.parametrize("compression", CODECS, ids=str)
@pytest.mark.parametrize("off_by", [-len(PLAIN), -1, 1, 10**6])
def test_another_size_than_the_declared_one_is_a_size_mismatch(compression: Compression, off_by: int) -> None:
    with pytest.raises(SizeMismatch, match=str(len(PLAIN) + off_by)):
        compression.decompress(compressed(compression), len(PLAIN) + off_by)


@pytest.mark.parametrize("compression", COMPRESSING, ids=str)
def test_a_declared_size_beyond_all_memory_is_an_error_of_ours(compression: Compression) -> None:
    for declared in (2**60, 2**70):
        with pytest.raises(SizeMismatch):
            compression.decompress(compressed(compression), declared)


@pytest.mark.parametrize("compression", COMPRESSING, ids=str)
def test_every_truncation_is_found(compression: Compression) -> None:
    data = compressed(compression)
    for end in [*range(40), *range(40, len(data), 997), *range(len(data) - 40, len(data))]:
        with pytest.raises(PayloadDamaged):
            compression.decompress(data[:end], len(PLAIN))


@pytest.mark.parametrize("compression", COMPRESSING, ids=str)
def test_nothing_at_all_is_no_compressed_form_of_nothing(compression: Compression) -> None:
    with pytest.raises(PayloadDamaged, match="empty"):
        compression.decompress(b"", 0)


@pytest.mark.parametrize("compression", COMPRESSING, ids=str)
def test_what_stands_after_the_compressed_form_is_found(compression: Compression) -> None:
    for garbage in (b"x", b"\xff" * 7, b"garbage" * 100, compressed(compression, b"more")):
        with pytest.raises(PayloadDamaged):
            compression.decompress(compressed(compression) + garbage, len(PLAIN))


@pytest.mark.parametrize("compression", COMPRESSING, ids=str)
def test_flipped_bits_give_our_error_or_as_many_bytes_as_declared(compression: Compression) -> None:
    chance = random.Random(2)
    for _ in range(300):
        data = bytearray(compressed(compression))
        data[chance.randrange(len(data))] ^= 1 << chance.randrange(8)
        try:
            assert len(compression.decompress(data, len(PLAIN))) == len(PLAIN)
        except PayloadDamaged:
            continue


@pytest.mark.parametrize("compression", STREAMED, ids=str)
def test_a_bomb_is_decompressed_no_further_than_declared(compression: Compression) -> None:
    bomb = compressed(compression, bytes(200_000_000))
    tracemalloc.start()
    try:
        with pytest.raises(SizeMismatch, match="more than the declared 1000 bytes"):
            compression.decompress(bomb, 1000)
        assert tracemalloc.get_traced_memory()[1] < 10**6
    finally:
        tracemalloc.stop()


@pytest.mark.parametrize("stated", [0, 999, 2**31, 2**32 - 1])
def test_snappy_data_that_states_another_length_is_not_decompressed(stated: int) -> None:
    front = bytearray()
    rest = stated
    while rest >= 0x80:
        front.append(rest & 0x7F | 0x80)
        rest >>= 7
    front.append(rest)
    with pytest.raises(SizeMismatch, match=f"to {stated} bytes, not to the declared {len(PLAIN)}"):
        Compression("snappy").decompress(front + compressed(Compression("snappy"))[3:], len(PLAIN))


def test_snappy_data_without_an_end_to_its_length_is_damaged() -> None:
    with pytest.raises(PayloadDamaged):
        Compression("snappy").decompress(struct.pack("5B", *[0xFF] * 5), 5)


def test_snappy_refuses_what_its_format_cannot_state(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("stepbench.compression.SNAPPY_MAX_BYTES", 10)
    with pytest.raises(PayloadRefused, match="use zstd or lz4"):
        Compression("snappy").compress(bytes(11))


@pytest.mark.skipif(not STATM.exists(), reason="only Linux tells how large a process is")
@pytest.mark.parametrize("compression", STREAMED, ids=str)
def test_damaged_data_leave_no_memory_behind(compression: Compression) -> None:
    plain = random.Random(1).randbytes(10_000_000)
    damaged = compressed(compression, plain)[:-1_000]
    pages = []
    for _ in range(20):
        with pytest.raises(PayloadDamaged):
            compression.decompress(damaged, len(plain))
        pages.append(int(STATM.read_text().split()[0]))
    assert (pages[-1] - pages[4]) * resource.getpagesize() < 5 * len(plain)
