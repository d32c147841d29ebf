from __future__ import annotations

import datetime as dt
import decimal
import os
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pyarrow as pa
import pytest
from pyarrow import parquet

from stepbench.compression import Compression
from stepbench.errors import PayloadRefused, UsageError
from stepbench.payload import PayloadFormat
from stepbench.payload_file import load, naming, problems


def write(path: Path, content: str | bytes) -> Path:
    path.write_bytes(content.encode() if isinstance(content, str) else content)
    return path


@pytest.mark.parametrize(
    ("name", "content", "records"),
    [
        ("a.json", '[{"a": 1, "b": null}, {"b": [0.5, {"c": "ü"}]}]', [{"a": 1, "b": None}, {"b": [0.5, {"c": "ü"}]}]),
        ("a.JSON", '\ufeff[{"a": 1}]', [{"a": 1}]),
        ("a.json", '[{"a": 123456789012345678901234567890}]', [{"a": 123456789012345678901234567890}]),
        ("a.jsonl", '{"a": 1}\n\n{"b": true}', [{"a": 1}, {"b": True}]),
        ("a.jsonl", '\ufeff{"a": 1}\r\n{"a": 2}\r\n', [{"a": 1}, {"a": 2}]),
        ("a.csv", "a,b\n1,x\n-2,y\n", [{"a": 1, "b": "x"}, {"a": -2, "b": "y"}]),
        ("a.csv", "\ufeffa,b\r\n1,x\r\n", [{"a": 1, "b": "x"}]),
    ],
)
def test_a_file_becomes_its_records(tmp_path: Path, name: str, content: str, records: list[dict[str, Any]]) -> None:
    assert repr(load(write(tmp_path / name, content), "json")) == repr(records)


@pytest.mark.parametrize(
    ("fields", "values"),
    [
        (["1", "NA", "-3"], [1, None, -3]),
        (["", "NULL", "N/A"], [None, None, None]),
        (["1", "2.50", "1e3", "NaN"], [1.0, 2.5, 1000.0, None]),
        (["true", "False", "NA"], [True, False, None]),
        (["0", "1"], [0, 1]),
        (["true", "1"], ["true", "1"]),
        (["007", "12"], ["007", "12"]),
        (["+1", "2"], ["+1", "2"]),
        (["1", "x", ""], ["1", "x", None]),
        (["9223372036854775807"], [2**63 - 1]),
        (["9223372036854775808"], ["9223372036854775808"]),
        (["12345678901234567", "0.5"], ["12345678901234567", "0.5"]),
        (["1e999", "1"], ["1e999", "1"]),
        (["inf", "1"], ["inf", "1"]),
        (["2013-01-01", "2013-01-02"], ["2013-01-01", "2013-01-02"]),
        (["2013-01-01T10:00:00Z"], ["2013-01-01T10:00:00Z"]),
        (['"NA"', '""', "NA"], ["NA", "", None]),
        (['"a,b"', '"say ""hi"""', '"two\nlines"'], ["a,b", 'say "hi"', "two\nlines"]),
        ([" 1", "2"], [" 1", "2"]),
    ],
)
@pytest.mark.parametrize("alone", [True, False])
def test_csv_columns_get_the_type_that_holds_them_exactly(
    tmp_path: Path, fields: list[str], values: list[Any], alone: bool
) -> None:
    lines = [*fields] if alone else [f"{field},z" for field in fields]
    path = write(tmp_path / "a.csv", "\n".join(["a" if alone else "a,other", *lines]) + "\n")
    records = load(path, "json")
    assert repr([record["a"] for record in records]) == repr(values)  # type: ignore[index] # rows, as json's form is


@pytest.mark.parametrize(
    ("name", "content", "sentence"),
    [
        ("a.json", '{"a": 1}', "no array; write an array of objects"),
        ("a.json", "[]", "holds no records"),
        ("a.json", '[{"a": 1}, 2]', "element 2 of its array is no object"),
        ("a.json", '[{"a": 1}', "no JSON: .*line 1 column"),
        ("a.json", '[{"a": NaN}]', "NaN is no JSON value; use null"),
        ("a.json", '[{"a": 1, "b": 2, "a": 3}]', "key 'a' twice"),
        ("a.json", '[{"a": 1e999}]', "1e999 is too large"),
        ("a.json", b'[{"a": "\xff"}]', "not UTF-8"),
        ("a.json", "[" * 100_000, "nested too deeply"),
        ("a.json", "[1" + "0" * 5000 + "]", "no JSON"),
        ("a.jsonl", '{"a": 1}\n{"a": \n', "line 2 is no JSON"),
        ("a.jsonl", '{"a": 1}\n\n[1]\n', "line 3 is no object"),
        ("a.jsonl", b'{"a": 1}\n{"a": "\xff"}\n', "line 2 is no JSON"),
        ("a.jsonl", '{"a": 1}\n{"a": 1, "a": 2}\n', "line 2 .*key 'a' twice"),
        ("a.jsonl", "\n\n", "holds no records"),
        ("a.csv", "a,b\n", "holds no records"),
        ("a.csv", "a,b,a\n1,2,3\n", "names column 'a' twice"),
        ("a.csv", "\na,b\n1,2\n", "first line is empty"),
        ("a.csv", "a,b\n1,2\n1,2,3\n", "line 3 has 3 fields, the header has 2"),
        ("a.csv", 'a,b\n1,"x\ny\nz"\n\n1\n', "line 6 has 1 fields, the header has 2"),
        ("a.csv", 'a,b\n1,"x\n', "line 2 is no CSV"),
        ("a.csv", 'a,b\n1,"x"y\n', "line 2 is no CSV"),
        ("a.csv", b"a,b\n1,\xff\n", "not UTF-8"),
        ("a.csv", b"\xff\xfea,b\n1,2\n", "not UTF-8"),
        ("a.parquet", "PAR1 and nothing more", "no readable Parquet file"),
    ],
)
def test_what_cannot_be_read_exactly_is_refused_in_one_sentence_with_the_place(
    tmp_path: Path, name: str, content: str | bytes, sentence: str
) -> None:
    path = write(tmp_path / name, content)
    with pytest.raises(PayloadRefused, match=sentence) as refused, naming(path):
        load(path, "json")
    assert str(refused.value).startswith(f"--payload-file (PAYLOAD_FILE): {path}: ")
    assert str(refused.value).count(str(path)) == 1
    assert "\n" not in str(refused.value).strip()


def test_fields_and_records_may_be_larger_than_the_libraries_own_limits(tmp_path: Path) -> None:
    large = "x" * 3_000_000
    assert load(write(tmp_path / "a.csv", f"a,b\n1,{large}\n"), "json") == [{"a": 1, "b": large}]


@pytest.mark.parametrize("name", ["a.txt", "a", "a.csv.zip", "a._json_values"])
def test_another_ending_is_wrong_usage_but_for_raw(tmp_path: Path, name: str) -> None:
    path = write(tmp_path / name, b"\x00any bytes")
    with pytest.raises(UsageError, match=r"none of the endings \.csv, \.json, \.jsonl, \.parquet"):
        load(path, "json")
    assert problems(path, "raw") == []
    assert load(path, "raw") == b"\x00any bytes"


def test_missing_empty_and_odd_files_are_found_without_reading_them(tmp_path: Path) -> None:
    assert "does not exist" in problems(tmp_path / "none.json", "json")[0]
    assert r"a\xff.json has bytes in its name" in problems(tmp_path / os.fsdecode(b"a\xff.json"), "json")[0]
    assert "no regular file" in problems(tmp_path, "json")[0]
    assert "is empty" in problems(write(tmp_path / "empty.json", ""), "json")[0]
    assert len(problems(write(tmp_path / "empty.txt", ""), "json")) == 2
    assert problems(write(tmp_path / "malformed.json", "["), "json") == []


def test_a_file_that_may_not_be_read_is_a_problem(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    path = write(tmp_path / "a.json", "[{}]")
    monkeypatch.setattr(os, "access", lambda *_: False)
    assert "may not be read" in problems(path, "json")[0]


def save(path: Path, **columns: pa.Array) -> Path:
    parquet.write_table(pa.table(columns), path)
    return path


def test_parquet_columns_come_as_json_values_and_times_as_iso_text(tmp_path: Path) -> None:
    moment = dt.datetime(2013, 1, 1, 10, 0, 0, 123456)  # noqa: DTZ001 - a column without a zone
    path = save(
        tmp_path / "a.parquet",
        whole=pa.array([1, None], pa.int32()),
        large=pa.array([2**64 - 1, 0], pa.uint64()),
        broken=pa.array([0.5, None], pa.float32()),
        category=pa.array(["x", "x"]).dictionary_encode(),
        nested=pa.array([{"a": [1]}, None]),
        moment=pa.array([moment, None], pa.timestamp("us")),
        zoned=pa.array([0, None], pa.timestamp("ms", "UTC")),
        day=pa.array([dt.date(2013, 1, 2), None]),
    )
    assert load(path, "json") == [
        {
            "whole": 1,
            "large": 2**64 - 1,
            "broken": 0.5,
            "category": "x",
            "nested": {"a": [1]},
            "moment": "2013-01-01T10:00:00.123456",
            "zoned": "1970-01-01T00:00:00.000Z",
            "day": "2013-01-02",
        },
        {
            "whole": None,
            "large": 0,
            "broken": None,
            "category": "x",
            "nested": None,
            "moment": None,
            "zoned": None,
            "day": None,
        },
    ]


@pytest.mark.parametrize(
    "column",
    [
        pa.array([decimal.Decimal("1.5")]),
        pa.array([b"x"]),
        pa.array([dt.timedelta(1)]),
        pa.array([[b"x"]]),
        pa.array([{"a": dt.date(2013, 1, 2)}]),
    ],
    ids=lambda column: str(column.type),
)
def test_a_parquet_column_without_an_exact_json_form_is_refused_by_name(tmp_path: Path, column: pa.Array) -> None:
    with pytest.raises(PayloadRefused, match=r"column 'odd' has the type .*; cast it"):
        load(save(tmp_path / "a.parquet", fine=pa.array([1]), odd=column), "json")


def test_a_parquet_file_without_rows_is_refused(tmp_path: Path) -> None:
    with pytest.raises(PayloadRefused, match="holds no records"):
        load(save(tmp_path / "a.parquet", a=pa.array([], pa.int64())), "json")


def test_what_a_serializer_then_refuses_names_the_file_too(tmp_path: Path) -> None:
    path = write(tmp_path / "a.json", '[{"a": 1}, {"a": "x"}]')
    records = load(path, "arrow")
    assert isinstance(records, list)
    with pytest.raises(PayloadRefused, match=r"PAYLOAD_FILE\): .*a\.json: .*column 'a' exactly, row 2"), naming(path):
        PayloadFormat("arrow", Compression()).value_of(records)


def test_weather_has_its_rows_types_and_missing_values(real_file: Callable[[str], Path]) -> None:
    records = load(real_file("weather.csv"), "json")
    assert isinstance(records, list)
    assert len(records) == 26115
    assert {type(record["temp"]) for record in records} == {float, type(None)}
    assert {type(record["hour"]) for record in records} == {int}
    assert records[0]["wind_gust"] is None
    assert records[0]["time_hour"] == "2013-01-01T06:00:00Z"
