"""What each executor did when, phase by phase, and how long each step had waited in the queue for it."""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence
from dataclasses import replace
from statistics import median_low

from orchestrator.page.charts import Chart, View
from orchestrator.page.charts._look import PADDING_PX, PART_COLOURS, part_label, spec_of
from orchestrator.page.material import Material, Run
from orchestrator.page.shown import milliseconds
from orchestrator.report.doubts import plural
from orchestrator.report.metrics_file import MetricsFile
from orchestrator.report.summary import PARTS
from orchestrator.trace.model import Path, Span, Track
from orchestrator.trace.spans import trace_of

PLACE = 30
LANE_PX, NARROW_LANE_PX = 58, 34
MANY_LANES, MOST_LANES = 6, 24
MOST_PIECES = 6_000
"""In the whole picture: what a browser draws at once without stuttering."""
MOST_STEPS = 150
"""Of one run: beyond it, a step is narrower than a pixel."""
PIECES_OF_A_STEP = 12
WAITS, WORKS = "waits", "works"
NS_PER_MS = 1e6

Row = dict[str, str | float | None]


def draw(view: View) -> Chart | None:
    """One run of each case, its most typical one; null where no step was done."""
    runs = [run for case in view.cases if (run := typical_run(view.material, case.name)) is not None]
    if not runs:
        return None
    steps = min(MOST_STEPS, max(5, MOST_PIECES // PIECES_OF_A_STEP // len(runs)))
    rows = [row for run in runs for row in rows_of(run, steps)]
    if not rows:
        return None
    lanes = {str(row["lane"]) for row in rows}
    names = [part_label(name) for name in PARTS if any(row["part"] == part_label(name) for row in rows)]
    legend = {part_label(name): PART_COLOURS[name] for name in PARTS if part_label(name) in names}
    height = (LANE_PX if len(lanes) <= MANY_LANES else NARROW_LANE_PX) * len(lanes)
    bars = [what for what in (WAITS, WORKS) if any(row["what"] == what for row in rows)]
    return Chart(
        name="timeline",
        title="What each executor did when",
        says=_says(runs[0], steps, [row for row in rows if row["run"] == _name(runs[0])]),
        how=" ".join(_how(runs, steps, has_waits=WAITS in bars)),
        spec=_spec(legend, bars, sorted(lanes, key=_in_order), [_name(run) for run in runs], height),
        data={"pieces": rows},
        height=height + PADDING_PX + (36 if len(runs) > 1 else 0),
        legend=tuple(legend.items()),
    )


def _how(runs: Sequence[Run], most_steps: int, *, has_waits: bool) -> Iterator[str]:
    """Waits for a queue are not known where the channel has none."""
    if has_waits:
        yield (
            "A row for each executor: the lower bar is its work, phase by phase; the pale violet bar above it shows "
            "how long that step had waited in the queue before."
        )
    else:
        yield "A row for each executor, with its work, phase by phase."
    yield "Gaps are time in which the executor had nothing to do."
    if any(len(run.file.samples) > most_steps for run in runs):
        yield f"Shown are the first {most_steps} steps of a run."
    if (executors := max(_executors(run, most_steps) for run in runs)) > MOST_LANES:
        yield f"Of a run with {executors} executors, the first {MOST_LANES} are shown."


def _executors(run: Run, most_steps: int) -> int:
    """How many did the first steps of a run."""
    return len({(sample.worker, sample.executor) for sample in run.file.samples[:most_steps]})


def typical_run(material: Material, case: str) -> Run | None:
    """The run whose median step is the median of those; of an even number the faster one."""
    medians: dict[int, Run] = {}
    for run in material.of_case(case):
        if used := [sample.total_ns or 0 for sample in run.used()]:
            medians.setdefault(median_low(used), run)
    return medians[median_low(medians)] if medians else None


def rows_of(run: Run, most_steps: int) -> Iterator[Row]:
    """Phases on their executor's lane, and the queue wait before them."""
    spans = trace_of(_beginning(run.file, most_steps)).spans
    executions = [span for span in spans if span.kind == "execution" and "warm-up" not in span.path[1]]
    executions = sorted(executions, key=lambda span: span.begin_ns)[:most_steps]
    if not executions:
        return
    lanes = _lanes(executions)
    executions = [span for span in executions if span.track in lanes]
    kept: dict[Path, Span] = {span.path[:-1]: span for span in executions}
    zero_ns = min(span.begin_ns for span in spans if span.path in kept)
    for span in spans:
        execution = kept.get(span.path[:-1]) if span.kind == "wait" else kept.get(span.path[:-2])
        if execution is None or not (span.kind == "phase" or span.name == "queue wait"):
            continue
        yield {
            "run": _name(run),
            "lane": lanes[execution.track],
            "what": WORKS if span.kind == "phase" else WAITS,
            "part": span.name,
            "step": f"{execution.path[1]}, {execution.path[2]}",
            "from": round((span.begin_ns - zero_ns) / NS_PER_MS, 3),
            "to": round((span.end_ns - zero_ns) / NS_PER_MS, 3),
            "lasted": milliseconds(span.end_ns - span.begin_ns),
        }


def _beginning(file: MetricsFile, most_steps: int) -> MetricsFile:
    """As if it had been read when so many steps were done: a trace of all of a long run takes its time."""
    samples = file.samples[:most_steps]
    if len(samples) == len(file.samples):
        return file
    lines = file.lines[: file.lines.index(samples[-1]) + 1]
    kept = set(map(id, lines))
    return replace(
        file,
        samples=samples,
        lines=lines,
        events=tuple(event for event in file.events if id(event) in kept),
        failures=tuple(failure for failure in file.failures if id(failure) in kept),
        summary=None,
    )


def _lanes(executions: Sequence[Span]) -> dict[Track, str]:
    """Short names: those of workers and executors are long, and differ in every run."""
    groups = list(dict.fromkeys(span.track.group for span in executions))
    lanes: dict[Track, str] = {}
    for group in groups:
        tracks = dict.fromkeys(span.track for span in executions if span.track.group == group)
        for number, track in enumerate(tracks, 1):
            worker = f"worker {groups.index(group) + 1}, " if len(groups) > 1 else ""
            lanes[track] = f"{worker}executor {number}"
    return dict(list(lanes.items())[:MOST_LANES])


def _in_order(lane: str) -> list[int]:
    return [int(word) for word in re.findall(r"\d+", lane)]


def _name(run: Run) -> str:
    return f"{run.case}, round {run.round}"


def _spec(legend: dict[str, str], bars: list[str], lanes: list[str], runs: list[str], height: int) -> dict[str, object]:
    import altair as alt

    chart = (
        alt.Chart(alt.NamedData("pieces"))
        .mark_bar(stroke=None)
        .encode(
            opacity=alt.condition(f"datum.what === '{WAITS}'", alt.value(0.6), alt.value(1)),
            y=alt.Y("lane:N", sort=lanes, title=None, axis=alt.Axis(ticks=False, domain=False, labelPadding=8)),
            yOffset=alt.YOffset("what:N", scale=alt.Scale(domain=bars)),
            x=alt.X("from:Q", title="ms since the first step was sent"),
            x2="to:Q",
            color=alt.Color(
                "part:N",
                scale=alt.Scale(domain=list(legend), range=list(legend.values())),
                legend=alt.Legend(title=None, orient="top", columns=6),
            ),
            tooltip=[alt.Tooltip(f"{name}:N") for name in ("step", "part", "lasted", "lane")],
        )
    )
    picked = alt.param(name="picked", value=runs[0])
    if len(runs) > 1:
        picked = alt.param(name="picked", value=runs[0], bind=alt.binding_select(options=runs, name="Run: "))
    return spec_of(chart.add_params(picked).transform_filter("datum.run === picked"), height)


def _says(run: Run, most_steps: int, rows: list[Row]) -> str:
    lanes, executors = len({row["lane"] for row in rows}), _executors(run, most_steps)
    steps = plural(len({row["step"] for row in rows}), "step")
    waited = [float(row["to"] or 0) - float(row["from"] or 0) for row in rows if row["what"] == WAITS]
    longest = f"; the longest wait in the queue was {milliseconds(max(waited) * NS_PER_MS)}" if waited else ""
    some = f"{lanes} of " if lanes < executors else ""
    return f"{_name(run)}: {steps} on {some}{plural(executors, 'executor')}{longest}."
