from __future__ import annotations

import sys
from typing import Any

import pyarrow as pa
import pytest

from stepbench.errors import PayloadDamaged, PayloadRefused
from stepbench.tables import rows_to_table, table_to_rows


@pytest.mark.parametrize(
    "values",
    [
        [None, None],
        [True, None, False],
        [-(2**63), 2**63 - 1, None],
        [0.1, -0.0, None],
        ["", "ü", None],
        [{"a": 1, "b": {"c": ["x"]}}, None, {"b": {"c": []}, "a": None}],
        [[], None, [None], [1, 2]],
        [[[True]], [[]], [None]],
        [{"a": []}, {"a": None}],
        [[{"a": 1}], []],
    ],
)
def test_columns_of_one_type_come_back_exactly(values: list[Any]) -> None:
    rows = [{"column": value, "row": row} for row, value in enumerate(values)]
    ordered = [{"column": _ordered(value), "row": row} for row, value in enumerate(values)]
    assert repr(table_to_rows(rows_to_table(rows))) == repr(ordered)


def _ordered(value: Any) -> Any:
    """Objects come back with their keys in the order of the first one, which is `a` before `b` here."""
    return {key: value[key] for key in sorted(value)} if isinstance(value, dict) else value


def test_whole_numbers_beside_floats_come_back_as_floats_of_the_same_value() -> None:
    rows = [{"column": value} for value in (18, 18.5, None, 2**53, -(2**53))]
    assert repr(table_to_rows(rows_to_table(rows))) == repr(
        [{"column": value} for value in (18.0, 18.5, None, 2.0**53, -(2.0**53))]
    )


def test_no_rows_make_a_table_without_rows() -> None:
    assert table_to_rows(rows_to_table([])) == []


@pytest.mark.parametrize(
    ("values", "row", "reason"),
    [
        ([1, None, "x", 2], 3, "text and whole numbers"),
        ([1, True], 2, "booleans and whole numbers"),
        ([1.5, False], 2, "booleans and floats"),
        ([0, 2**63], 2, ""),
        ([0, 1, -(2**63) - 1], 3, ""),
        ([0.5, 1, 2**53 + 1, 2], 3, ""),
        ([2**53 + 1, 1, 0.5, 2], 3, ""),
        ([[1], ["x"]], 2, "text and whole numbers"),
        ([{"a": 1}, {"b": 1}], 2, "differ in their keys"),
        ([{"a": 1}, {"a": 1, "b": 1}], 2, "differ in their keys"),
        ([{}], 1, "no keys"),
        ([{"a": 1}, [1]], 2, "lists and objects"),
        ([b"x"], 1, "bytes"),
        (["fine", "\ud800"], 2, "surrogates"),
        ([[[{"a": {"b": 1}}]], [[{"a": {"b": "x"}}]]], 2, "text and whole numbers"),
    ],
)
def test_what_no_column_holds_is_refused_with_column_row_and_a_way_out(
    values: list[Any], row: int, reason: str
) -> None:
    rows = [{"fine": 1, "bad one": value} for value in values]
    with pytest.raises(PayloadRefused, match=rf"column 'bad one' exactly, row {row}: .*{reason}.*use json") as refused:
        rows_to_table(rows)
    assert "\n" not in str(refused.value)


@pytest.mark.parametrize(
    ("rows", "sentence"),
    [
        ([{"a": 1}, {"a": 1}, {}], "row 3 and row 1 differ in column 'a'"),
        ([{"a": 1}, {"a": 1, "b": None}], "row 2 and row 1 differ in column 'b'"),
        ([{"a": 1}, {"b": 1}], "row 2 and row 1 differ in column 'a'"),
        ([{}], "without columns"),
    ],
)
def test_ragged_rows_are_refused_rather_than_filled(rows: list[dict[str, Any]], sentence: str) -> None:
    with pytest.raises(PayloadRefused, match=sentence):
        rows_to_table(rows)


def test_a_table_with_damaged_values_is_found_before_they_are_touched() -> None:
    offsets = pa.array([0, 1_000_000_000, 5], pa.int32()).buffers()[1]
    text = pa.Array.from_buffers(pa.string(), 2, [None, offsets, pa.py_buffer(b"short")])
    with pytest.raises(PayloadDamaged, match=r"[Oo]ffset"):
        table_to_rows(pa.table({"text": text}))


def test_text_that_is_no_utf_8_is_found() -> None:
    offsets = pa.array([0, 2], pa.int32()).buffers()[1]
    text = pa.Array.from_buffers(pa.string(), 1, [None, offsets, pa.py_buffer(b"\xff\xfe")])
    with pytest.raises(PayloadDamaged):
        table_to_rows(pa.table({"text": text}))


@pytest.mark.parametrize(
    "kind", [pa.timestamp("ns", "Europe/Zurich"), pa.timestamp("ns"), pa.decimal128(5), pa.binary(), pa.uuid()], ids=str
)
def test_a_type_that_no_record_has_is_damage_and_imports_nothing(kind: pa.DataType) -> None:
    table = pa.table({"column": pa.nulls(1, kind), "fine": [1]})
    before = set(sys.modules)
    with pytest.raises(PayloadDamaged, match=r"'column' has the type .*, which no record has"):
        table_to_rows(table)
    assert set(sys.modules) == before
