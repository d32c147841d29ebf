from __future__ import annotations

import hashlib

import pyarrow as pa
import pytest

from stepbench.compression import Compression
from stepbench.errors import ChecksumMismatch, PayloadDamaged, SizeMismatch, UsageError
from stepbench.payload import PayloadFormat, check, checksum, record_count
from stepbench.rows import Rows

ROWS: Rows = [{"a": 1, "b": "x"}, {"a": 2, "b": None}]


@pytest.mark.parametrize(
    ("serializer", "compression", "suffix"),
    [
        ("json", "none", "json"),
        ("json", "zstd", "json.zst"),
        ("csv", "gzip:1", "csv.gz"),
        ("arrow", "lz4", "arrow.lz4"),
        ("msgpack", "brotli", "msgpack.br"),
        ("raw", "snappy", "bin.snappy"),
        ("parquet", "zstd", "parquet"),
    ],
)
def test_the_key_ends_in_serializer_and_compression(serializer: str, compression: str, suffix: str) -> None:
    assert PayloadFormat(serializer, Compression.parse(compression)).suffix == suffix


def test_an_unknown_serializer_is_wrong_usage() -> None:
    with pytest.raises(UsageError, match="did you mean arrow"):
        PayloadFormat("arow", Compression())


def test_a_format_that_compresses_itself_is_not_compressed_again() -> None:
    rows = ROWS * 1000
    small, large = (
        PayloadFormat("parquet", Compression("zstd"), "rows"),
        PayloadFormat("parquet", Compression(), "rows"),
    )
    written = small.serialize([{"text": f"row {number}", **row} for number, row in enumerate(rows)])
    plain = large.serialize([{"text": f"row {number}", **row} for number, row in enumerate(rows)])
    assert small.compress(written) is written
    assert len(written) < len(plain)
    assert small.serialized_bytes(written) == pytest.approx(large.serialized_bytes(plain), rel=0.01)
    assert small.decompress(written, small.serialized_bytes(written)) is written


def test_a_footer_that_states_another_size_is_a_size_mismatch_before_anything_is_decoded() -> None:
    parquet = PayloadFormat("parquet", Compression("zstd"), "rows")
    written = parquet.serialize(ROWS)
    with pytest.raises(SizeMismatch, match=r"footer states \d+ bytes .* declared 10"):
        parquet.decompress(written, 10)


def test_materialized_tables_are_rows_and_native_ones_are_tables() -> None:
    native, rows = PayloadFormat("arrow", Compression()), PayloadFormat("arrow", Compression(), "rows")
    assert (native.form, rows.form) == ("table", "rows")
    assert isinstance(native.value_of(ROWS), pa.Table)
    assert rows.value_of(ROWS) is ROWS
    assert rows.deserialize(native.serialize(native.value_of(ROWS))) == ROWS
    assert rows.memory_multiple > native.memory_multiple


def test_raw_bytes_stay_bytes_whatever_is_materialized() -> None:
    for materialize in ("native", "rows"):
        raw = PayloadFormat("raw", Compression(), materialize)
        data = b"any bytes"
        assert raw.deserialize(raw.decompress(raw.compress(raw.serialize(data)), len(data))) is data


def test_records_are_counted_in_every_form() -> None:
    assert record_count(ROWS) == 2
    assert record_count(PayloadFormat("arrow", Compression()).value_of(ROWS)) == 2
    assert record_count([]) == 0
    assert record_count(b"bytes") is None
    assert record_count(memoryview(b"bytes")) is None


def test_the_checksum_is_sha256_of_any_buffer() -> None:
    expected = "sha256:" + hashlib.sha256(b"data").hexdigest()
    assert checksum(b"data") == checksum(bytearray(b"data")) == checksum(memoryview(b"data")) == expected
    check(b"data", expected)


def test_a_mismatch_shows_both_checksums() -> None:
    announced = checksum(b"data")
    with pytest.raises(ChecksumMismatch) as mismatch:
        check(b"dat", announced)
    assert announced in str(mismatch.value)
    assert checksum(b"dat") in str(mismatch.value)


@pytest.mark.parametrize("announced", ["", "md5:abc", hashlib.sha256(b"data").hexdigest()])
def test_a_checksum_of_another_kind_is_never_taken_for_a_match(announced: str) -> None:
    with pytest.raises(PayloadDamaged, match="sha256"):
        check(b"data", announced)
