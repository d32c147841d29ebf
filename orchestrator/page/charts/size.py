"""Size against time: what a smaller object costs, and which cases nobody need look beyond."""

from __future__ import annotations

from collections.abc import Sequence
from math import log
from typing import TYPE_CHECKING

from orchestrator.page.cases import CaseFigures
from orchestrator.page.charts import Chart, Figures, View
from orchestrator.page.charts._look import INK_SIGNAL, PADDING_PX, spec_of, unit_of, wants_logarithms
from orchestrator.page.shown import milliseconds, size

if TYPE_CHECKING:
    import altair as alt

PLACE = 50
HEIGHT_PX = 320
ROOM, LOG_ROOM = 1.15, 1.6
"""Beyond the last point, for its name."""
NAMES_PX = 900
"""How wide the picture is taken to be when names are placed."""
LETTER_PX, LINE_PX, MOST_LEVELS = 6.5, 14, 6
POINT_PX, BESIDE_PX, ABOVE_PX = 6, 8, 9
FRONT, BEHIND = "on the front", "beaten by another case"
COLOURS = {FRONT: "#2da44e", BEHIND: "#8b949e"}
BYTES_PER_MB = 1e6

Row = dict[str, str | float | None]


def draw(view: View) -> Chart | None:
    """Null where there are not two cases to choose from."""
    cases = [case for case in view.measured if case.bytes_out is not None and not case.is_floor]
    if len(cases) < 2:
        return None
    unit, unit_ns = unit_of(max(case.step_ns or 0 for case in cases))
    rows = _with_levels([_row(case, unit_ns) for case in cases])
    front = [case for case in cases if case.on_front]
    return Chart(
        name="size",
        title="Size against time",
        says=f"On the front: {_listed(front)}. {_off(front)}",
        how=(
            "Further left is faster, further down is smaller. The green line is the Pareto front: whoever wants little "
            "of both takes a case on it; every grey one is beaten in one by a case that is no worse in the other."
        ),
        spec=_spec(rows, unit),
        data={"cases": rows},
        height=HEIGHT_PX + PADDING_PX,
        legend=tuple(COLOURS.items()),
        figures=Figures(
            ("case", "step, median", "object", "front"),
            [(c.name, milliseconds(c.step_ns), size(c.bytes_out), "yes" if c.on_front else "no") for c in cases],
        ),
    )


def _off(front: Sequence[CaseFigures]) -> str:
    """What keeps a case on the front; of runs without verdicts, medians alone decide."""
    if any(case.rank_best is not None for case in front):
        return (
            "A case is off it only where another is no worse in both and is smaller, or shown to be faster: cases of "
            "one size whose times are not told apart stay on it together."
        )
    return "A case is off it where another is no worse in both medians and better in one."


def _row(case: CaseFigures, unit_ns: float) -> Row:
    return {
        "case": case.name,
        "time": (case.step_ns or 0) / unit_ns,
        "mb": (case.bytes_out or 0) / BYTES_PER_MB,
        "front": FRONT if case.on_front else BEHIND,
        "median": milliseconds(case.step_ns),
        "object": size(case.bytes_out),
    }


def _spec(rows: Sequence[Row], unit: str) -> dict[str, object]:
    import altair as alt

    x = alt.X("time:Q", title=_title(f"median of a step, {unit}", rows, "time"), scale=_scale(rows, "time"))
    y = alt.Y("mb:Q", title=_title("object on S3, MB", rows, "mb"), scale=_scale(rows, "mb"))
    base = alt.Chart(alt.NamedData("cases")).encode(
        x=x, y=y, tooltip=[alt.Tooltip(f"{name}:N") for name in ("case", "median", "object", "front")]
    )
    on_front = base.transform_filter(f"datum.front === '{FRONT}'")
    line = on_front.mark_line(color=COLOURS[FRONT], opacity=0.5, strokeWidth=2, interpolate="step-after").encode(
        order="time:Q"
    )
    points = base.mark_point(filled=True, size=90, opacity=0.9).encode(
        color=alt.Color(
            "front:N",
            scale=alt.Scale(domain=list(COLOURS), range=list(COLOURS.values())),
            legend=alt.Legend(title=None, orient="top"),
        )
    )
    names = [
        base.transform_filter(f"datum.level === {level}")
        .mark_text(align="left", dx=BESIDE_PX, dy=-ABOVE_PX - level * LINE_PX, color=INK_SIGNAL)
        .encode(text="case:N")
        for level in sorted({int(row["level"] or 0) for row in rows if row["level"] is not None})
    ]
    return spec_of(alt.layer(line, points, *names), HEIGHT_PX)


def _with_levels(rows: Sequence[Row]) -> list[Row]:
    """How many lines above its point each name stands: none lies on another or on a point. Null: there is no room."""
    across, up = _placed(rows, "time", NAMES_PX), _placed(rows, "mb", HEIGHT_PX)
    taken = [(x - POINT_PX, x + POINT_PX, y - ABOVE_PX) for x, y in zip(across, up, strict=True)]
    levels: dict[int, int] = {}
    for number in sorted(range(len(rows)), key=lambda number: (across[number], up[number])):
        begin = across[number] + BESIDE_PX
        end = begin + len(str(rows[number]["case"])) * LETTER_PX
        for level in range(MOST_LEVELS):
            line = up[number] + level * LINE_PX
            if all(begin > right or end < left or abs(line - other) >= LINE_PX for left, right, other in taken):
                taken.append((begin, end, line))
                levels[number] = level
                break
    return [{**row, "level": levels.get(number)} for number, row in enumerate(rows)]


def _placed(rows: Sequence[Row], column: str, length_px: float) -> list[float]:
    """Pixels from the axis, as far as can be told before it is drawn."""
    values = [float(row[column] or 0) for row in rows]
    if not _is_log(rows, column):
        return [value / ((max(values) or 1.0) * ROOM) * length_px for value in values]
    low, high = log(min(values) / LOG_ROOM), log(max(values) * LOG_ROOM)
    return [(log(value) - low) / (high - low) * length_px for value in values]


def _is_log(rows: Sequence[Row], column: str) -> bool:
    values = [float(row[column] or 0) for row in rows]
    return wants_logarithms(min(values), max(values))


def _title(text: str, rows: Sequence[Row], column: str) -> str:
    return f"{text}, logarithmic" if _is_log(rows, column) else text


def _scale(rows: Sequence[Row], column: str) -> alt.Scale:
    import altair as alt

    values = [float(row[column] or 0) for row in rows]
    if _is_log(rows, column):
        return alt.Scale(type="log", domain=[min(values) / LOG_ROOM, max(values) * LOG_ROOM], nice=False)
    return alt.Scale(domain=[0, (max(values) or 1.0) * ROOM], nice=False)


def _listed(cases: Sequence[CaseFigures]) -> str:
    names = [case.name for case in cases]
    return names[0] if len(names) == 1 else f"{', '.join(names[:-1])} and {names[-1]}"
