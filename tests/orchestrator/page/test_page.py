from __future__ import annotations

import base64
import gzip
import json
import re
from html.parser import HTMLParser
from pathlib import Path

import pytest

from orchestrator.page import bundle
from tests.orchestrator.experiment.plans import make_experiment, write_manifest
from tests.orchestrator.page.folders import (
    HOSTILE,
    all_failed,
    all_interrupted,
    experiment,
    hostile,
    nothing_done,
    one_run,
    page_of,
    view_of,
)
from tests.orchestrator.report.sample_factory import MadeRun, make_run

NO_FIGURES = re.compile(r"\b(NaN|nan|None|null|undefined|Infinity|inf)\b")


@pytest.fixture(autouse=True)
def _no_library(monkeypatch: pytest.MonkeyPatch) -> None:
    """It takes seconds to make, and only a browser reads it."""
    monkeypatch.setattr(bundle, "packed", lambda: "")


class _Outline(HTMLParser):
    """What is in a page: the tags, the text that is shown, and the attributes that act."""

    def __init__(self, page: str) -> None:
        super().__init__()
        self.tags: list[str] = []
        self.ids: list[str] = []
        self.links: list[str] = []
        self.acting: list[str] = []
        self.texts: list[str] = []
        self._in_code = 0
        self.feed(page)

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.tags.append(tag)
        for name, value in attrs:
            if name == "id":
                self.ids.append(value or "")
            if name in ("href", "src"):
                self.links.append(value or "")
            if name.startswith("on"):
                self.acting.append(name)
        self._in_code += tag in ("script", "style")

    def handle_endtag(self, tag: str) -> None:
        self._in_code -= tag in ("script", "style")

    def handle_data(self, data: str) -> None:
        if not self._in_code:
            self.texts.append(data)

    @property
    def text(self) -> str:
        return " ".join(self.texts)


def _unpacked(page: str, name: str) -> str:
    found = re.search(rf'<script type="application/octet-stream" id="{name}">([A-Za-z0-9+/=]*)</script>', page)
    assert found is not None
    return gzip.decompress(base64.b64decode(found[1])).decode()


def test_each_part_is_held_against_the_baselines_and_a_run_alone_has_nothing_to_hold_it_against(
    tmp_path: Path,
) -> None:
    outline = _Outline(page_of(experiment(tmp_path / "e")))
    table = outline.text[outline.text.index("Each part against the baseline") :]
    assert re.search(
        r"arrow\s+deserialize\s+[\d.]+ m?s\s+[\d.]+ %\s+no difference seen\s+1\.00 \(1\.00 to 1\.00\)", table
    )

    alone = _Outline(page_of(one_run(tmp_path / "r", make_run())))
    assert "Each part against the baseline" not in alone.text


def test_it_leads_with_the_answer_and_has_every_section(tmp_path: Path) -> None:
    outline = _Outline(page_of(experiment(tmp_path / "e")))
    assert outline.text.index("Fastest is arrow") < outline.text.index("All cases, the best first")
    sections = {"answer", "cases", "time", "distributions", "over-time", "size", "cost", "doubts", "settings", "data"}
    assert sections <= set(outline.ids)
    assert {link.removeprefix("#") for link in outline.links if link.startswith("#")} <= set(outline.ids)
    assert len(outline.ids) == len(set(outline.ids))
    assert outline.tags.count("h1") == 1
    assert {"main", "nav", "header", "footer", "caption"} <= set(outline.tags)


def test_it_refers_to_nothing_outside_itself(tmp_path: Path) -> None:
    page = page_of(experiment(tmp_path / "e"))
    outline = _Outline(page)
    assert all(link.startswith(("#", "data:image/svg+xml;base64,")) for link in outline.links)
    assert "default-src &#39;none&#39;" in page
    assert not {"link", "iframe", "object", "embed", "base", "form"} & set(outline.tags)


def test_the_first_picture_stands_in_the_file_for_who_runs_no_scripts(tmp_path: Path) -> None:
    outline = _Outline(page_of(experiment(tmp_path / "e", {"json": 1_000.0, "<b>\x01\ufffe": 850.0})))
    (still,) = [link for link in outline.links if link.startswith("data:")]
    svg = base64.b64decode(still.partition(",")[2]).decode()
    assert "json" in svg
    assert "&lt;b&gt;\ufffd\ufffd" in svg
    assert "<b>" not in svg
    assert outline.text.count("The picture appears here") == outline.tags.count("figure") - 1


def test_hostile_words_are_text_and_nothing_else(tmp_path: Path) -> None:
    plain = _Outline(page_of(one_run(tmp_path / "plain", make_run(3, run_id="r1"))))
    page = page_of(one_run(tmp_path / "hostile", hostile()))
    outline = _Outline(page)
    assert "<script>alert" not in page
    assert outline.acting == []
    assert outline.tags.count("script") == plain.tags.count("script") + 1  # the raw table of failures
    assert "b" not in outline.tags
    assert "{{ 7*7 }}" in outline.text
    assert HOSTILE in _unpacked(page, "table-failures").replace('""', '"')


def test_hostile_names_of_cases_are_text_and_nothing_else(tmp_path: Path) -> None:
    page = page_of(experiment(tmp_path / "e", {HOSTILE: 900.0, "</title>": 1_000.0, "' || x": 1_100.0}))
    outline = _Outline(page)
    assert "<script>alert" not in page
    assert outline.acting == []
    assert "b" not in outline.tags


@pytest.mark.parametrize(
    "run",
    [
        nothing_done(),
        all_failed(),
        all_interrupted(),
        hostile(),
        make_run(run_id="r1", chains=1, steps=1, concurrency=1),
        make_run(run_id="r1", finished=False),
    ],
    ids=["nothing done", "all failed", "all interrupted", "hostile", "one step", "still going on"],
)
def test_whatever_a_file_holds_there_is_a_page_without_a_figure_that_is_none(run: MadeRun, tmp_path: Path) -> None:
    page = page_of(one_run(tmp_path, run))
    assert not NO_FIGURES.search(_Outline(page).text)
    for name in re.findall(r'id="(packed-[a-z]+)"', page):
        json.loads(_unpacked(page, name), parse_constant=pytest.fail)


def test_an_experiment_that_has_only_been_planned_has_a_page(tmp_path: Path) -> None:
    write_manifest(tmp_path / "e", make_experiment("a", "b"))
    text = _Outline(page_of(tmp_path / "e")).text
    assert "No case has a figure" in text
    assert not NO_FIGURES.search(text)


def test_a_file_that_is_being_written_is_reported_as_far_as_it_is(tmp_path: Path) -> None:
    path = make_run(run_id="r1", finished=False).write(tmp_path)
    path.write_bytes(path.read_bytes()[:-40])
    text = _Outline(page_of(tmp_path)).text
    assert "is torn" in text
    assert "Not all runs have finished" in text


def test_raw_data_are_the_csv_of_the_tables(tmp_path: Path) -> None:
    from orchestrator.page.export import csv_text

    folder = experiment(tmp_path / "e")
    page = page_of(folder)
    for name, table in view_of(folder).tables.items():
        if table.length:
            assert _unpacked(page, f"table-{name}") == csv_text(table)


def test_doubts_are_counted_at_the_answer_and_told_below(tmp_path: Path) -> None:
    text = _Outline(page_of(experiment(tmp_path / "e", repeats=3))).text
    assert "what is doubtful, and what to try" in text
    assert "Too few rounds (3): only very large differences are seen. Try --repeats 10." in text


def test_a_machine_adds_its_cost(tmp_path: Path) -> None:
    from orchestrator.cost import prices
    from orchestrator.cost.costs import Wanted
    from orchestrator.page import page
    from tests.orchestrator.page.folders import NOW, read

    made = page.page_of(read(experiment(tmp_path / "e")), prices.read(), Wanted(instance_type="c7g.large"), NOW)
    assert "compute" in _Outline(made).text
