"""Every step as a point: what averages hide, such as two humps, a long tail, or a first round that was slow."""

from __future__ import annotations

from collections.abc import Iterator

from orchestrator.page.charts import Chart, Figures, View
from orchestrator.page.charts._look import PADDING_PX, colours_of, spec_of, unit_of, wants_logarithms
from orchestrator.page.material import Material
from orchestrator.page.shown import milliseconds
from orchestrator.report.percentiles import percentile

PLACE = 20
ROW_PX, ROW_OF_ONE_PX = 44, 110
GOLDEN = 0.618033988749895
"""Its multiples fill an interval evenly, whatever their number."""
TICKS = (0.5, 0.95)


def draw(view: View) -> Chart | None:
    """Null where no step is in the statistics."""
    names = [case.name for case in view.measured if view.material.used(case.name)]
    if not names:
        return None
    times = {name: sorted(sample.total_ns or 0 for sample in view.material.used(name)) for name in names}
    unit, unit_ns = unit_of(max(values[-1] for values in times.values()))
    height = ROW_PX * len(names) if len(names) > 1 else ROW_OF_ONE_PX
    colours = colours_of([case.name for case in view.cases])
    return Chart(
        name="spread",
        title="Every single step",
        says=" ".join(_says(name, times[name]) for name in names[:3]),
        how=(
            "Each point is one step. The long mark is the median, the short one the time "
            "that 95 of 100 steps stay below. Two clouds in one row, or a tail to the right, are what a mean hides."
        ),
        hint="Point at one to see which it is.",
        spec=_spec(names, {name: colours[name] for name in names}, unit, height, times),
        data={"steps": list(_points(view.material, names, unit_ns)), "ticks": list(_ticks(times, unit_ns))},
        height=height + PADDING_PX,
        figures=Figures(
            ("case", "steps", "fastest", "p25", "median", "p75", "p95", "slowest"),
            [(name, f"{len(values):,}", *_quantiles(values)) for name, values in times.items()],
        ),
    )


def _points(material: Material, names: list[str], unit_ns: float) -> Iterator[dict[str, str | float | None]]:
    """Rounded to what a screen can show: four digits behind the point of a millisecond are enough."""
    number = 0
    for name in names:
        for run in material.of_case(name):
            for sample in run.used():
                number += 1
                yield {
                    "case": name,
                    "time": round((sample.total_ns or 0) / unit_ns, 4),
                    "jitter": round(number * GOLDEN % 1 - 0.5, 3),
                    "round": run.round,
                    "step": f"chain {sample.chain}, step {sample.step}",
                }


def _ticks(times: dict[str, list[int]], unit_ns: float) -> Iterator[dict[str, str | float | None]]:
    for name, values in times.items():
        for share in TICKS:
            yield {"case": name, "time": percentile(values, share) / unit_ns, "at": f"p{share * 100:.0f}"}


def _spec(
    names: list[str], colours: dict[str, str], unit: str, height: int, times: dict[str, list[int]]
) -> dict[str, object]:
    import altair as alt

    lowest, highest = min(values[0] for values in times.values()), max(values[-1] for values in times.values())
    is_log = wants_logarithms(lowest, highest)
    count = sum(map(len, times.values()))
    title = f"time of a step, {unit}" + (", logarithmic" if is_log else "")
    scale = alt.Scale(type="log") if is_log else alt.Scale(zero=False, nice=True)
    y = alt.Y("case:N", sort=None, title=None, axis=alt.Axis(ticks=False, domain=False, grid=False, labelPadding=8))
    points = (
        alt.Chart(alt.NamedData("steps"))
        .mark_circle(size=26 if count <= 1500 else 12, opacity=0.55 if count <= 1500 else 0.3)
        .encode(
            y=y,
            yOffset=alt.YOffset("jitter:Q", scale=alt.Scale(domain=[-0.72, 0.72])),
            x=alt.X("time:Q", title=title, scale=scale),
            color=alt.Color(
                "case:N", scale=alt.Scale(domain=names, range=[colours[name] for name in names]), legend=None
            ),
            tooltip=[
                alt.Tooltip("case:N"),
                alt.Tooltip("time:Q", title=unit, format=".4~r"),
                alt.Tooltip("round:Q"),
                alt.Tooltip("step:N"),
            ],
        )
    )
    base = alt.Chart(alt.NamedData("ticks")).encode(y=y, x=alt.X("time:Q", scale=scale), tooltip=["case:N", "at:N"])
    medians = base.transform_filter("datum.at === 'p50'").mark_tick(thickness=3, size=ROW_PX * 0.75)
    tails = base.transform_filter("datum.at !== 'p50'").mark_tick(thickness=2, size=ROW_PX * 0.4)
    return spec_of(alt.layer(points, medians, tails), height)


def _quantiles(values: list[int]) -> Iterator[str]:
    return (milliseconds(percentile(values, share)) for share in (0, 0.25, 0.5, 0.75, 0.95, 1))


def _says(name: str, values: list[int]) -> str:
    fastest, _, middle, _, most, slowest = _quantiles(values)
    return f"{name}: {len(values):,} steps from {fastest} to {slowest}, median {middle}, 95 of 100 below {most}."
