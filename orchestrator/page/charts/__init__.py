"""The pictures: one file each, found by being there; names that begin with `_` are none.

A chart's file defines `PLACE` (where it stands among the others) and `draw`, which makes a `Chart` of a `View`, or
gives back null where there is nothing to see. Its `spec` is Vega-Lite, its data stand beside it by name, so that a page
can keep them packed until somebody looks.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace
from typing import Any, Protocol

from orchestrator.page.cases import CaseFigures
from orchestrator.page.material import Material
from orchestrator.page.tables import Table, Value
from stepbench import registry

LINE_ENDS = {0x2028: " ", 0x2029: " "}
NOT_IN_XML = [*range(0x9), 0xB, 0xC, *range(0xE, 0x20), *range(0xD800, 0xE000), 0xFFFE, 0xFFFF]
"""Characters that no image of text can hold: what draws it aborts the whole process over one. (XML 1.0, 2.2)"""
DRAWABLE = {**dict.fromkeys(NOT_IN_XML, "\N{REPLACEMENT CHARACTER}"), **LINE_ENDS}
Rows = Sequence[Mapping[str, Value]]


@dataclass(frozen=True)
class View:
    """What charts are drawn from."""

    material: Material
    tables: Mapping[str, Table]
    cases: Sequence[CaseFigures]
    """The best first."""

    @property
    def measured(self) -> list[CaseFigures]:
        return [case for case in self.cases if case.step_ns is not None]


@dataclass(frozen=True)
class Figures:
    """The same as a table, for who cannot see the picture or wants the numbers."""

    headings: Sequence[str]
    rows: Sequence[Sequence[str]]


@dataclass(frozen=True)
class Chart:
    name: str
    title: str
    says: str
    """What a person sees in it, in a sentence or two: its text alternative."""
    how: str
    """How to read it."""
    spec: Mapping[str, Any]
    data: Mapping[str, Rows]
    height: int
    legend: Sequence[tuple[str, str]] = ()
    """Names and colours, drawn by the page; a picture that stands alone has Vega's own."""
    figures: Figures | None = None
    hint: str = ""
    """What can be done with it where it is live; on paper it is not."""
    notes: Sequence[str] = field(default_factory=tuple)


class Drawing(Protocol):
    """What a chart's file defines."""

    PLACE: int

    def draw(self, view: View, /) -> Chart | None: ...


def charts_of(view: View) -> list[Chart]:
    """All that there is something to see in, in their order."""
    drawings: list[Drawing] = [_load(name) for name in registry.choices(__name__)]
    drawings.sort(key=lambda drawing: drawing.PLACE)
    drawn = [chart for drawing in drawings if (chart := drawing.draw(view)) is not None]
    return [replace(chart, spec=_readable(chart.spec), data=_readable(chart.data)) for chart in drawn]


def _readable(value: Any) -> Any:
    """Names without the characters that JSON allows in a text, and Vega's expressions or an image of text do not."""
    if isinstance(value, str):
        return value.translate(DRAWABLE)
    if isinstance(value, Mapping):
        return {name: _readable(part) for name, part in value.items()}
    return [_readable(part) for part in value] if isinstance(value, list | tuple) else value


def _load(name: str) -> Any:
    return registry.load(__name__, name)
