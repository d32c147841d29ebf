from __future__ import annotations

import csv
import io
import json
from pathlib import Path

import pyarrow.parquet as pq
import pytest

from orchestrator.page import export
from orchestrator.page.tables import Table
from tests.orchestrator.page.folders import HOSTILE, experiment, hostile, one_run, view_of

TABLE = Table(
    "odd",
    "",
    {
        "text": ["a,b", 'say "x"', "two\nlines", None],
        "number": [1, 2**60, -3, None],
        "share": [0.1, 1, None, 2.5],
        "yes": [True, False, None, True],
        "nothing": [None, None, None, None],
    },
)


def test_csv_is_read_back_as_it_was() -> None:
    rows = list(csv.DictReader(io.StringIO(export.csv_text(TABLE), newline="")))
    assert [row["text"] for row in rows] == ["a,b", 'say "x"', "two\nlines", ""]
    assert [row["number"] for row in rows] == ["1", str(2**60), "-3", ""]
    assert [row["yes"] for row in rows] == ["true", "false", "", "true"]


def test_parquet_keeps_types_and_nulls() -> None:
    found = pq.read_table(io.BytesIO(export.parquet_bytes(TABLE))).to_pydict()
    assert found["number"] == [1, 2**60, -3, None]
    assert found["share"] == [0.1, 1.0, None, 2.5]
    assert found["yes"] == [True, False, None, True]
    assert found["nothing"] == [None] * 4


def test_json_has_all_tables_row_by_row(tmp_path: Path) -> None:
    tables = view_of(experiment(tmp_path / "e")).tables
    found = json.loads(export.json_text(tables))
    assert found.pop("stepbench_tables") == 1
    assert {name: len(rows) for name, rows in found.items()} == {name: table.length for name, table in tables.items()}
    assert found["cases"][0]["case"] == "arrow"


@pytest.mark.parametrize("name", ["cases", "runs", "samples", "failures", "events"])
def test_all_forms_of_a_table_agree(name: str, tmp_path: Path) -> None:
    table = view_of(one_run(tmp_path, hostile())).tables[name]
    in_csv = list(csv.reader(io.StringIO(export.csv_text(table), newline="")))
    in_parquet = pq.read_table(io.BytesIO(export.parquet_bytes(table)))
    assert in_csv[0] == list(table.columns) == in_parquet.column_names
    assert len(in_csv) - 1 == table.length == in_parquet.num_rows
    assert in_parquet.to_pydict() == dict(table.columns)
    if name == "failures":
        assert HOSTILE in in_csv[1]
