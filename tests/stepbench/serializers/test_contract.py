"""One contract for every serializer: a new file in stepbench/serializers/ is tested by being there."""

from __future__ import annotations

import json
import math
from collections.abc import Callable
from pathlib import Path
from typing import Any

import msgpack
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from stepbench import payload_file, registry, serializers
from stepbench.compression import LEVELS, Compression
from stepbench.errors import PayloadDamaged, PayloadRefused, SizeMismatch
from stepbench.payload import PayloadFormat, record_count
from stepbench.records import generate, raw_bytes
from stepbench.rows import Rows
from stepbench.tables import table_to_rows

NAMES = registry.choices("stepbench.serializers")
OF_RECORDS = [name for name in NAMES if name != "raw"]
NONE = Compression()
RECORDS = generate(30_000, 1, 0.5)
MOST_RECORDS = 10_000
"""All of a larger file runs through whole chains in tests/runs."""


def value_for(name: str) -> Any:
    chosen = PayloadFormat(name, NONE)
    return raw_bytes(30_000, 1, 0.5) if chosen.form == "bytes" else chosen.value_of(RECORDS)


def round_trip(name: str, records: Rows) -> Rows:
    chosen = PayloadFormat(name, NONE, "rows")
    back: Rows = chosen.deserialize(chosen.serialize(records))
    return back


def expected(name: str, records: Rows) -> Rows:
    """What `loses` says of each serializer that loses anything, as code."""
    if name == "csv":
        return [{column: csv_text(value) for column, value in row.items()} for row in records]
    return records


def csv_text(value: Any) -> str:
    if value is None:
        return ""
    if isinstance(value, str):
        return value
    if type(value) in (int, float):
        return repr(value)
    return json.dumps(value, ensure_ascii=False, separators=(",", ":"))


def same(back: Any, sent: Any, *, floats_for_ints: bool) -> bool:
    """Equal in value, type, keys and sign of zero; whole numbers may have become floats where that is documented.

    Not-a-number equals itself, and the order of keys says nothing.
    """
    if type(sent) is int and type(back) is float and floats_for_ints:
        return back == sent
    if type(back) is not type(sent):
        return False
    if isinstance(sent, dict):
        return back.keys() == sent.keys() and all(
            same(back[key], sent[key], floats_for_ints=floats_for_ints) for key in sent
        )
    if isinstance(sent, list):
        return len(back) == len(sent) and all(
            same(one, other, floats_for_ints=floats_for_ints) for one, other in zip(back, sent, strict=True)
        )
    if type(sent) is float:
        both_nan = math.isnan(back) and math.isnan(sent)
        return both_nan or (back == sent and math.copysign(1, back) == math.copysign(1, sent))
    return bool(back == sent)


def assert_carried(name: str, records: Rows) -> None:
    floats_for_ints = "whole numbers" in serializers.load(name).loses
    assert same(round_trip(name, records), expected(name, records), floats_for_ints=floats_for_ints)


SCALARS: list[st.SearchStrategy[Any]] = [
    st.booleans(),
    st.integers(-(2**63), 2**63 - 1),
    st.floats(allow_nan=False, allow_infinity=False),
    st.text(st.characters(codec="utf-8")),
]
NAMES_OF_COLUMNS = st.text(st.characters(codec="utf-8"), max_size=6)


def typed() -> st.SearchStrategy[st.SearchStrategy[Any]]:
    """Strategies for the values of one column: of one type, maybe nested, maybe null."""

    def nested(inner: st.SearchStrategy[Any]) -> st.SearchStrategy[Any]:
        objects = st.dictionaries(NAMES_OF_COLUMNS, inner, min_size=1, max_size=3).map(st.fixed_dictionaries)
        return inner.map(lambda item: st.lists(item, max_size=3)) | objects

    return st.recursive(st.sampled_from(SCALARS), nested, max_leaves=4).map(lambda values: st.none() | values)


TYPED_RECORDS = (
    st.dictionaries(NAMES_OF_COLUMNS, typed(), min_size=1, max_size=4)
    .map(st.fixed_dictionaries)
    .flatmap(lambda row: st.lists(row, max_size=5))
)
ANY_JSON: st.SearchStrategy[Any] = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text(),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=3), inner, max_size=3),
    max_leaves=8,
)
ANY_RECORDS = st.lists(st.dictionaries(st.sampled_from(["a", "b", ""]), ANY_JSON, max_size=3), max_size=4)


@pytest.mark.parametrize("name", NAMES)
def test_every_serializer_says_what_it_is(name: str) -> None:
    serializer = serializers.load(name)
    assert serializer.form in ("rows", "table", "bytes")
    assert serializer.suffix
    assert not serializer.suffix.startswith(".")
    assert isinstance(serializer.loses, str)
    assert serializer.memory_multiple >= 1


@pytest.mark.parametrize("name", OF_RECORDS)
def test_generated_records_come_back(name: str) -> None:
    assert_carried(name, RECORDS)


@pytest.mark.parametrize("name", OF_RECORDS)
@given(records=TYPED_RECORDS)
@settings(max_examples=60, suppress_health_check=list(HealthCheck))
def test_records_with_typed_columns_come_back(name: str, records: Rows) -> None:
    assert_carried(name, records)


@pytest.mark.parametrize("name", OF_RECORDS)
@given(records=ANY_RECORDS)
@settings(max_examples=100, suppress_health_check=list(HealthCheck))
def test_any_records_are_carried_exactly_or_refused(name: str, records: Rows) -> None:
    try:
        back = round_trip(name, records)
    except PayloadRefused:
        return
    floats_for_ints = "whole numbers" in serializers.load(name).loses
    assert same(back, expected(name, records), floats_for_ints=floats_for_ints)


@pytest.mark.parametrize("codec", LEVELS)
@pytest.mark.parametrize("name", NAMES)
def test_every_compression_gives_the_same_value_back(name: str, codec: str) -> None:
    chosen = PayloadFormat(name, Compression(codec))
    value = value_for(name)
    serialized = chosen.serialize(value)
    size = chosen.serialized_bytes(serialized)
    stored = bytes(chosen.compress(serialized))
    back = chosen.deserialize(chosen.decompress(stored, size))
    # What csv gives back is text and equals nothing else; written again it is the same payload.
    assert chosen.serialize(back) == serialized if name == "csv" else back == value
    assert record_count(back) == record_count(value)
    if codec == "none":
        assert size == len(stored)
    else:
        assert len(stored) < size


@pytest.mark.parametrize("name", NAMES)
@pytest.mark.parametrize("kind", [bytes, bytearray, memoryview])
def test_payloads_are_read_from_any_buffer(name: str, kind: Callable[[bytes], Any]) -> None:
    chosen = PayloadFormat(name, NONE)
    serialized = bytes(chosen.serialize(value_for(name)))
    assert chosen.serialized_bytes(kind(serialized)) == chosen.serialized_bytes(serialized)
    back = chosen.deserialize(chosen.decompress(kind(serialized), len(serialized)))
    assert back == chosen.deserialize(serialized)


@pytest.mark.parametrize("name", OF_RECORDS)
def test_native_and_materialized_values_are_the_same_records(name: str) -> None:
    native, rows = PayloadFormat(name, NONE), PayloadFormat(name, NONE, "rows")
    serialized = native.serialize(native.value_of(RECORDS))
    assert rows.serialize(RECORDS) == serialized
    value = native.deserialize(serialized)
    assert (table_to_rows(value) if native.form == "table" else value) == rows.deserialize(serialized)
    assert rows.form == "rows"


@pytest.mark.parametrize("name", NAMES)
def test_encoding_is_deterministic(name: str) -> None:
    chosen = PayloadFormat(name, NONE)
    assert chosen.serialize(value_for(name)) == chosen.serialize(value_for(name))


@pytest.mark.parametrize("codec", ["none", "zstd"])
@pytest.mark.parametrize("name", OF_RECORDS)
def test_every_truncation_is_damage_or_whole_records(name: str, codec: str) -> None:
    chosen = PayloadFormat(name, Compression(codec), "rows")
    stored = bytes(chosen.compress(chosen.serialize(RECORDS[:20])))
    size = chosen.serialized_bytes(chosen.serialize(RECORDS[:20]))
    whole = chosen.deserialize(chosen.decompress(stored, size))
    ends = {*range(min(100, len(stored))), *range(100, len(stored), 37), *range(len(stored) - 30, len(stored))}
    for end in ends:
        with pytest.raises(PayloadDamaged):
            chosen.decompress(stored[:end], size)
        if codec != "none":
            continue
        try:
            assert chosen.deserialize(stored[:end]) == whole[: record_count(chosen.deserialize(stored[:end]))]
            assert name in ("jsonl", "csv"), "only formats of lines cannot tell"
        except PayloadDamaged:
            continue


@pytest.mark.parametrize("name", OF_RECORDS)
def test_what_stands_after_the_payload_is_damage(name: str) -> None:
    chosen = PayloadFormat(name, NONE)
    serialized = bytes(chosen.serialize(value_for(name)))
    for garbage in (b"\x00", b"x", b"garbage " * 20, serialized[:100]):
        with pytest.raises(PayloadDamaged):
            chosen.deserialize(serialized + garbage)


@pytest.mark.parametrize("name", OF_RECORDS)
@pytest.mark.parametrize(
    "data",
    [b"", b"\x00", b"\xff" * 64, b"null", b"[1]", b"{}", b"[[]]", b"[{}, 1]", b'{"a":1}', b"PAR1PAR1", b"[" * 100_000],
    ids=lambda data: repr(data[:9]),
)
def test_what_is_none_of_its_payloads_is_damage(name: str, data: bytes) -> None:
    if data == b"" and name in ("jsonl", "csv"):
        assert PayloadFormat(name, NONE).deserialize(data) == []
        return
    with pytest.raises(PayloadDamaged):
        PayloadFormat(name, NONE).deserialize(data)


@pytest.mark.parametrize(
    ("name", "data"),
    [
        ("json", b'[{"a":NaN}]'),
        ("json", b'[{"a":-Infinity}]'),
        ("jsonl", b'{"a":NaN}\n'),
        ("jsonl", b'{"a":1},{"a":2}\n'),
        ("jsonl", b'{"a":1}\n\n'),
        ("jsonl", b'{"a":\n1}\n'),
        ("jsonl", b'{"a":' * 20_000 + b"1" + b"}" * 20_000 + b"\n"),
        ("csv", b'a,b\r\n1,"x"y\r\n'),
        ("csv", b'a,b\r\n1,"x\r\n'),
        ("csv", b"a,b\r\n1\r\n"),
        ("csv", b"a,a\r\n1,2\r\n"),
        ("msgpack", msgpack.packb([{"a": msgpack.ExtType(1, b"x")}])),
        ("msgpack", msgpack.packb([{"a": msgpack.Timestamp(1)}])),
        ("msgpack", msgpack.packb([{1: "x"}])),
        ("msgpack", b"\xdd\xff\xff\xff\xff"),
        ("msgpack", b"\x91" * 5000),
        ("arrow", bytes(PayloadFormat("arrow", NONE, "rows").serialize([{"a": 1}])) * 2),
    ],
)
def test_what_a_lenient_reader_would_accept_is_damage(name: str, data: bytes) -> None:
    with pytest.raises(PayloadDamaged):
        PayloadFormat(name, NONE).deserialize(data)


@pytest.mark.parametrize("name", NAMES)
def test_a_size_other_than_the_declared_one_is_a_size_mismatch(name: str) -> None:
    chosen = PayloadFormat(name, NONE)
    serialized = chosen.serialize(value_for(name))
    for declared in (0, len(serialized) - 1, len(serialized) + 1):
        with pytest.raises(SizeMismatch, match=str(declared)):
            chosen.decompress(serialized, declared)


@pytest.mark.parametrize("name", [name for name in OF_RECORDS if serializers.load(name).form == "rows"])
@pytest.mark.parametrize("bad", [object(), {1, 2}, b"x".__len__, json], ids=["object", "set", "method", "module"])
def test_what_is_no_plain_data_is_refused(name: str, bad: Any) -> None:
    if name == "pickle" and isinstance(bad, set):
        return  # Plain data to pickle.
    with pytest.raises(PayloadRefused):
        serializers.load(name).encode([{"fine": 1, "bad": 2}, {"fine": 1, "bad": bad}], NONE)


@pytest.mark.parametrize(
    ("name", "value"),
    [
        ("json", float("nan")),
        ("json", float("inf")),
        ("json", "\ud800"),
        ("jsonl", [float("-inf")]),
        ("jsonl", "\udfff"),
        ("msgpack", 2**64),
        ("msgpack", -(2**63) - 1),
        ("msgpack", "\ud800"),
        ("csv", "\ud800"),
        ("arrow", 2**63),
        ("parquet", 2**63),
    ],
)
def test_what_a_format_has_no_form_for_is_refused_with_column_and_row(name: str, value: Any) -> None:
    with pytest.raises(PayloadRefused, match="row 2") as refusal:
        PayloadFormat(name, NONE, "rows").serialize([{"fine": 1, "bad": None}, {"fine": 2, "bad": value}])
    assert "'bad'" in str(refusal.value)


@pytest.mark.parametrize("name", OF_RECORDS)
@pytest.mark.parametrize("file", ["weather.csv", "cars.json", "airports.csv", "flights.csv"])
def test_real_data_runs_through_every_serializer_exactly(
    name: str, file: str, real_records: Callable[[str], Rows]
) -> None:
    records = real_records(file)
    back = round_trip(name, records)
    if name == "csv":
        assert back == expected(name, records)
    else:
        assert back == records


@pytest.fixture(scope="session")
def real_records(real_file: Callable[[str], Path]) -> Callable[[str], Rows]:
    """Records of a real file, the first MOST_RECORDS; airports.csv is the one of vega_datasets, where cars.json is."""
    read: dict[str, Rows] = {}

    def load(name: str) -> Rows:
        if name not in read:
            path = real_file("cars.json").with_name(name) if name == "airports.csv" else real_file(name)
            records = payload_file.load(path, "json")
            assert isinstance(records, list)
            read[name] = records[:MOST_RECORDS]
        return read[name]

    return load
