from __future__ import annotations

from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from orchestrator.report.audit import audit, missing, parts_of_wall
from orchestrator.report.metrics_file import MetricsFile, read
from orchestrator.report.statistics import summarise
from orchestrator.run.lines import Event, RunLine
from stepbench.samples import Sample
from tests.orchestrator.report.sample_factory import MadeRun, make_interrupted, make_run, without_queues

BROKEN = [
    ("queue_wait_ns", "parts differ from its total"),
    ("worker_wait_ns", "parts differ from its total"),
    ("other_ns", "executor's stamps"),
    ("results_wait_ns", "parts differ from its total"),
    ("transit_ns", "parts differ from its total"),
    ("redelivery_ns", "parts differ from its total"),
    ("total_ns", "stamps differ from its total"),
    ("completed_at_ns", "stamps differ from its total"),
    ("dispatched_at_ns", "stamps differ from its total"),
    ("turnaround_ns", "turnaround and retry differ"),
    ("retry_ns", "turnaround and retry differ"),
    ("done_at_ns", "executor's stamps"),
]


def as_file(run: MadeRun) -> MetricsFile:
    first = run.lines[0]
    assert isinstance(first, RunLine)
    return MetricsFile(
        path=Path("metrics-r1.jsonl"),
        run=first,
        samples=tuple(sample for sample in run.samples if sample.kind == "sample"),
        warmups=(),
        failures=(),
        events=tuple(line for line in run.lines if isinstance(line, Event)),
        summary=None,
        torn_line=False,
        whole_bytes=0,
        unknown_lines=0,
        lines=(),
    )


def _sample(run: MadeRun, chain: int, step: int) -> Sample:
    return next(sample for sample in run.samples if (sample.chain, sample.step) == (chain, step))


def _end_of(run: MadeRun, chain: int) -> Event:
    events = [line for line in run.lines if isinstance(line, Event)]
    return next(event for event in events if event.event == "chain_finished" and event.chain == chain)


@given(st.integers(0, 10**6), st.integers(1, 4), st.integers(1, 5))
def test_consistent_runs_add_up(seed: int, chains: int, steps: int) -> None:
    run = make_run(seed, chains=chains, steps=steps)

    assert audit(as_file(run)) == []
    for chain in range(1, chains + 1):
        parts = [
            part or 0 for sample in run.samples if sample.chain == chain for part in parts_of_wall(sample).values()
        ]
        assert sum(parts) == _end_of(run, chain).wall_ns


@given(st.integers(0, 10**6), st.sampled_from(BROKEN), st.integers(1, 3), st.sampled_from([-1, 1, 10**9]))
def test_a_figure_that_is_off_by_a_nanosecond_is_told_with_chain_and_step(
    seed: int, broken: tuple[str, str], step: int, by: int
) -> None:
    name, sentence = broken
    run = make_run(seed, chains=2, steps=3)
    sample = _sample(run, 2, step)
    run.replace(sample, sample.model_copy(update={name: getattr(sample, name) + by}))

    problems = audit(as_file(run))

    place = f"chain 2 step {step}:"
    if (name, step) == ("retry_ns", 1):  # nothing stands before it: only the chain's wall can tell
        place, sentence = "chain 2 steps 1 to 3:", "differ from the chain's wall"
    assert any(sentence in problem and problem.startswith(place) for problem in problems)
    assert not any(problem.startswith("chain 1") for problem in problems)


@pytest.mark.parametrize("phase", ["download", "upload"])
def test_a_phase_that_is_off_is_told(phase: str) -> None:
    run = make_run()
    sample = _sample(run, 1, 2)
    phases = {name: duration + (name == phase) for name, duration in sample.phases_ns.items()}
    run.replace(sample, sample.model_copy(update={"phases_ns": phases}))

    assert len(audit(as_file(run))) == 2


def test_a_chain_wall_that_is_off_is_told() -> None:
    run = make_run()
    end = _end_of(run, 2)
    assert end.wall_ns is not None
    run.replace(end, end.model_copy(update={"wall_ns": end.wall_ns + 1}))

    problems = audit(as_file(run))

    assert [problem.partition(":")[0] for problem in problems] == ["chain 2 steps 1 to 3"] * 2


def test_a_step_that_is_missing_from_a_finished_chain_is_told() -> None:
    run = make_run()
    run.lines.remove(_sample(run, 1, 3))
    assert audit(as_file(run)) == ["chain 1 is told to be done, but has samples of steps [1, 2], not of 1 to 3"]


def test_steps_that_an_older_copy_lacked_are_counted_as_missing_and_are_no_figures_that_do_not_add_up() -> None:
    run = make_run()
    run.lines.remove(_sample(run, 1, 2))
    end = _end_of(run, 1)
    run.replace(end, end.model_copy(update={"wall_ns": None}))
    assert missing(as_file(run)) == 0
    assert len(audit(as_file(run))) == 1

    run.lines.insert(2, Event(event="resumed", at="", epoch=2))
    assert missing(as_file(run)) == 1
    assert audit(as_file(run)) == []
    [told] = [doubt for doubt in summarise([as_file(run)]).warnings if "missing" in doubt]
    assert told.startswith("1 sample of ")


def test_a_step_that_is_there_twice_is_told() -> None:
    run = make_run()
    run.lines.insert(5, _sample(run, 1, 2))
    assert any("steps [1, 2, 2, 3]" in problem for problem in audit(as_file(run)))


def test_an_interrupted_step_is_no_problem_where_its_chain_has_no_wall() -> None:
    run = make_run()
    run.replace(_sample(run, 1, 2), make_interrupted(_sample(run, 1, 2)))
    end = _end_of(run, 1)
    run.replace(end, end.model_copy(update={"wall_ns": None}))
    assert audit(as_file(run)) == []


def test_a_wall_over_an_interrupted_step_is_told() -> None:
    run = make_run()
    run.replace(_sample(run, 1, 2), make_interrupted(_sample(run, 1, 2)))
    assert audit(as_file(run)) == ["chain 1 steps 1 to 3: they have a wall, but step 2 was interrupted"]


def test_a_failed_chain_and_one_that_goes_on_have_nothing_to_add_up() -> None:
    run = make_run()
    end = _end_of(run, 1)
    run.replace(end, end.model_copy(update={"ok": False, "wall_ns": 5}))
    run.lines.remove(_end_of(run, 2))
    run.lines.remove(_sample(run, 2, 3))
    assert audit(as_file(run)) == []


def test_parts_that_a_channel_does_not_have_add_nothing(tmp_path: Path) -> None:
    assert audit(read(without_queues(make_run(3)).write(tmp_path))) == []
