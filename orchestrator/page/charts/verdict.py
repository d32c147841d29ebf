"""The answer as one picture: each case's step time, how sure it is, and what may be said of it."""

from __future__ import annotations

from orchestrator.page.cases import CaseFigures
from orchestrator.page.charts import Chart, Figures, Rows, View
from orchestrator.page.charts._look import INK_SIGNAL, PADDING_PX, spec_of, unit_of, wants_logarithms
from orchestrator.page.shown import ABSENT, OF_TIMES, interval_ms, milliseconds, percent, verdict_words

PLACE = 0
ROW_PX = 30
ROOM_FOR_WORDS = 1.25
WIDE_PX = 600
"""A narrower picture has no room for words."""
COLOURS = {
    "baseline": "#8a63d2",
    "faster": "#2da44e",
    "slower": "#d1591d",
    "no difference seen": "#7f8a93",
    "cannot tell": "#b0b7be",
    "not compared": "#2f80c9",
}


def draw(view: View) -> Chart | None:
    """Null for a single case: there is nothing to hold it against."""
    cases = view.measured
    if len(cases) < 2:
        return None
    unit, unit_ns = unit_of(max(case.high_ns or case.step_ns or 0 for case in cases))
    rows = [_row(case, unit_ns) for case in cases]
    kinds = {str(row["kind"]): COLOURS[str(row["kind"])] for row in rows}
    legend = {kind: colour for kind, colour in COLOURS.items() if kind in kinds}
    height = ROW_PX * len(cases)
    return Chart(
        name="verdict",
        title="How long a step takes, case by case",
        says=_says(cases),
        how=_how(cases),
        spec=_spec(rows, legend, unit, height),
        data={"cases": rows},
        height=height + PADDING_PX,
        legend=tuple(legend.items()),
        figures=Figures(
            ("case", "step, median", "interval", "verdict"),
            [(case.name, milliseconds(case.step_ns), interval_ms(case), verdict_words(case)) for case in cases],
        ),
    )


def kind_of(case: CaseFigures) -> str:
    """Which of COLOURS."""
    if case.is_baseline:
        return "baseline"
    if case.against_baseline is None:
        return "not compared"
    return OF_TIMES.get(case.against_baseline.verdict, case.against_baseline.verdict)


def _row(case: CaseFigures, unit_ns: float) -> dict[str, str | float | None]:
    step = (case.step_ns or 0) / unit_ns
    return {
        "case": case.name,
        "step": step,
        "low": step if case.low_ns is None else case.low_ns / unit_ns,
        "high": step if case.high_ns is None else case.high_ns / unit_ns,
        "kind": kind_of(case),
        "verdict": verdict_words(case),
        "interval": interval_ms(case),
        "words": f"{milliseconds(case.step_ns)}, {verdict_words(case)}".removesuffix(f", {ABSENT}"),
        "median": milliseconds(case.step_ns),
    }


def _spec(rows: Rows, legend: dict[str, str], unit: str, height: int) -> dict[str, object]:
    import altair as alt

    steps = [float(row["step"] or 0) for row in rows]
    is_log = wants_logarithms(min(steps), max(steps))
    lowest = min(float(row["low"] or 0) for row in rows) * 0.8
    highest = max(float(row["high"] or 0) for row in rows)
    scale = (
        alt.Scale(type="log", domain=[lowest, highest * ROOM_FOR_WORDS**3], nice=False)
        if is_log
        else alt.Scale(domain=[0, highest * ROOM_FOR_WORDS], nice=False)
    )
    title = f"median of a step, {unit}" + (", logarithmic" if is_log else "")
    y = alt.Y("case:N", sort=None, title=None, axis=alt.Axis(grid=False, ticks=False, domain=False, labelPadding=8))
    colour = alt.Color(
        "kind:N",
        scale=alt.Scale(domain=list(legend), range=list(legend.values())),
        legend=alt.Legend(title=None, orient="top"),
    )
    tooltip = [alt.Tooltip(f"{name}:N") for name in ("case", "median", "interval", "verdict")]
    base = alt.Chart(alt.NamedData("cases")).encode(y=y, color=colour, tooltip=tooltip)
    bars = base.mark_bar(height=4, cornerRadius=2, opacity=0.75).encode(
        x=alt.X("low:Q", title=title, scale=scale), x2="high:Q"
    )
    points = base.mark_point(filled=True, size=110, opacity=1).encode(x=alt.X("step:Q", scale=scale))
    # Where the picture is narrow there is no room for words, and the colours say the same.
    words = (
        alt.Chart(alt.NamedData("cases"))
        .mark_text(align="left", dx=10, color=INK_SIGNAL, opacity={"expr": f"width < {WIDE_PX} ? 0 : 1"})
        .encode(y=y, x=alt.X("high:Q", scale=scale), text="words:N")
    )
    return spec_of(alt.layer(bars, points, words), height)


def _says(cases: list[CaseFigures]) -> str:
    in_order = sorted(cases, key=lambda case: case.step_ns or 0)  # a floor stands last, however fast it is
    first, last = in_order[0], in_order[-1]
    return (
        f"{len(cases)} cases from {first.name} with the lowest median, {milliseconds(first.step_ns)} a step, to "
        f"{last.name} with the highest, {milliseconds(last.step_ns)}."
    )


def _how(cases: list[CaseFigures]) -> str:
    alpha = next((case.alpha for case in cases if case.alpha is not None), None)
    if alpha is None:
        return "A point is the median of a case's steps; further left is faster."
    return (
        "A point is the median of a case's rounds, the bar around it what that median is known to within "
        f"({percent(1 - alpha)} sure); further left is faster. The colour says what the rounds prove against the "
        "baseline: bars that overlap may still be told apart, because cases are compared within each round."
    )
