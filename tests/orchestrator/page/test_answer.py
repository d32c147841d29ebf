from __future__ import annotations

from pathlib import Path

import pytest

from orchestrator.page.answer import Answer, answer_of
from orchestrator.page.cases import cases_of
from orchestrator.page.charts import charts_of
from orchestrator.page.shown import rank
from tests.orchestrator.experiment.plans import make_end, make_event, make_experiment, write_manifest
from tests.orchestrator.page.folders import (
    all_failed,
    all_interrupted,
    experiment,
    nothing_done,
    one_run,
    read,
    view_of,
)
from tests.orchestrator.report.sample_factory import MadeRun, make_run, make_run_line, without_queues


def _answer(*targets: Path) -> Answer:
    found = read(*targets)
    return answer_of(found, cases_of(found))


def test_an_experiment_is_answered_by_its_own_verdicts(tmp_path: Path) -> None:
    told = _answer(experiment(tmp_path / "e"))
    assert told.headline.startswith("Fastest is arrow: 8")
    assert told.lead[0].startswith("arrow is 15.")
    assert "faster than json" in told.lead[0]
    assert any("No difference to json is seen in parquet" in sentence for sentence in told.sentences)
    assert "differ in serializer" in told.about
    assert told.label == "Embedded stack: these figures describe this machine, not AWS."


def test_one_case_is_answered_by_its_median_and_where_its_time_goes(tmp_path: Path) -> None:
    told = _answer(one_run(tmp_path, make_run(run_id="r1", chains=4, steps=10)))
    assert told.headline.startswith("A step takes ")
    assert "95 in 100 are done within" in told.headline
    assert any("orchestration" in sentence for sentence in told.sentences)


def test_a_run_without_queues_is_not_told_to_have_any(tmp_path: Path) -> None:
    told = _answer(one_run(tmp_path, without_queues(make_run(run_id="r1", chains=4, steps=10))))
    assert told.about.endswith("the orchestrator hands the steps to executors of its own, without a queue.")
    assert any("orchestration (waiting, turnaround) " in sentence for sentence in told.sentences)
    assert "queues" not in " ".join((told.about, *told.sentences))


def test_a_run_of_a_lambda_function_is_told_as_that(tmp_path: Path) -> None:
    run = without_queues(make_run(run_id="r1", chains=4, steps=10))
    run.plan = run.plan.model_copy(update={"channel": "lambda", "lambda_function": "arn"})
    run.lines[0] = make_run_line(run.plan)
    assert _answer(one_run(tmp_path, run)).about.endswith("a Lambda function is invoked with each step.")


def test_with_and_without_queues_beside_each_other_both_are_told(tmp_path: Path) -> None:
    one_run(tmp_path, make_run(1, run_id="r1"))
    one_run(tmp_path, without_queues(make_run(2, run_id="r2", serializer="arrow")))
    told = _answer(tmp_path)
    assert "a queue (SQS) hands the steps out to workers, or the orchestrator hands the steps to" in told.about


def test_plain_runs_beside_each_other_get_no_verdict(tmp_path: Path) -> None:
    for number, serializer in enumerate(("json", "arrow"), 1):
        one_run(tmp_path, make_run(number, run_id=f"r{number}", serializer=serializer))
    told = _answer(tmp_path)
    assert told.headline.startswith("The lowest median is that of ")
    assert "not measured side by side" in told.lead[0]


def _trade(told: Answer) -> list[str]:
    return [sentence for sentence in told.sentences if sentence.startswith("The smallest objects")]


def test_what_the_smallest_costs_in_time_is_told_only_as_far_as_it_is_shown(tmp_path: Path) -> None:
    """The factory's objects are as large as their steps are long, so the slow case gets the small ones."""
    found = read(experiment(tmp_path / "e", {"json": 1_000.0, "arrow": 850.0, "parquet": 1_004.0}))
    first, *_ = cases_of(found)
    for apart, ending in (((), "for 150 ms more a step."), (("json",), "no difference to arrow in time is shown.")):
        cases = [
            first.model_copy(update={"not_told_apart": apart, "bytes_out": 9e9, "step_ns": 850e6}),
            *(c.model_copy(update={"bytes_out": 1e3, "step_ns": 1e9}) for c in cases_of(found) if c.name == "json"),
        ]
        (told,) = _trade(answer_of(found, cases))
        assert told.endswith(ending)


def test_cards_name_a_winner_only_where_there_is_one(tmp_path: Path) -> None:
    found = read(experiment(tmp_path / "e"))
    first, second, third = cases_of(found)
    equal = [case.model_copy(update={"bytes_out": 1e5, "usd_per_1000_steps": 0.00875}) for case in (first, second)]
    tied = equal[0].model_copy(update={"rank_worst": 3})
    dearer = third.model_copy(update={"bytes_out": 1.005e5, "usd_per_1000_steps": 0.0092})
    told = {fact.label: fact.note for fact in answer_of(found, [tied, equal[1], dearer]).facts}
    assert told["Lowest median"] == "arrow, not shown to be faster than all others"
    assert told["Object on S3"] == "all about equal"
    assert told["Cheapest"] == "S3 and SQS for 1,000 steps, arrow and 1 more, about equal"
    told = {fact.label: fact.note for fact in answer_of(found, cases_of(found)).facts}
    assert told["Fastest"] == "arrow"
    assert told["Smallest object"] == "arrow"


def test_what_hands_bytes_on_is_a_floor_and_wins_no_card_and_stands_on_no_front(tmp_path: Path) -> None:
    folder = experiment(tmp_path / "e", {"json": 1_000.0, "raw": 850.0, "parquet": 1_004.0})
    cases = cases_of(read(folder))
    assert [rank(case) for case in cases if case.name == "raw"] == ["floor"]
    told = _answer(folder)
    assert not any("raw" in fact.note for fact in told.facts)
    assert not _trade(told)
    size = next(chart for chart in charts_of(view_of(folder)) if chart.name == "size")
    assert "raw" not in {row["case"] for row in size.data["cases"]}
    verdict = next(chart for chart in charts_of(view_of(folder)) if chart.name == "verdict")
    assert verdict.says.startswith("3 cases from raw with the lowest median, "), (
        "it stands last, and is not the slowest"
    )


def test_a_single_step_is_told_as_one(tmp_path: Path) -> None:
    told = _answer(one_run(tmp_path, make_run(run_id="r1", chains=1, steps=1, concurrency=1)))
    assert "a single one, so nothing says how typical that is" in told.headline


@pytest.mark.parametrize(
    ("run", "headline"),
    [
        (nothing_done(), "No step has been done yet"),
        (all_failed(), "No step was done: 2 attempts failed"),
        (all_interrupted(), "No step is in the statistics"),
    ],
)
def test_of_nothing_measured_it_says_why(run: MadeRun, headline: str, tmp_path: Path) -> None:
    told = _answer(one_run(tmp_path, run))
    assert told.headline.startswith(headline)
    assert told.facts == ()
    assert not told.has_figures


def test_failed_chains_are_a_doubt(tmp_path: Path) -> None:
    told = _answer(one_run(tmp_path, all_failed()))
    assert any(doubt.startswith("2 of 2 chains failed") for doubt in told.doubts)


def test_an_experiment_in_which_all_failed_says_so(tmp_path: Path) -> None:
    ends = [make_end(case, number, ok=False) for number in (1, 2) for case in "ab"]
    write_manifest(tmp_path / "e", make_experiment("a", "b"), *ends, make_event("finished"))
    told = _answer(tmp_path / "e")
    assert told.headline.startswith("No case has a figure")
