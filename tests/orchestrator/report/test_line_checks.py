from __future__ import annotations

import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from orchestrator.report.follow import follow
from orchestrator.report.metrics_file import MetricsFileDamaged, read
from orchestrator.run.lines import Event, Line, RunLine, SummaryLine
from stepbench.samples import Sample
from tests.orchestrator.report.sample_factory import AT, MadeRun, make_failure, make_run

Edit = Callable[[list[Line]], object]


def refusal(edit: Edit, folder: Path) -> str:
    """What a whole run's file is answered with after `edit`: by whoever reads it, and by whoever follows it."""
    run = make_run(chains=2, steps=3)
    run.lines.pop()
    edit(run.lines)
    run.lines.append(SummaryLine.model_validate({"counts": {"samples": 6}}))
    path = run.write(folder)
    with pytest.raises(MetricsFileDamaged) as told:
        read(path)
    with pytest.raises(MetricsFileDamaged) as followed:
        list(follow(path, lambda: pytest.fail("it waits")))
    assert str(told.value) == str(followed.value)
    return str(told.value).removeprefix(f"{path} ")


def sample_at(lines: list[Line], chain: int, step: int) -> int:
    """The place of a sample."""
    return next(
        at for at, line in enumerate(lines) if isinstance(line, Sample) and (line.chain, line.step) == (chain, step)
    )


def changed(of_chain: int, of_step: int, /, **changes: Any) -> Edit:
    def edit(lines: list[Line]) -> None:
        at = sample_at(lines, of_chain, of_step)
        lines[at] = lines[at].model_copy(update=changes)

    return edit


def without_dispatch(lines: list[Line]) -> None:
    lines[:] = [line for line in lines if not (isinstance(line, Event) and (line.chain, line.step) == (1, 2))]


def planned(**changes: Any) -> Edit:
    def edit(lines: list[Line]) -> None:
        assert isinstance(lines[0], RunLine)
        lines[0] = lines[0].model_copy(update={"plan": lines[0].plan.model_copy(update=changes)})

    return edit


def a_warmup_without_any(lines: list[Line]) -> None:
    planned(warmup_steps=0)(lines)
    lines.append(Event(event="dispatching", at=AT, chain=-1, step=1, attempt=1))


@pytest.mark.parametrize(
    ("edit", "sentence"),
    [
        (
            lambda lines: lines.insert(sample_at(lines, 1, 2), lines[sample_at(lines, 1, 2)]),
            "is a second sample of chain 1 step 2",
        ),
        (
            lambda lines: lines.insert(sample_at(lines, 1, 3) + 1, lines[sample_at(lines, 1, 1)]),
            "is a sample of chain 1 step 1, after one of step 3",
        ),
        (without_dispatch, "is a sample of chain 1 step 2, which was never dispatched"),
        (lambda lines: lines.pop(sample_at(lines, 1, 2)), "is a sample of chain 1 step 3, and step 2 has none"),
        (
            lambda lines: lines.pop(sample_at(lines, 1, 3)),
            "tells that chain 1 is done, and its samples end at step 2 of 3",
        ),
        (changed(1, 2, chain=7), "is about chain 7, and the run has chains 1 to 2"),
        (changed(1, 2, chain=0), "is about chain 0, and the run has chains 1 to 2"),
        (changed(1, 3, step=4), "is about step 4 of chain 1, and the run's chains have 3"),
        (changed(1, 2, attempt=4), "is about attempt 4, and the run's steps have 3 (MAX_ATTEMPTS)"),
        (changed(1, 2, kind="warmup"), "is a warmup of chain 1; warm-up chains are those below 0"),
        (changed(1, 2, run_id="r2"), "belongs to run r2, the file to run r1"),
        (lambda lines: lines.append(make_failure(chain=2, step=3, attempt=9)), "is about attempt 9"),
        (lambda lines: lines.append(Event(event="lost", at=AT, chain=9, step=1, attempt=1)), "is about chain 9"),
        (a_warmup_without_any, "is about chain -1, and the run has chains 1 to 2"),
        (planned(run_id="r2"), "is of run r1, and its plan of run r2"),
        (planned(chains=10**12), "has a plan that no run can have: CHAINS 1000000000000"),
        (planned(steps=0), "has a plan that no run can have: STEPS 0"),
        (planned(max_attempts=-1), "has a plan that no run can have: MAX_ATTEMPTS -1"),
    ],
)
def test_a_line_that_those_before_it_contradict_is_told_with_its_number(
    edit: Edit, sentence: str, tmp_path: Path
) -> None:
    told = refusal(edit, tmp_path)
    number, _, rest = told.removeprefix("line ").partition(" ")
    assert number.isdigit()
    assert rest.startswith(sentence)
    assert rest.endswith("name another metrics file, or put back what it was before it was edited")


def test_a_summary_that_does_not_fit_its_samples_is_told(tmp_path: Path) -> None:
    run = make_run()
    run.lines[-1] = SummaryLine.model_validate({"counts": {"samples": 5}})
    with pytest.raises(
        MetricsFileDamaged, match=f"line {len(run.lines)} is a summary of 5 samples, and 6 stand before"
    ):
        read(run.write(tmp_path))


def test_a_run_that_was_gone_on_with_from_an_older_copy_need_not_tell_of_everything(tmp_path: Path) -> None:
    run = make_run(chains=1, steps=3)
    without_dispatch(run.lines)
    run.lines.pop(sample_at(run.lines, 1, 1))
    run.lines.insert(1, Event(event="resumed", at=AT, epoch=2))
    assert [sample.step for sample in read(run.write(tmp_path)).samples] == [2, 3]


def test_completions_that_came_astray_may_be_of_any_chain(tmp_path: Path) -> None:
    run: MadeRun = make_run()
    run.lines.insert(2, Event(event="duplicate", at=AT, chain=99, step=99, attempt=99))
    assert len(read(run.write(tmp_path)).samples) == 6


def test_a_number_out_of_range_is_told_with_its_line_and_field(tmp_path: Path) -> None:
    texts = make_run().texts()
    sample = next(at for at, text in enumerate(texts) if b'"kind":"sample"' in text)
    texts[sample] = json.dumps(json.loads(texts[sample]) | {"bytes_out": -1}).encode() + b"\n"
    path = tmp_path / "metrics-r1.jsonl"
    path.write_bytes(b"".join(texts))
    with pytest.raises(MetricsFileDamaged, match=rf"line {sample + 1} is damaged: sample\.bytes_out: .*; name another"):
        read(path)
