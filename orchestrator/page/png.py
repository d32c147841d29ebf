"""The pictures as PNG files, with legends of their own, on white."""

from __future__ import annotations

import json
import struct
import zlib
from collections.abc import Mapping
from typing import Any

from orchestrator.page.charts import Chart
from orchestrator.page.charts._look import PAPER

WIDTH_PX = 1_000
SCALE = 2.0
MARK = b"tEXtSoftware\x00stepbench"
"""In a PNG's text: by it a later report knows that it may take the picture's place."""
SIGNATURE_AND_HEADER_BYTES = 33
PADDING_PX = 16


def picture(chart: Chart) -> bytes:
    """One picture. Its text alternative stands in the file, too."""
    import vl_convert

    spec = {
        **chart.spec,
        "width": WIDTH_PX,
        "padding": PADDING_PX,
        "title": {"text": chart.title, "anchor": "start", "color": {"expr": "ink"}},
        "datasets": {name: [dict(row) for row in rows] for name, rows in chart.data.items()},
        "config": {**chart.spec.get("config", {}), "background": PAPER},
    }
    drawn: bytes = vl_convert.vegalite_to_png(json.dumps(_without_choices(spec), allow_nan=False), scale=SCALE)
    return _marked(drawn, chart.says)


def _without_choices(spec: Mapping[str, Any]) -> dict[str, Any]:
    """Nobody can choose from a list in a picture: what is chosen at first stays chosen."""
    params = [{name: part for name, part in given.items() if name != "bind"} for given in spec.get("params", [])]
    return {**spec, "params": params}


def _marked(drawn: bytes, says: str) -> bytes:
    """With who made it and what it says, as chunks behind the header."""
    head, tail = drawn[:SIGNATURE_AND_HEADER_BYTES], drawn[SIGNATURE_AND_HEADER_BYTES:]
    return head + _chunk(MARK) + _chunk(b"iTXtDescription\x00\x00\x00\x00\x00" + says.encode()) + tail


def _chunk(typed: bytes) -> bytes:
    return struct.pack(">I", len(typed) - 4) + typed + struct.pack(">I", zlib.crc32(typed))
