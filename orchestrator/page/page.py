"""All of a report in one HTML file: nothing in it is ever fetched, and what it carries is packed.

What comes from metrics files may be hostile. It gets into the page in two ways only: as text, which Jinja escapes, and
packed as base64, which no text can break out of. A content security policy forbids any other script, and all traffic.
"""

from __future__ import annotations

import base64
import hashlib
import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import datetime
from pathlib import Path
from typing import Any

from orchestrator.cost.costs import Wanted
from orchestrator.cost.prices import Prices
from orchestrator.page import answer, bundle, charts, grids, measured
from orchestrator.page.cases import cases_of
from orchestrator.page.charts import Chart, View
from orchestrator.page.export import csv_text
from orchestrator.page.grids import Grid
from orchestrator.page.material import Material
from orchestrator.page.money import money_of
from orchestrator.page.still import Still, still_of
from orchestrator.page.tables import tables_of
from orchestrator.report import memory

TEMPLATES = Path(__file__).with_name("templates")
MARK = '<meta name="generator" content="stepbench report">'
"""By which a later report knows that it may take this one's place."""
LEADS = ("verdict", "parts")
MOST_SVG_ROWS = 1_500
"""Up to here a picture is of lines, and sharp in print; beyond it, of pixels, which a browser draws at once."""


@dataclass(frozen=True)
class Picture:
    """A chart as the template shows it."""

    chart: Chart
    packed: str
    grid: Grid | None
    still: Still | None = None


def page_of(material: Material, prices: Prices, wanted: Wanted, now: datetime) -> str:
    """The whole file. Raises UsageError for a region or a machine that was asked for and has no price."""
    cases = cases_of(material)
    tables = tables_of(material, cases)
    view = View(material, tables, cases)
    pictures = _with_a_still([_picture(chart) for chart in charts.charts_of(view)])
    return _rendered(
        mark=MARK,
        now=f"{now:%Y-%m-%d %H:%M} UTC",
        material=material,
        measured=measured.line_of(material),
        answer=answer.answer_of(material, cases),
        lead=_lead(pictures),
        pictures={picture.chart.name: picture for picture in pictures},
        no_memory=memory.NOT_SHOWN,
        ranking=grids.ranking(cases) if cases else None,
        parts=grids.parts(cases),
        money=money_of(material, [case.name for case in cases], prices, wanted),
        failures=[grid for grid in (grids.failed_cases(cases), grids.failures(tables["failures"])) if grid],
        settings=[
            grid
            for grid in (
                grids.settings_that_differ(material),
                grids.settings_in_common(material),
                grids.surroundings(material),
            )
            if grid
        ],
        raw=[(table, bundle.pack(csv_text(table))) for table in tables.values() if table.length],
        bundle=bundle.packed() if pictures else "",
    )


def _lead(pictures: Sequence[Picture]) -> Picture | None:
    """The one that answers at a glance: cases beside each other, or the parts of the only one."""
    return next((picture for picture in pictures if picture.chart.name in LEADS), None)


def _with_a_still(pictures: Sequence[Picture]) -> list[Picture]:
    """For the one that leads: the others are in the file for whoever goes on."""
    lead = _lead(pictures)
    return [
        replace(picture, still=still_of(_without_legends(picture.chart.spec), picture.chart.data))
        if picture is lead
        else picture
        for picture in pictures
    ]


def _picture(chart: Chart) -> Picture:
    packed = {
        "spec": _without_legends(chart.spec) if chart.legend else chart.spec,
        "data": {name: _columns(rows) for name, rows in chart.data.items()},
        "renderer": "svg" if sum(map(len, chart.data.values())) <= MOST_SVG_ROWS else "canvas",
    }
    grid = grids.of_figures(chart.title, chart.figures) if chart.figures else None
    return Picture(chart, bundle.pack(_json(packed)), grid)


def _without_legends(spec: Any) -> Any:
    """The page draws them, where they can wrap, be read out and be printed."""
    if isinstance(spec, Mapping):
        return {
            name: None if name == "legend" and "field" in spec else _without_legends(part)
            for name, part in spec.items()
        }
    return [_without_legends(part) for part in spec] if isinstance(spec, list) else spec


def _columns(rows: Sequence[Mapping[str, Any]]) -> dict[str, list[Any]]:
    """Smaller than rows, which name every column again."""
    return {name: [row[name] for row in rows] for name in rows[0]} if rows else {}


def _json(value: object) -> str:
    return json.dumps(value, allow_nan=False, separators=(",", ":"))


def _rendered(**context: Any) -> str:
    from jinja2 import Environment, FileSystemLoader, StrictUndefined

    environment = Environment(
        loader=FileSystemLoader(TEMPLATES), autoescape=True, undefined=StrictUndefined, trim_blocks=True,
        lstrip_blocks=True,
    )  # fmt: skip
    script = (TEMPLATES / "report.js").read_text(encoding="utf-8")
    style = (TEMPLATES / "report.css").read_text(encoding="utf-8")
    return environment.get_template("report.html.j2").render(
        script=script, style=style, policy=_policy(script), **context
    )


def _policy(script: str) -> str:
    """Our own script by its hash; the drawing library as a blob, which makes functions of expressions (eval)."""
    own = base64.b64encode(hashlib.sha256(script.encode()).digest()).decode()
    return (
        f"default-src 'none'; script-src 'sha256-{own}' 'unsafe-eval' blob:; style-src 'unsafe-inline'; "
        "img-src data: blob:; base-uri 'none'; form-action 'none'"
    )
