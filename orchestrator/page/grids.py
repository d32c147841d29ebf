"""Tables as a page shows them: each cell a text, and the number that it is sorted by."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from math import isfinite
from typing import Any

from orchestrator.experiment.result import PartResult
from orchestrator.page.cases import CaseFigures
from orchestrator.page.charts import Figures
from orchestrator.page.charts.verdict import kind_of
from orchestrator.page.material import Material
from orchestrator.page.shown import (
    ABSENT,
    OF_TIMES,
    compared,
    milliseconds,
    percent,
    rank,
    rate,
    ratio,
    ratio_of,
    size,
    usd,
    usd_places,
    verdict_words,
)
from orchestrator.page.tables import Table
from orchestrator.report.doubts import plural
from orchestrator.report.units import shortened

MOST_FAILURES = 50
LONGEST_VALUE = 300


@dataclass(frozen=True)
class Cell:
    text: str
    number: float | None = None
    kind: str = ""
    """A class of the style sheet."""

    @property
    def key(self) -> str:
        """What a column is sorted by; empty for what is not known, which comes last."""
        if self.number is not None:
            return repr(self.number) if isfinite(self.number) else ""
        return "" if self.text == ABSENT else self.text


@dataclass(frozen=True)
class Grid:
    caption: str
    headings: tuple[str, ...]
    rows: tuple[tuple[Cell, ...], ...]

    @classmethod
    def made(cls, caption: str, headings: Iterable[str], rows: Iterable[Iterable[Cell]]) -> Grid:
        return cls(caption, tuple(headings), tuple(tuple(row) for row in rows))

    @property
    def numeric(self) -> list[bool]:
        """By column: it is to be sorted as numbers."""
        columns = zip(*self.rows, strict=True) if self.rows else ((),) * len(self.headings)
        return [any(cell.number is not None for cell in column) for column in columns]


def ranking(cases: Sequence[CaseFigures]) -> Grid:
    """All cases beside each other; columns that none of them has a figure for are left out."""
    headings = (
        *("rank", "case", "step", "against the baseline", "ratio", "object", "CPU a step"),
        *("memory", "steps/s", "USD per 1,000", "front", "rounds", "failed runs"),
    )
    places = usd_places(case.usd_per_1000_steps for case in cases)
    rows = [tuple(_ranked(case, places)) for case in cases]
    kept = [number for number, heading in enumerate(headings) if _tells(heading, [row[number].text for row in rows])]
    rounds = {case.rounds for case in cases}
    caption = "All cases, the best first" if len(cases) > 1 else "Its figures"
    caption += f", over {plural(rounds.pop(), 'run')}{' each' * (len(cases) > 1)}" if len(rounds) == 1 else ""
    return Grid.made(caption, [headings[n] for n in kept], [[row[n] for n in kept] for row in rows])


def _tells(heading: str, texts: Sequence[str]) -> bool:
    """A column says something: not all of it is absent, nor is it the same for all where only differences matter."""
    if heading in ("front", "rounds"):
        return len(set(texts)) > 1
    return heading == "case" or any(text not in (ABSENT, "", "0") for text in texts)


def _ranked(case: CaseFigures, usd_places: int) -> Iterator[Cell]:
    found = case.against_baseline
    yield Cell(rank(case), case.rank_best)
    yield Cell(case.name)
    yield Cell(milliseconds(case.step_ns), case.step_ns)
    yield Cell(verdict_words(case), 1.0 if case.is_baseline else found.estimate if found else None, _class(case))
    yield Cell(ratio(case), 1.0 if case.is_baseline else found.estimate if found else None)
    yield Cell(size(case.bytes_out), case.bytes_out)
    yield Cell(milliseconds(case.cpu_ns), case.cpu_ns)
    yield Cell(size(case.peak_rss_bytes), case.peak_rss_bytes)
    yield Cell(rate(case.steps_per_second), case.steps_per_second)
    yield Cell(usd(case.usd_per_1000_steps, usd_places), case.usd_per_1000_steps)
    yield Cell("front" if case.on_front else "", float(not case.on_front))
    yield Cell(str(case.rounds), case.rounds)
    yield Cell(str(case.failed_runs), case.failed_runs)


def _class(case: CaseFigures) -> str:
    return f"verdict {kind_of(case).replace(' ', '-')}"


def parts(cases: Sequence[CaseFigures]) -> Grid | None:
    """What each case needs of each part against the baseline; null without a baseline to hold it against."""
    rows = [
        _part(case, name, part)
        for case in cases
        for name, part in case.parts.items()
        if part.against_baseline is not None
    ]
    headings = ("case", "part", "time", "share of the step", "against the baseline", "ratio")
    return Grid.made("Each part against the baseline", headings, rows) if rows else None


def _part(case: CaseFigures, name: str, part: PartResult) -> Iterator[Cell]:
    found = part.against_baseline
    assert found is not None
    share = part.median_ns / case.step_ns if case.step_ns else None
    yield Cell(case.name)
    yield Cell(name.replace("_", " "))
    yield Cell(milliseconds(part.median_ns), part.median_ns)
    yield Cell(ABSENT if share is None else percent(share), share)
    yield Cell(compared(found), found.estimate, f"verdict {OF_TIMES.get(found.verdict, '')}")
    yield Cell(ratio_of(found), found.estimate if found.scale == "ratio" else None)


def of_figures(title: str, figures: Figures) -> Grid:
    """Those of a chart."""
    return Grid.made(title, figures.headings, ([Cell(text) for text in row] for row in figures.rows))


def failures(table: Table) -> Grid | None:
    """The first of them, whole in the raw data."""
    names = ("case", "round", "chain", "step", "attempt", "error_class", "phase", "message")
    rows = list(zip(*(table.columns[name] for name in names), strict=True))
    if not rows:
        return None
    caption = "Failed attempts"
    if len(rows) > MOST_FAILURES:
        caption += f": the first {MOST_FAILURES} of {len(rows):,}, all of them in the raw data"
    return Grid.made(caption, names, ([_plain(value) for value in row] for row in rows[:MOST_FAILURES]))


def failed_cases(cases: Sequence[CaseFigures]) -> Grid | None:
    """What became of runs that failed as a whole."""
    rows = [(Cell(c.name), Cell(str(c.failed_runs), c.failed_runs), _plain(c.error)) for c in cases if c.error]
    return Grid.made("Cases with failures", ("case", "failed runs", "last error"), rows) if rows else None


def settings_that_differ(material: Material) -> Grid | None:
    """By case."""
    by_case = _settings_by_case(material)
    names = [name for name in _all_names(by_case) if len({repr(found.get(name)) for found in by_case.values()}) > 1]
    if not names or len(by_case) < 2:
        return None
    rows = ([Cell(case), *(_plain(found.get(name)) for name in names)] for case, found in by_case.items())
    return Grid.made("What the cases differ in", ["case", *names], rows)


def settings_in_common(material: Material) -> Grid | None:
    by_case = _settings_by_case(material)
    first = next(iter(by_case.values()), {})
    names = [name for name in _all_names(by_case) if len({repr(found.get(name)) for found in by_case.values()}) == 1]
    rows = [(Cell(name), _plain(first.get(name))) for name in names]
    return Grid.made("Settings in force for all", ("setting", "value"), rows) if rows else None


def surroundings(material: Material) -> Grid | None:
    """Versions and machines; several values where the runs were not all alike."""
    found: dict[str, list[str]] = {}
    plan = material.experiment.plan if material.experiment else None
    for told in [plan] if plan else [file.run for file in material.files]:
        for group, values in (("version", told.versions), ("machine", told.machine)):
            for name, value in values.items():
                texts = found.setdefault(f"{group}: {name.replace('_', ' ')}", [])
                if (text := _plain(value).text) not in texts:
                    texts.append(text)
    rows = [(Cell(name), Cell("; ".join(texts))) for name, texts in sorted(found.items())]
    return Grid.made("Versions and machine", ("what", "value"), rows) if rows else None


def _settings_by_case(material: Material) -> dict[str, dict[str, Any]]:
    if material.experiment is not None:
        return {case.name: material.experiment.settings_of(case) for case in material.experiment.plan.cases}
    return {name: runs[0].file.run.settings for name in material.case_names if (runs := material.of_case(name))}


def _all_names(by_case: dict[str, dict[str, Any]]) -> list[str]:
    return sorted({name for found in by_case.values() for name in found})


def _plain(value: object) -> Cell:
    if value is None:
        return Cell(ABSENT)
    if isinstance(value, bool):
        return Cell("yes" if value else "no")
    if isinstance(value, int | float):
        return Cell(f"{value:g}" if isinstance(value, float) else f"{value}", float(value))
    return Cell(shortened(str(value), LONGEST_VALUE))
