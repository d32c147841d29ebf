"""Where the time goes: the mean step of each case, cut into its parts."""

from __future__ import annotations

from orchestrator.page.charts import Chart, Figures, View
from orchestrator.page.charts._look import PADDING_PX, PART_COLOURS, part_label, spec_of, unit_of
from orchestrator.page.shares import CaseParts, parts_by_case
from orchestrator.page.shown import milliseconds, percent

PLACE = 10
ROW_PX = 34
SMALL_SHARE = 0.005
"""Of every case's step: parts that are smaller in all of them are one."""
SMALL = "smaller parts"


def draw(view: View) -> Chart | None:
    """Null where no step is in the statistics."""
    cases = parts_by_case(view.material, [case.name for case in view.measured])
    if not cases:
        return None
    names = [name for name in PART_COLOURS if any(abs(case.share(name)) >= SMALL_SHARE for case in cases)]
    unit, unit_ns = unit_of(max(case.whole_ns for case in cases))
    rows = [row for case in cases for row in _rows(case, names, unit_ns)]
    legend = {part_label(name): PART_COLOURS[name] for name in names}
    if any(row["part"] == SMALL for row in rows):
        legend[SMALL] = "#c3c8cd"
    height = ROW_PX * len(cases)
    return Chart(
        name="parts",
        title="Where the time goes",
        says=" ".join(_says(case) for case in cases[:3]),
        how=(
            "The mean step of each case, from one completion to the next. Blue is S3, orange and yellow the codec, "
            f"violet is waiting{' and the way through the queues' * any(case.has_queues for case in cases)}: what "
            "orchestration costs. The parts add up exactly."
        ),
        spec=_spec(legend, unit, height),
        data={"parts": rows},
        height=height + PADDING_PX,
        legend=tuple(legend.items()),
        figures=_figures(cases, names),
    )


def _rows(case: CaseParts, names: list[str], unit_ns: float) -> list[dict[str, str | float | None]]:
    kept = [(part_label(name), case.mean_ns.get(name, 0.0)) for name in names]
    rest_ns = case.whole_ns - sum(value for _, value in kept)
    if abs(rest_ns) >= 0.0005 * case.whole_ns:
        kept.append((SMALL, rest_ns))
    return [
        {
            "case": case.name,
            "part": part,
            "time": value / unit_ns,
            "order": number,
            "mean": milliseconds(value),
            "share": percent(value / case.whole_ns if case.whole_ns > 0 else 0.0),
        }
        for number, (part, value) in enumerate(kept)
        if value
    ]


def _spec(legend: dict[str, str], unit: str, height: int) -> dict[str, object]:
    import altair as alt

    axis = alt.Axis(grid=False, ticks=False, domain=False, labelPadding=8)
    chart = (
        alt.Chart(alt.NamedData("parts"))
        .mark_bar(cornerRadius=1, stroke=None, height={"band": 0.72})
        .encode(
            y=alt.Y("case:N", sort=None, title=None, axis=axis),
            x=alt.X("time:Q", title=f"mean of a step, {unit}", stack="zero"),
            color=alt.Color(
                "part:N",
                scale=alt.Scale(domain=list(legend), range=list(legend.values())),
                legend=alt.Legend(title=None, orient="top", columns=6),
            ),
            order=alt.Order("order:Q"),
            tooltip=[alt.Tooltip(f"{name}:N") for name in ("case", "part", "mean", "share")],
        )
    )
    return spec_of(chart, height)


def _says(case: CaseParts) -> str:
    largest = sorted(case.mean_ns, key=lambda name: -case.mean_ns[name])[:3]
    parts = ", ".join(f"{part_label(name)} {percent(case.share(name))}" for name in largest)
    return f"{case.name}: {milliseconds(case.whole_ns)} a step on average, most of it {parts}."


def _figures(cases: list[CaseParts], names: list[str]) -> Figures:
    return Figures(
        ("case", "mean step", *map(part_label, names)),
        [
            (case.name, milliseconds(case.whole_ns), *(milliseconds(case.mean_ns.get(name)) for name in names))
            for case in cases
        ],
    )
