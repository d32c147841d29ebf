from __future__ import annotations

import struct
from pathlib import Path

from orchestrator.page import charts, png
from tests.orchestrator.page.folders import experiment, view_of


def test_a_picture_is_a_png_that_says_who_made_it_and_what_it_shows(tmp_path: Path) -> None:
    chart = next(chart for chart in charts.charts_of(view_of(experiment(tmp_path / "e"))) if chart.name == "verdict")
    made = png.picture(chart)
    assert made.startswith(b"\x89PNG\r\n\x1a\n")
    width, height = struct.unpack(">II", made[16:24])
    assert width == png.WIDTH_PX * png.SCALE
    assert height > 100
    assert png.MARK in made
    assert chart.says.encode() in made
