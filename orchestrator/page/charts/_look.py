"""How all pictures look: colours, sizes, and what makes a Vega-Lite specification of an altair chart."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING, Any

from orchestrator.report.summary import PARTS

if TYPE_CHECKING:
    import altair as alt

INK, FAINT, PAPER = "#24292f", "#d8dee4", "#ffffff"
"""Of text and lines, of grids, and of what lies behind. A page in the dark sets others: they are Vega's signals."""
INK_SIGNAL: dict[str, Any] = {"expr": "ink"}
FONT = "system-ui, -apple-system, 'Segoe UI', 'Liberation Sans', Arial, sans-serif"
PADDING_PX = 64
"""Of axis and title below a chart."""
PART_COLOURS = dict(
    zip(
        PARTS,
        (
            *("#b9a7e0", "#d64550", "#7a63c0", "#9c86d8"),  # turnaround, retry, queue wait, worker wait
            *("#2f80c9", "#e5b93c", "#ef8d32", "#4fa36b"),  # download, decompress, deserialize, transform
            *("#d9603b", "#b8901f", "#6fb7a8", "#6bb4ea"),  # serialize, compress, checksum, upload
            *("#9aa0a6", "#8f7bd0", "#c9bdea", "#b5485f"),  # other, results wait, transit, redelivery
        ),
        strict=True,
    )
)
"""Violet waits, S3 is blue, the codec orange."""
CASE_COLOURS = (
    *("#2f80c9", "#ef8d32", "#4fa36b", "#d64550", "#7a63c0", "#a0724f", "#d977b5", "#7f8a93", "#b8a01f", "#35b0c0"),
    *("#8fc1ea", "#f7c08a", "#97d0a8", "#ef9aa0", "#b9a7e0", "#cdaa8c", "#eab5d6", "#b8c0c7", "#ddd07a", "#96d8e0"),
)
CONFIG: dict[str, Any] = {
    "background": None,
    "font": FONT,
    "view": {"stroke": None},
    "axis": {
        "labelColor": INK_SIGNAL,
        "titleColor": INK_SIGNAL,
        "domainColor": {"expr": "faint"},
        "tickColor": {"expr": "faint"},
        "gridColor": {"expr": "faint"},
        "labelFontSize": 12,
        "titleFontSize": 12,
        "titleFontWeight": "normal",
        "labelLimit": 220,
    },
    "axisXQuantitative": {"tickCount": {"expr": "width < 500 ? 5 : 9"}},
    "axisYQuantitative": {"tickCount": 6},
    "legend": {"labelColor": INK_SIGNAL, "titleColor": INK_SIGNAL, "labelFontSize": 12, "titleFontSize": 12},
    "text": {"color": INK_SIGNAL, "fontSize": 12},
    "rule": {"color": INK_SIGNAL},
    "tick": {"color": INK_SIGNAL},
}
LOG_FROM_RATIO = 30.0
"""From the smallest to the largest: beyond it, the small ones would lie on the axis."""
SIGNALS = [{"name": name, "value": value} for name, value in (("ink", INK), ("faint", FAINT), ("paper", PAPER))]


def spec_of(chart: alt.Chart | alt.LayerChart | alt.FacetChart, height: int) -> dict[str, Any]:
    """As wide as its place is, `height` pixels high."""
    spec: dict[str, Any] = chart.properties(width="container", height=height).to_dict()
    spec["params"] = [*SIGNALS, *spec.get("params", [])]
    spec["config"] = CONFIG
    spec["autosize"] = {"type": "fit-x", "contains": "padding"}
    return spec


def wants_logarithms(smallest: float, largest: float) -> bool:
    """Whether an axis from one to the other is a logarithmic one."""
    return smallest > 0 and largest / smallest > LOG_FROM_RATIO


def colours_of(names: Sequence[str]) -> dict[str, str]:
    """A colour for each case; from the twenty-first on they come again."""
    return {name: CASE_COLOURS[number % len(CASE_COLOURS)] for number, name in enumerate(names)}


def part_label(name: str) -> str:
    return name.replace("_", " ")


def unit_of(longest_ns: float) -> tuple[str, float]:
    """Of an axis of time, and how many nanoseconds it has."""
    return ("s", 1e9) if longest_ns >= 20e9 else ("ms", 1e6)
