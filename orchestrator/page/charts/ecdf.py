"""How many of a case's steps are done within a given time: whole distributions over one another."""

from __future__ import annotations

from collections.abc import Iterator

from orchestrator.page.charts import Chart, View
from orchestrator.page.charts._look import PADDING_PX, colours_of, spec_of, unit_of, wants_logarithms
from orchestrator.page.shown import milliseconds
from orchestrator.report.percentiles import percentile

PLACE = 21
HEIGHT_PX = 300
ALL = "all cases"
ENOUGH_POINTS = 600
"""Of a line: what more there are lie between two of them that a screen cannot tell apart."""


def draw(view: View) -> Chart | None:
    """Null where no case has two steps in the statistics."""
    times = {case.name: sorted(s.total_ns or 0 for s in view.material.used(case.name)) for case in view.measured}
    times = {name: values for name, values in times.items() if len(values) > 1}
    if not times:
        return None
    unit, unit_ns = unit_of(max(values[-1] for values in times.values()))
    colours = colours_of([case.name for case in view.cases])
    legend = {name: colours[name] for name in times}
    return Chart(
        name="ecdf",
        title="Done within",
        says=" ".join(
            f"{name}: half of the steps are done within {milliseconds(percentile(values, 0.5))}, 99 of 100 within "
            f"{milliseconds(percentile(values, 0.99))}."
            for name, values in list(times.items())[:3]
        ),
        how=(
            "The share of steps (upwards) that take at most so long (to the right). A line further left is faster; a "
            "steep one is steady; where two cross, one is better typically and the other in bad moments."
        ),
        spec=_spec(legend, times, unit),
        data={"shares": [row for name, values in times.items() for row in _line(name, values, unit_ns)]},
        height=HEIGHT_PX + PADDING_PX + (36 if len(times) > 1 else 0),
        legend=tuple(legend.items()),
    )


def _line(name: str, values: list[int], unit_ns: float) -> Iterator[dict[str, str | float | None]]:
    """Up to ENOUGH_POINTS steps of the staircase, the ends among them."""
    last = len(values) - 1
    kept = sorted({round(number * last / (ENOUGH_POINTS - 1)) for number in range(ENOUGH_POINTS)})
    for number in kept:
        yield {"case": name, "time": round(values[number] / unit_ns, 4), "share": (number + 1) / len(values)}


def _spec(legend: dict[str, str], times: dict[str, list[int]], unit: str) -> dict[str, object]:
    import altair as alt

    lowest, highest = min(values[0] for values in times.values()), max(values[-1] for values in times.values())
    is_log = wants_logarithms(lowest, highest)
    x = alt.X(
        "time:Q",
        title=f"time of a step, {unit}" + (", logarithmic" if is_log else ""),
        scale=alt.Scale(type="log") if is_log else alt.Scale(zero=False, nice=True),
    )
    tooltip = [
        alt.Tooltip("case:N"),
        alt.Tooltip("share:Q", title="share of steps", format=".1%"),
        alt.Tooltip("time:Q", title=f"within, {unit}", format=".4~r"),
    ]
    base = alt.Chart(alt.NamedData("shares")).encode(
        x=x,
        y=alt.Y("share:Q", title="share of steps", axis=alt.Axis(format="%", tickCount=5)),
        color=alt.Color(
            "case:N",
            scale=alt.Scale(domain=list(legend), range=list(legend.values())),
            legend=alt.Legend(title=None, orient="top", columns=5),
        ),
        tooltip=tooltip,
    )
    lines = base.mark_line(interpolate="step-after", strokeWidth=2)
    points = base.mark_point(filled=True, size=24)
    if len(legend) > 1:
        picked = alt.param(
            name="picked", value=ALL, bind=alt.binding_select(options=[ALL, *legend], name="Show by itself: ")
        )
        shown = f"picked === '{ALL}' || picked === datum.case"
        lines = lines.encode(opacity=alt.condition(shown, alt.value(1), alt.value(0.08))).add_params(picked)
        points = points.encode(opacity=alt.condition(shown, alt.value(0.7), alt.value(0)))
    return spec_of(alt.layer(lines, points), HEIGHT_PX)
