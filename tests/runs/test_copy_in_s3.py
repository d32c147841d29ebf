"""Runs whose orchestrator's machine is lost: what `resume` and `tail` make of the copy in S3, and who may go on."""

from __future__ import annotations

import re
import signal
from collections import Counter
from pathlib import Path

import pytest

from orchestrator.report import metrics_file
from tests.runs.fleet import PREFIX, Fleet
from tests.runs.programs import Outcome, RunProgram
from tests.runs.saboteur import Saboteur
from tests.runs.waiting import eventually

CHAINS, STEPS = 3, 4
SIZE = (f"--chains={CHAINS}", f"--steps={STEPS}", "--concurrency=2", "--stall-timeout=2", "--metrics-sync-seconds=1")
ALL_ONCE = Counter((chain, step) for chain in range(1, CHAINS + 1) for step in range(1, STEPS + 1))


def steps_of(outcome: Outcome) -> Counter[tuple[int, int]]:
    return Counter((line["chain"], line["step"]) for line in outcome.samples)


def metrics_keys(fleet: Fleet, run_id: str) -> list[str]:
    """Keys of the run's objects that are no payloads, from the run's folder on."""
    found = [key.partition(f"/{run_id}/metrics/") for key in fleet.keys(PREFIX)]
    return [rest for _, folder, rest in found if folder]


def parts_of(fleet: Fleet, run_id: str) -> list[str]:
    return [key for key in metrics_keys(fleet, run_id) if key.startswith("parts/")]


def until_copied(fleet: Fleet, run: RunProgram) -> str:
    """Waits until the copy has as much as the run has written by now; the run's id."""
    run_id: str = run.lines()[0]["run_id"]
    [path] = (run.folder / "out").iterdir()
    whole_bytes = len(path.read_bytes().rpartition(b"\n")[0])

    def is_copied() -> bool:
        keys = [key for key in fleet.keys(PREFIX) if f"/parts/{run_id}/" in key]
        heads = [(key, fleet.clients.s3.head_object(Bucket=fleet.bucket, Key=key)) for key in keys]
        return any(int(key[-21:-6]) + head["ContentLength"] >= whole_bytes for key, head in heads)

    eventually("the copy has it all", is_copied)
    return run_id


def a_run_that_waits(fleet: Fleet, saboteur: Saboteur, *flags: str) -> RunProgram:
    """A run in the middle of which a step waits for `saboteur.go`."""
    fleet.worker(**saboteur.variables)
    run = fleet.start(*SIZE, *flags)
    run.until("3 samples", lambda so_far: len(so_far.samples) >= 3)
    saboteur.order("wait", "transform")
    saboteur.until_obeyed()
    return run


def rewritten(fleet: Fleet, run_id: str, old: bytes, new: bytes) -> None:
    """What the lease says, once whoever holds it writes it no more."""
    key = next(key for key in fleet.keys(PREFIX) if key.endswith(f"lease-{run_id}.json"))
    lease = fleet.clients.s3.get_object(Bucket=fleet.bucket, Key=key)["Body"].read()
    assert old in lease
    fleet.clients.s3.put_object(Bucket=fleet.bucket, Key=key, Body=lease.replace(old, new))


def not_waited_for_long(fleet: Fleet, run_id: str) -> None:
    rewritten(fleet, run_id, b'"interval_seconds":5.0', b'"interval_seconds":1.0')


def elsewhere(fleet: Fleet, name: str = "elsewhere") -> Path:
    folder = fleet.folder / name
    folder.mkdir()
    return folder


def test_a_run_whose_machine_is_lost_goes_on_from_the_copy_on_another(fleet: Fleet, saboteur: Saboteur) -> None:
    run = a_run_that_waits(fleet, saboteur)
    run_id = until_copied(fleet, run)
    run.kill()
    not_waited_for_long(fleet, run_id)
    [path] = (run.folder / "out").iterdir()
    kept = path.rename(path.with_suffix(".kept"))
    saboteur.go()

    outcome = fleet.resume(elsewhere(fleet), run_id, "--json")

    assert outcome.exit_code == 0, outcome.stderr
    assert steps_of(outcome) == ALL_ONCE
    assert outcome.summary["counts"]["chains_ok"] == CHAINS
    assert "made it from the copy in s3://" in outcome.stderr
    assert metrics_keys(fleet, run_id) == [f"metrics-{run_id}.jsonl"]
    assert fleet.results_queues(run_id) == []

    kept.rename(path)
    too_late = fleet.resume(run.folder, run_id)

    assert too_late.exit_code == 0, too_late.stderr
    assert "has finished" in too_late.stderr
    assert metrics_keys(fleet, run_id) == [f"metrics-{run_id}.jsonl"]


def test_a_copy_that_was_edited_is_refused_and_leaves_no_file_behind(fleet: Fleet, saboteur: Saboteur) -> None:
    run = a_run_that_waits(fleet, saboteur)
    run_id = until_copied(fleet, run)
    run.kill()
    key = next(key for key in fleet.keys(PREFIX) if f"/parts/{run_id}/" in key)
    part = fleet.clients.s3.get_object(Bucket=fleet.bucket, Key=key)["Body"].read()
    fleet.clients.s3.put_object(Bucket=fleet.bucket, Key=key, Body=part.replace(b'"run_id":', b'"run_di":'))
    folder = elsewhere(fleet)

    refused = fleet.resume(folder, run_id)

    assert refused.exit_code == 2
    assert "made it from the copy in s3://" in refused.stderr
    assert "Removed" in refused.stderr
    assert "line 1" in refused.stderr
    assert not list((folder / "out").iterdir())


def test_of_two_that_resume_at_once_one_goes_on(fleet: Fleet, saboteur: Saboteur) -> None:
    run = a_run_that_waits(fleet, saboteur)
    run_id = until_copied(fleet, run)
    run.kill()
    not_waited_for_long(fleet, run_id)
    both = [fleet.start_resume(elsewhere(fleet, name), run_id) for name in ("one", "other")]
    eventually("one has ended", lambda: any(each.process.poll() is not None for each in both))
    saboteur.go()

    refused, done = sorted((each.outcome() for each in both), key=lambda outcome: -outcome.exit_code)

    assert (refused.exit_code, done.exit_code) == (2, 0), refused.stderr + done.stderr
    assert re.search("goes on elsewhere|still going on", refused.stderr)
    assert not refused.events("resumed")
    assert steps_of(done) == ALL_ONCE


def test_an_orchestrator_that_was_taken_over_stops_at_its_next_renewal(fleet: Fleet, saboteur: Saboteur) -> None:
    run = a_run_that_waits(fleet, saboteur, "--stall-timeout=40")  # it looks around more often before that
    run_id = until_copied(fleet, run)
    run.send(signal.SIGSTOP)
    not_waited_for_long(fleet, run_id)
    resumed = fleet.start_resume(elsewhere(fleet), run_id)
    resumed.until("it has taken over", lambda so_far: so_far.events("resumed"))
    before = run.lines()
    run.send(signal.SIGCONT)

    stopped = run.outcome()
    saboteur.go()
    outcome = resumed.outcome()

    assert stopped.exit_code == 3, stopped.stderr
    assert "another orchestrator has taken over" in stopped.stderr
    assert "To go on with it" not in stopped.stderr
    assert stopped.lines[: len(before)] == before
    assert outcome.exit_code == 0, outcome.stderr
    assert steps_of(outcome) == ALL_ONCE
    assert metrics_keys(fleet, run_id) == [f"metrics-{run_id}.jsonl"]


def test_a_run_that_goes_on_is_not_taken_over(fleet: Fleet, saboteur: Saboteur) -> None:
    run = a_run_that_waits(fleet, saboteur)
    run_id = until_copied(fleet, run)

    folder = elsewhere(fleet)
    refused = fleet.resume(folder, run_id)

    assert refused.exit_code == 2
    assert "still going on" in refused.stderr
    assert list((folder / "out").iterdir()) == [], "what was fetched is gone again"
    assert f"python -m orchestrator tail {run_id}" in refused.stderr
    saboteur.go()
    assert steps_of(run.outcome()) == ALL_ONCE


def test_an_orchestrator_that_was_interrupted_leaves_its_last_lines_and_nobody_waits(
    fleet: Fleet, saboteur: Saboteur
) -> None:
    run = a_run_that_waits(fleet, saboteur, "--metrics-sync-seconds=3600")
    run.send(signal.SIGINT)
    interrupted = run.outcome()
    assert interrupted.exit_code == 130
    saboteur.go()
    run_id = interrupted.plan["run_id"]

    outcome = fleet.resume(elsewhere(fleet), run_id, "--json")

    assert outcome.exit_code == 0, outcome.stderr
    assert "watching" not in outcome.stderr
    assert outcome.lines[: len(interrupted.lines)] == interrupted.lines
    assert steps_of(outcome) == ALL_ONCE


def test_on_its_own_machine_a_dead_orchestrator_is_not_waited_for(fleet: Fleet, saboteur: Saboteur) -> None:
    run = a_run_that_waits(fleet, saboteur)
    run_id = until_copied(fleet, run)
    run.kill()
    saboteur.go()

    outcome = fleet.resume(run.folder, run_id, "--json")

    assert outcome.exit_code == 0, outcome.stderr
    assert "watching" not in outcome.stderr
    assert steps_of(outcome) == ALL_ONCE


def test_a_file_after_which_the_run_went_on_elsewhere_is_not_resumed(fleet: Fleet, saboteur: Saboteur) -> None:
    run = a_run_that_waits(fleet, saboteur)
    run_id = until_copied(fleet, run)
    run.kill()
    not_waited_for_long(fleet, run_id)
    [path] = (run.folder / "out").iterdir()
    with path.open("ab") as file:  # what was not copied in time
        file.write(path.read_bytes().splitlines(keepends=True)[1])
    lines = run.lines()
    saboteur.go()
    assert fleet.resume(elsewhere(fleet), run_id).exit_code == 0

    refused = fleet.resume(run.folder, run_id)

    assert refused.exit_code == 2
    assert "was gone on with elsewhere" in refused.stderr
    assert refused.lines == lines


def test_a_file_that_is_behind_the_copy_is_brought_up_to_it(fleet: Fleet, saboteur: Saboteur) -> None:
    run = a_run_that_waits(fleet, saboteur)
    run_id = until_copied(fleet, run)
    run.kill()
    before = run.lines()
    [path] = (run.folder / "out").iterdir()
    lines = path.read_bytes().splitlines(keepends=True)
    path.write_bytes(b"".join(lines[:6]) + lines[6][:9])
    saboteur.go()

    outcome = fleet.resume(run.folder, run_id, "--json")

    assert outcome.exit_code == 0, outcome.stderr
    assert outcome.lines[: len(before)] == before
    assert steps_of(outcome) == ALL_ONCE


def test_without_conditional_writes_a_resume_elsewhere_asks_for_force(
    fleet: Fleet, saboteur: Saboteur, monkeypatch: pytest.MonkeyPatch
) -> None:
    run = a_run_that_waits(fleet, saboteur)
    run_id = until_copied(fleet, run)
    run.kill()
    rewritten(fleet, run_id, b'"conditional":true', b'"conditional":false')  # as `start` leaves it on such a store
    folder = elsewhere(fleet)
    refused = fleet.resume(folder, run_id)
    assert refused.exit_code == 2
    assert "honours no conditional writes" in refused.stderr
    assert "--force" in refused.stderr
    saboteur.go()

    outcome = fleet.resume(folder, run_id, "--force", "--json")

    assert outcome.exit_code == 0, outcome.stderr
    assert steps_of(outcome) == ALL_ONCE


def test_a_run_that_nobody_knows_is_told_with_where_it_was_looked_for(fleet: Fleet) -> None:
    refused = fleet.resume(elsewhere(fleet), "20310203-040506-0a1b2c")

    assert refused.exit_code == 2
    assert "there is no metrics file out/metrics-20310203-040506-0a1b2c.jsonl" in refused.stderr


def test_tail_follows_the_copy_from_any_machine_to_its_end(fleet: Fleet, saboteur: Saboteur) -> None:
    run = a_run_that_waits(fleet, saboteur)
    run_id = until_copied(fleet, run)
    tail = fleet.tail(elsewhere(fleet), run_id, AWS_ENDPOINT_URL_SQS="http://127.0.0.1:9")  # no queue is there
    eventually("the first lines", lambda: len(tail.stdout.splitlines()) >= 5)
    saboteur.go()
    assert run.outcome().exit_code == 0

    assert tail.exit_code() == 0, tail.stderr

    [path] = (run.folder / "out").iterdir()
    assert tail.stdout == path.read_text()
    assert metrics_file.read(path).summary is not None
