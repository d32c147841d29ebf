from __future__ import annotations

from time import monotonic

from stepbench.messages import StepMessage
from tests.runs.fleet import Fleet
from tests.runs.saboteur import Saboteur
from tests.runs.sums import check_sums
from tests.runs.waiting import eventually

STALL_SECONDS = 1


def test_a_step_beyond_its_timeout_is_ended_until_its_attempts_are_used_up(fleet: Fleet) -> None:
    worker = fleet.worker()

    outcome = fleet.run(
        "--steps=2", "--transform=cpu", "--transform-cpu-ms=60000", "--step-timeout=1", "--max-attempts=2", "--json"
    )

    assert outcome.exit_code == 1
    assert [(failure["attempt"], failure["phase"]) for failure in outcome.failures] == [
        (1, "transform"),
        (2, "transform"),
    ]
    assert {failure["error_class"] for failure in outcome.failures} == {"StepTimeout"}
    assert all("STEP_TIMEOUT=1" in failure["message"] for failure in outcome.failures)
    assert outcome.samples == []
    assert [(end["ok"], end["wall_ns"]) for end in outcome.events("chain_finished")] == [(False, None)]
    assert outcome.summary["counts"]["chains_failed"] == 1
    assert worker.process.poll() is None


def test_a_step_stuck_in_c_code_fails_its_chain_while_the_others_go_on(fleet: Fleet, saboteur: Saboteur) -> None:
    fleet.worker(**saboteur.variables)
    saboteur.order("hold", "compress")

    outcome = fleet.run("--steps=2", "--chains=3", "--step-timeout=3", "--max-attempts=1", "--json")

    assert outcome.exit_code == 1
    assert [(failure["error_class"], failure["phase"]) for failure in outcome.failures] == [("StepTimeout", "compress")]
    stuck = outcome.failures[0]["chain"]
    others = {1, 2, 3} - {stuck}
    assert sorted((sample["chain"], sample["step"]) for sample in outcome.samples) == [
        (chain, step) for chain in sorted(others) for step in (1, 2)
    ]
    counts = outcome.summary["counts"]
    assert (counts["chains_ok"], counts["chains_failed"], counts["failures"]) == (2, 1, 1)
    check_sums(outcome.lines)


def test_a_backlog_and_a_step_that_last_longer_than_every_timeout_fail_nothing(
    fleet: Fleet, saboteur: Saboteur
) -> None:
    run = fleet.start("--steps=2", f"--stall-timeout={STALL_SECONDS}", "--step-timeout=30")
    run.until("the first step is dispatched", lambda so_far: so_far.events("dispatching"))
    dispatched_at = monotonic()
    eventually("it has waited long enough", lambda: monotonic() > dispatched_at + 4 * STALL_SECONDS)
    saboteur.order("wait", "transform")
    fleet.worker(**saboteur.variables)
    saboteur.until_obeyed()
    begun_at = monotonic()
    eventually("it has worked long enough", lambda: monotonic() > begun_at + 4 * STALL_SECONDS)
    saboteur.go()

    outcome = run.outcome()

    assert outcome.exit_code == 0, outcome.stderr
    assert [(sample["step"], sample["attempt"]) for sample in outcome.samples] == [(1, 1), (2, 1)]
    assert outcome.failures == outcome.events("lost") == []
    first = outcome.samples[0]
    assert first["queue_wait_ns"] > 3 * STALL_SECONDS * 1e9
    assert first["done_at_ns"] - first["begun_at_ns"] > 3 * STALL_SECONDS * 1e9
    check_sums(outcome.lines)


def test_a_step_that_vanished_is_given_up_as_lost_and_dispatched_again(fleet: Fleet) -> None:
    run = fleet.start("--steps=2", f"--stall-timeout={STALL_SECONDS}", "--json")
    fleet.queue().delete([fleet.take().receipt])
    run.until("the second attempt is dispatched", lambda so_far: so_far.events("dispatching")[1:])
    fleet.worker()

    outcome = run.outcome()

    assert outcome.exit_code == 0, outcome.stderr
    assert [(event["step"], event["attempt"]) for event in outcome.events("lost")] == [(1, 1)]
    assert [(sample["step"], sample["attempt"], sample["late"]) for sample in outcome.samples] == [
        (1, 2, False),
        (2, 1, False),
    ]
    assert outcome.samples[0]["retry_ns"] > STALL_SECONDS * 1e9
    assert (outcome.summary["counts"]["lost"], outcome.summary["counts"]["retries"]) == (1, 1)
    check_sums(outcome.lines)


def test_a_completion_that_comes_after_its_step_was_given_up_is_accepted_as_late(fleet: Fleet) -> None:
    run = fleet.start("--steps=2", f"--stall-timeout={STALL_SECONDS}", "--json")
    first = fleet.take()
    fleet.queue().delete([first.receipt])
    run.until("the step is given up", lambda so_far: so_far.events("lost"))
    second = StepMessage.model_validate_json(fleet.take().body)
    assert (second.step, second.attempt) == (1, 2)
    fleet.send(first.body)
    fleet.worker()

    outcome = run.outcome()

    assert outcome.exit_code == 0, outcome.stderr
    assert [(sample["step"], sample["attempt"], sample["late"]) for sample in outcome.samples] == [
        (1, 1, True),
        (2, 1, False),
    ]
    assert outcome.summary["counts"]["late"] == 1
    check_sums(outcome.lines)
