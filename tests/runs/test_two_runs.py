from __future__ import annotations

from tests.runs.fleet import Fleet
from tests.runs.programs import Outcome
from tests.runs.sums import check_sums

STEPS = 2


def test_each_of_two_runs_on_one_fleet_gets_its_own_completions(fleet: Fleet) -> None:
    fleet.worker()
    fleet.worker()
    runs = [fleet.start(f"--steps={STEPS}", "--concurrency=3", "--json") for _ in range(2)]

    outcomes = [run.outcome() for run in runs]

    for outcome in outcomes:
        assert_whole_and_its_own(outcome, chains=3)
        assert outcome.events("foreign") == []
        assert fleet.results_queues(outcome.plan["run_id"]) == []


def test_each_of_two_runs_on_one_results_queue_gets_its_own_completions(fleet: Fleet) -> None:
    shared = {"ORCH_RESULTS_QUEUE_URL": fleet.new_queue("results")}
    fleet.worker(**shared)
    fleet.worker(**shared)
    runs = [fleet.start(f"--steps={STEPS}", "--json", **shared) for _ in range(2)]

    outcomes = [run.outcome() for run in runs]

    for outcome in outcomes:
        assert_whole_and_its_own(outcome, chains=1)
        assert outcome.summary["counts"]["foreign"] == len(outcome.events("foreign"))
    fleet.until_depth((0, 0), shared["ORCH_RESULTS_QUEUE_URL"])


def assert_whole_and_its_own(outcome: Outcome, *, chains: int) -> None:
    assert outcome.exit_code == 0, outcome.stderr
    assert sorted((sample["chain"], sample["step"]) for sample in outcome.samples) == [
        (chain, step) for chain in range(1, chains + 1) for step in range(1, STEPS + 1)
    ]
    assert {sample["run_id"] for sample in outcome.samples} == {outcome.plan["run_id"]}
    assert all(f"/{outcome.plan['run_id']}/" in sample["output_uri"] for sample in outcome.samples)
    assert outcome.failures == outcome.events("duplicate") == []
    check_sums(outcome.lines)
