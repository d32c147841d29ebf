"""What a person asked for → files: all of their places are looked at before the first is written."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from functools import partial
from pathlib import Path

from orchestrator.cost.costs import Wanted
from orchestrator.cost.prices import Prices
from orchestrator.page import export, output, page, png
from orchestrator.page.asked import Asked
from orchestrator.page.cases import cases_of
from orchestrator.page.charts import View, charts_of
from orchestrator.page.material import Material
from orchestrator.page.tables import Table, tables_of
from orchestrator.report import whole_files
from stepbench.errors import UsageError

SAMPLES = "samples"


@dataclass(frozen=True)
class Item:
    """A file that is to be written."""

    flag: str
    path: Path
    made: Callable[[], bytes]
    is_ours: Callable[[bytes], bool]
    says: str


def deliver(material: Material, asked: Asked, prices: Prices, wanted: Wanted, now: datetime) -> Iterator[Item]:
    """Writes each file, and gives it back once it is written. Raises UsageError, EnvironmentRefused."""
    cases = cases_of(material)
    tables = tables_of(material, cases)
    items = [
        *_html(material, asked, prices, wanted, now),
        *_tables("--csv", asked.csv, ".csv", tables, lambda table: export.csv_text(table).encode(), _is_csv),
        *_tables("--parquet", asked.parquet, ".parquet", tables, export.parquet_bytes, _is_parquet),
        *_json(asked, tables),
        *_png(asked, View(material, tables, cases)),
    ]
    _check(material, items, force=asked.force)
    for item in items:
        whole_files.write(item.flag, item.path, [item.made()])
        yield item


def _check(material: Material, items: Sequence[Item], *, force: bool) -> None:
    problems: list[str] = []
    sources = [file.path for file in material.files]
    places: dict[Path, str] = {}
    for item in items:
        place = item.path.resolve()
        try:
            if place in places:
                raise UsageError(f"{places[place]} and {item.flag} name the same file, {item.path}; name two")
            places[place] = item.flag
            whole_files.check(item.flag, item.path, sources)
            if not force:
                whole_files.check_is_earlier(item.flag, item.path, "report", item.is_ours)
        except UsageError as error:
            problems += error.problems
    if problems:
        raise UsageError(problems)


def _html(material: Material, asked: Asked, prices: Prices, wanted: Wanted, now: datetime) -> Iterator[Item]:
    if asked.html is not None:
        yield Item(
            "--html",
            asked.html,
            lambda: page.page_of(material, prices, wanted, now).encode(),
            lambda given: page.MARK.encode() in given,
            "open it in a browser",
        )


def _tables(
    flag: str,
    path: Path | None,
    suffix: str,
    tables: Mapping[str, Table],
    form: Callable[[Table], bytes],
    is_ours: Callable[[Table], Callable[[bytes], bool]],
) -> Iterator[Item]:
    """A file of samples where the name is that of one, else a folder with a file for each table."""
    if path is None:
        return
    if path.suffix == suffix and not output.is_folder(path):
        table = tables[SAMPLES]
        yield Item(flag, path, partial(form, table), is_ours(table), f"{table.length:,} {table.name}")
        return
    output.make_folder(flag, path)
    for table in tables.values():
        place = path / f"{table.name}{suffix}"
        yield Item(
            flag, place, partial(form, table), is_ours(table), f"{table.length:,} row{'s' * (table.length != 1)}"
        )


def _json(asked: Asked, tables: Mapping[str, Table]) -> Iterator[Item]:
    if asked.json_tables is not None:
        yield Item(
            "--json-tables",
            asked.json_tables,
            lambda: export.json_text(tables).encode(),
            lambda given: given.startswith(export.JSON_MARK.encode()),
            f"{len(tables)} tables",
        )


def _png(asked: Asked, view: View) -> Iterator[Item]:
    if asked.png is None:
        return
    output.make_folder("--png", asked.png)
    for chart in charts_of(view):
        place = asked.png / f"{chart.name}.png"
        yield Item("--png", place, partial(png.picture, chart), _is_png, chart.title)


def _is_csv(table: Table) -> Callable[[bytes], bool]:
    return lambda given: given.startswith(export.csv_mark(table).encode())


def _is_parquet(_table: Table) -> Callable[[bytes], bool]:
    return lambda given: given.startswith(b"PAR1") and export.PARQUET_MARK in given


def _is_png(given: bytes) -> bool:
    return png.MARK in given
