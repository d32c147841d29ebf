"""A picture that stands still: for a browser without scripts, and for the moment before the live one is drawn.

It is shown as an image, so nothing in it runs or fetches anything, whatever a metrics file says.
"""

from __future__ import annotations

import base64
import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from orchestrator.page.charts import Rows
from orchestrator.page.charts._look import FAINT, INK

WIDTH_PX = 1_100
FONT_ROOM_PX = 24
"""Whoever looks may have a wider font than the one that it was laid out with."""
DARK = {"ink": "#dfe3e8", "faint": "#343b44"}
"""As report.js has them."""
LIGHT = {"ink": INK, "faint": FAINT}


@dataclass(frozen=True)
class Still:
    """Addresses of the two images, which hold them whole."""

    light: str
    dark: str


def still_of(spec: Mapping[str, Any], data: Mapping[str, Rows]) -> Still:
    """Of what a chart is drawn from."""
    return Still(light=_address(_drawn(spec, data, LIGHT)), dark=_address(_drawn(spec, data, DARK)))


def _drawn(spec: Mapping[str, Any], data: Mapping[str, Rows], colours: Mapping[str, str]) -> str:
    import vl_convert

    made = {
        **spec,
        "width": WIDTH_PX,
        "padding": {"left": FONT_ROOM_PX, "right": FONT_ROOM_PX, "top": 5, "bottom": 5},
        "datasets": {name: [dict(row) for row in rows] for name, rows in data.items()},
        "params": _coloured(spec.get("params", ()), colours),
    }
    svg: str = vl_convert.vegalite_to_svg(json.dumps(made, allow_nan=False))
    return svg


def _coloured(params: Sequence[Mapping[str, Any]], colours: Mapping[str, str]) -> list[dict[str, Any]]:
    return [{**given, "value": colours[given["name"]]} if given["name"] in colours else dict(given) for given in params]


def _address(svg: str) -> str:
    return f"data:image/svg+xml;base64,{base64.b64encode(svg.encode()).decode()}"
