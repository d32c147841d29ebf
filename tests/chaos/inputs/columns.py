"""Arrow and Parquet with hostile metadata: types that no step writes, lies about sizes, values that unfold."""

from __future__ import annotations

import io
from random import Random
from typing import Any

import pyarrow as pa
from pyarrow import parquet

from stepbench.errors import PayloadDamaged
from stepbench.payload import Materialize
from tests.chaos.inputs import payloads
from tests.chaos.inputs.kind import Kind
from tests.chaos.inputs.mutation import damaged
from tests.chaos.inputs.payloads import Stored, format_of

_ROWS = (0, 1, 3, 100)
_METADATA = (
    None,
    {"pandas": '{"index_columns": ["__class__"]}'},
    {"ARROW:extension:name": "arrow.py_extension_type", "ARROW:extension:metadata": "\x80\x04cos\nsystem\n."},
    {"ARROW:extension:name": "arrow.json", "ARROW:extension:metadata": "[" * 1_000},
    {"ARROW:extension:name": "arrow.fixed_shape_tensor", "ARROW:extension:metadata": '{"shape":[1000000000,9]}'},
    {"ARROW:extension:name": "arrow.uuid"},
    {"ARROW:extension:name": "arrow.bool8"},
    {"ARROW:extension:name": "arrow.opaque", "ARROW:extension:metadata": "{}"},
    {"ARROW:schema": "AAAA"},
    {"x": "y" * 50_000},
)


def _array(random: Random, rows: int, depth: int = 0) -> Any:
    """Of any type that Arrow knows, well made."""
    numbers = [random.choice((None, 0, 1, -1)) for _ in range(rows)]
    texts = [None if number is None else "text" * abs(number) for number in numbers]
    if depth < 3 and random.random() < 0.4:
        inner = _array(random, rows, depth + 1)
        try:
            return random.choice((_struct, _lists, _fixed, _dictionary, _runs, _map, _union))(inner, rows)
        except (pa.ArrowException, TypeError):  # a type that may not stand within that one
            return inner
    return random.choice(
        (
            pa.array(numbers, pa.int64()),
            pa.array(numbers, pa.float64()),
            pa.array(texts, pa.string()),
            pa.array(texts, pa.large_string()),
            pa.array(texts, pa.string_view()),
            pa.array(texts, pa.binary()),
            pa.array(numbers, pa.decimal128(38, 3)),
            pa.array(numbers, pa.timestamp("ns", "Nowhere/Never")),
            pa.array(numbers, pa.timestamp("us")),
            pa.array(numbers, pa.duration("s")),
            pa.array(numbers, pa.date64()),
            pa.array([2**62 * (number or 0) for number in numbers], pa.date64()),
            pa.array([2**62 * (number or 0) for number in numbers], pa.timestamp("s")),
            pa.array(numbers, pa.time64("ns")),
            pa.array([None if number is None else number > 0 for number in numbers], pa.bool_()),
            pa.array([None if number is None else b"x" * 16 for number in numbers], pa.binary(16)),
            pa.nulls(rows),
        )
    )


def _struct(inner: Any, _rows: int) -> Any:
    return pa.StructArray.from_arrays([inner, inner], ["a", "a"])


def _lists(inner: Any, rows: int) -> Any:
    return pa.ListArray.from_arrays(pa.array([0] * rows + [rows], pa.int32()), inner)


def _fixed(inner: Any, rows: int) -> Any:
    return pa.FixedSizeListArray.from_arrays(inner, 1) if rows else inner


def _dictionary(inner: Any, rows: int) -> Any:
    return pa.DictionaryArray.from_arrays(pa.array([0] * rows, pa.int32()), inner) if rows else inner


def _runs(inner: Any, rows: int) -> Any:
    return pa.RunEndEncodedArray.from_arrays(pa.array(range(1, rows + 1), pa.int32()), inner) if rows else inner


def _map(inner: Any, rows: int) -> Any:
    keys = pa.array(["k"] * rows)
    return pa.MapArray.from_arrays(pa.array([*range(rows + 1)], pa.int32()), keys, inner)


def _union(inner: Any, rows: int) -> Any:
    return pa.UnionArray.from_sparse(pa.array([0] * rows, pa.int8()), [inner])


def _table(random: Random) -> Any:
    rows = random.choice(_ROWS)
    arrays = [_array(random, rows) for _ in range(random.randint(0, 3))]
    names = [random.choice(("a", "b", "", "a.b", "\x00")) for _ in arrays]
    fields = [
        pa.field(name, array.type, metadata=random.choice(_METADATA)) for name, array in zip(names, arrays, strict=True)
    ]
    return pa.Table.from_arrays(arrays, schema=pa.schema(fields, metadata=random.choice(_METADATA)))


def _unfolding(random: Random) -> Any:
    """Small on the wire and vast in memory, without a lie."""
    many = random.choice((10**4, 10**5))
    return random.choice(
        (
            lambda: pa.table({"a": pa.nulls(many)}),
            lambda: pa.table(
                {"a": pa.RunEndEncodedArray.from_arrays(pa.array([many], pa.int32()), pa.array(["x" * 100]))}
            ),
            lambda: pa.table({"a": pa.FixedSizeListArray.from_arrays(pa.nulls(2 * many), many)}),
            lambda: pa.table({"a": pa.StructArray.from_arrays([pa.nulls(many)], ["b"])}),
        )
    )()


def _stream(table: Any, random: Random) -> bytes:
    options = pa.ipc.IpcWriteOptions(compression=random.choice((None, None, "lz4", "zstd")), allow_64bit=True)
    sink = io.BytesIO()
    with pa.ipc.new_stream(sink, table.schema, options=options) as writer:
        writer.write_table(table, max_chunksize=random.choice((None, 1)) if table.num_rows < 1_000 else None)
    return sink.getvalue()


def _arrow(random: Random) -> Stored:
    table = _table(random)
    if random.random() < 0.2:
        table = _unfolding(random)
    elif random.random() < 0.1:
        table = pa.table({"a": pa.array([bytes(1_000_000)])})
    data = _stream(table, random)
    if random.random() < 0.7 and len(data) < 1_000_000:
        data = damaged(data, random)
    return Stored("arrow", "none", _materialize(random), len(data), data, cells=_cells(table))


def _parquet(random: Random) -> Stored:
    table = _table(random)
    if random.random() < 0.1:
        table = pa.table({"a": pa.array([random.choice((None, 1, 0.5)) or 1] * 100_000)})
    elif random.random() < 0.1:
        table = pa.table({"a": pa.array(["x" * 10_000] * 100)})
    elif random.random() < 0.1:
        table = pa.table({"a": pa.nulls(10**5)})
    sink = io.BytesIO()
    try:
        parquet.write_table(
            table,
            sink,
            compression=random.choice(("none", "zstd", "snappy", "gzip", "brotli", "lz4")),
            use_dictionary=random.random() < 0.5,
            data_page_version=random.choice(("1.0", "2.0")),
            version=random.choice(("1.0", "2.4", "2.6")),
            write_page_checksum=random.random() < 0.2,
            write_page_index=random.random() < 0.3,
        )
    except (pa.ArrowException, ValueError):  # a type that it does not know
        sink = io.BytesIO()
        parquet.write_table(pa.table({"a": [1, 2, 3]}), sink)
    data = sink.getvalue()
    if random.random() < 0.7:
        data = damaged(data, random)
    try:
        declared_bytes = format_of("parquet", "none", "native").serialized_bytes(data)
    except PayloadDamaged:
        declared_bytes = len(data)
    return Stored("parquet", "none", _materialize(random), declared_bytes, data, cells=_cells(table))


def _cells(table: Any) -> int:
    """What `Stored.cells` are: at the most, all its values."""
    return (
        max(2 * 10**5, table.num_rows) * table.num_columns if table.num_rows > max(_ROWS) or table.nbytes > 10**6 else 0
    )


def _materialize(random: Random) -> Materialize:
    return "rows" if random.random() < 0.5 else "native"


KINDS = (
    Kind("Arrow streams", _arrow, payloads.take, payloads.most_bytes, payloads.FORESEEN),
    Kind("Parquet files", _parquet, payloads.take, payloads.most_bytes, payloads.FORESEEN),
)
