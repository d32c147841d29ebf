"""Steps per second over the time of day, and where something went wrong: drift, stalls, and what faults did."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator
from datetime import UTC, datetime
from typing import Any

from orchestrator.page.charts import Chart, View
from orchestrator.page.charts._look import PADDING_PX, colours_of, spec_of
from orchestrator.page.shown import rate
from orchestrator.page.tables import Table
from orchestrator.trace.clocks import unix_ns

PLACE = 40
HEIGHT_PX = 240
FEW_RUNS = 4
"""Up to so many are shown bin by bin, more as a point each."""
BINS = 60
TROUBLE = {"failed attempt": "#d64550", "lost": "#b5485f", "retry": "#ef8d32", "duplicate": "#b8a01f"}
MOST_MARKS = 500
NS_PER_SECOND = 1e9

Row = dict[str, str | float | bool | None]


def draw(view: View) -> Chart | None:
    """Null where nothing has been done."""
    runs, samples = view.tables["runs"], view.tables["samples"]
    marks = _marks(view)
    by_run = runs.length > FEW_RUNS
    rows = list(_of_runs(view) if by_run else _of_bins(samples))
    if not rows:
        return None
    colours = colours_of([case.name for case in view.cases])
    seen = {row["case"] for row in rows}
    legend = {name: colour for name, colour in colours.items() if name in seen}
    trouble = {kind: colour for kind, colour in TROUBLE.items() if any(mark["kind"] == kind for mark in marks)}
    zero = _clock(min(float(row["at"] or 0) for row in rows) if by_run else _first(samples))
    return Chart(
        name="throughput",
        title="Steps per second, over time",
        says=_says(rows, marks, by_run),
        how=(
            ("Each point is a run, at the time at which it ended. " if by_run else "Steps done, interval by interval. ")
            + "A line that falls or jumps means that the machine or the service changed while it was measured. "
            + ("Triangles at the top are faults and retries." if marks else "")
        ).strip(),
        hint="Point at one to see what it was." if marks else "",
        spec=_spec(legend, trouble, by_run=by_run, zero=zero),
        data={"rates": rows, "marks": _thinned(marks)},
        height=HEIGHT_PX + PADDING_PX,
        legend=(*legend.items(), *trouble.items()),
        notes=tuple(_notes(marks)),
    )


def _notes(marks: list[Row]) -> Iterator[str]:
    if not marks:
        yield "No fault and no retry was seen."
    elif len(marks) > MOST_MARKS:
        yield f"Of {len(marks):,} faults and retries, {MOST_MARKS} are marked, evenly chosen."


def _of_runs(view: View) -> Iterator[Row]:
    """At its last completion, each run's own rate."""
    ended = _last_completion(view.tables["samples"])
    columns = ("case", "round", "run_id", "steps_per_second", "in_statistics")
    for case, number, run_id, steps_per_second, counts in _rows(view.tables["runs"], *columns):
        if steps_per_second is not None and run_id in ended and counts:
            yield {"case": case, "run": f"round {number}", "at": ended[run_id], "rate": steps_per_second}


def _last_completion(samples: Table) -> dict[object, float]:
    found: dict[object, float] = {}
    for run_id, at_ns in _rows(samples, "run_id", "completed_unix_ns"):
        found[run_id] = max(found.get(run_id, 0.0), float(at_ns) / 1e6)
    return found


def _of_bins(samples: Table) -> Iterator[Row]:
    """Within each run, so that the pause between two of them is no slow time of either."""
    times: dict[tuple[str, str], list[int]] = {}
    for case, run_id, kind, at_ns in _rows(samples, "case", "run_id", "kind", "completed_unix_ns"):
        if kind == "sample":
            times.setdefault((case, run_id), []).append(at_ns)
    for (case, run_id), ends in times.items():
        first, last = min(ends), max(ends)
        if last == first:
            continue
        bins = max(1, min(BINS, len(ends) // 5))
        width_ns = (last - first + 1) / bins
        counts = Counter(int((at_ns - first) / width_ns) for at_ns in ends)
        for number in range(bins):
            at_ms = (first + (number + 0.5) * width_ns) / 1e6
            yield {"case": case, "run": run_id, "at": at_ms, "rate": counts[number] / width_ns * NS_PER_SECOND}


def _first(samples: Table) -> float:
    return min((float(at_ns) / 1e6 for (at_ns,) in _rows(samples, "completed_unix_ns")), default=0.0)


def _marks(view: View) -> list[Row]:
    """Failures and events where their lines say, retries at the completion of the attempt that went through."""
    found = [*_failed(view.tables["failures"]), *_events(view.tables["events"]), *_retried(view.tables["samples"])]
    return sorted(found, key=lambda mark: float(mark["at"] or 0))


def _thinned(marks: list[Row]) -> list[Row]:
    """Evenly, so that where they are dense still is."""
    step = len(marks) / MOST_MARKS
    return marks if step <= 1 else [marks[int(number * step)] for number in range(MOST_MARKS)]


def _failed(failures: Table) -> Iterator[Row]:
    columns = ("case", "at", "chain", "step", "error_class", "message")
    for case, at, chain, step, error_class, message in _rows(failures, *columns):
        if (at_ns := unix_ns(at)) is not None:
            yield _mark("failed attempt", case, at_ns, chain, step, f"{error_class}: {message}")


def _events(events: Table) -> Iterator[Row]:
    for case, at, event, chain, step, message in _rows(events, "case", "at", "event", "chain", "step", "message"):
        if event in TROUBLE and (at_ns := unix_ns(at)) is not None:
            yield _mark(event, case, at_ns, chain, step, message or event)


def _retried(samples: Table) -> Iterator[Row]:
    columns = ("case", "completed_unix_ns", "chain", "step", "attempt", "s3_get_retries", "s3_put_retries")
    for case, at_ns, chain, step, attempt, gets, puts in _rows(samples, *columns):
        of_s3 = (gets or 0) + (puts or 0)
        if attempt > 1 or of_s3:
            what = f"attempt {attempt}" if attempt > 1 else f"{of_s3} by the S3 client"
            yield _mark("retry", case, at_ns, chain, step, what)


def _mark(kind: str, case: str, at_ns: int, chain: object, step: object, what: str) -> Row:
    return {"kind": kind, "case": case, "at": at_ns / 1e6, "step": f"chain {chain}, step {step}", "what": what[:200]}


def _rows(table: Table, *columns: str) -> Iterator[tuple[Any, ...]]:
    yield from zip(*(table.columns[column] for column in columns), strict=True)


def _clock(at_ms: float) -> str:
    return f"{datetime.fromtimestamp(at_ms / 1000, UTC):%Y-%m-%d}"


def _spec(legend: dict[str, str], trouble: dict[str, str], *, by_run: bool, zero: str) -> dict[str, object]:
    import altair as alt

    both = {**legend, **trouble}
    x = alt.X("at:T", title=f"time of day (UTC), {zero}", scale=alt.Scale(type="utc"), axis=alt.Axis(tickCount=6))
    colour = alt.Color(
        "case:N",
        scale=alt.Scale(domain=list(both), range=list(both.values())),
        legend=alt.Legend(title=None, orient="top", columns=5),
    )
    base = alt.Chart(alt.NamedData("rates")).encode(
        x=x,
        y=alt.Y("rate:Q", title="steps per second", scale=alt.Scale(zero=True, nice=True)),
        color=colour,
        detail="case:N" if by_run else "run:N",
        tooltip=[alt.Tooltip("case:N"), alt.Tooltip("rate:Q", format=".3~r"), alt.Tooltip("run:N")],
    )
    layers: list[alt.Chart] = [base.mark_line(opacity=0.55, strokeWidth=1.5), base.mark_point(filled=True, size=36)]
    if trouble:
        layers.append(
            alt.Chart(alt.NamedData("marks"))
            .mark_point(shape="triangle-down", filled=True, size=90, opacity=0.8)
            .encode(
                x=x,
                y=alt.value(4),
                color=alt.Color("kind:N", scale=alt.Scale(domain=list(both), range=list(both.values()))),
                tooltip=[alt.Tooltip(f"{name}:N") for name in ("kind", "case", "step", "what")],
            )
        )
    return spec_of(alt.layer(*layers), HEIGHT_PX)


def _says(rows: list[Row], marks: list[Row], by_run: bool) -> str:
    rates = [float(row["rate"] or 0) for row in rows]
    what = "runs" if by_run else "intervals"
    kinds = Counter(str(mark["kind"]) for mark in marks)
    told = ", ".join(f"{count} x {kind}" for kind, count in kinds.items()) or "no fault and no retry"
    return f"Between {rate(min(rates))} and {rate(max(rates))} steps per second over {len(rows)} {what}; {told}."
