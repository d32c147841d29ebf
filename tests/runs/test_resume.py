"""Runs whose orchestrator dies and is resumed: every step is in the metrics file once, and nothing is done over."""

from __future__ import annotations

import json
import resource
import signal
from collections import Counter
from pathlib import Path

import pytest
from botocore.exceptions import ClientError

from orchestrator.run import results_queue
from tests.runs.fleet import Fleet
from tests.runs.programs import Outcome, RunProgram
from tests.runs.saboteur import Saboteur
from tests.runs.waiting import eventually

CHAINS, STEPS = 4, 5
SIZE = (f"--chains={CHAINS}", f"--steps={STEPS}", "--concurrency=2", "--stall-timeout=2")
"""A step that was announced and not sent before a death is sent after STALL_TIMEOUT: that is waited for."""


def killed_after(run: RunProgram, samples: int) -> str:
    """Kills a run's orchestrator when it has so many samples; the run's id."""
    run.until(f"{samples} samples", lambda so_far: len(so_far.samples) >= samples)
    run.kill()
    run_id: str = run.lines()[0]["run_id"]
    return run_id


def killed_while_nothing_is_done(run: RunProgram) -> str:
    """Kills a run's orchestrator when its first step is announced; the run's id."""
    run.until("a dispatch", lambda so_far: so_far.events("dispatching"))
    run.kill()
    run_id: str = run.lines()[0]["run_id"]
    return run_id


def steps_of(outcome: Outcome) -> Counter[tuple[int, int]]:
    return Counter((line["chain"], line["step"]) for line in outcome.samples)


ALL_ONCE = Counter((chain, step) for chain in range(1, CHAINS + 1) for step in range(1, STEPS + 1))


def test_a_killed_run_ends_with_every_sample_once(fleet: Fleet) -> None:
    fleet.worker()
    run = fleet.start(*SIZE)
    run_id = killed_after(run, 7)

    outcome = fleet.resume(run.folder, run_id, "--json")

    assert outcome.exit_code == 0, outcome.stderr
    assert steps_of(outcome) == ALL_ONCE
    assert outcome.summary["counts"]["chains_ok"] == CHAINS
    assert len(outcome.events("resumed")) == 1
    assert outcome.lines[-1]["kind"] == "summary"
    assert fleet.results_queues(run_id) == []
    fleet.until_depth((0, 0))


@pytest.mark.parametrize("point", ["before SendMessage", "after ReceiveMessage"])
def test_the_death_of_an_orchestrator_costs_no_step_an_attempt(point: str, fleet: Fleet, saboteur: Saboteur) -> None:
    fleet.worker()
    saboteur.order_at("kill", f"orchestrator {point}")
    run = fleet.start("--chains=1", "--steps=2", "--stall-timeout=2", "--max-attempts=1", **saboteur.variables)
    saboteur.until_obeyed()
    run.process.wait()

    outcome = fleet.resume(run.folder, run.lines()[0]["run_id"], "--json")

    assert outcome.exit_code == 0, outcome.stderr
    assert steps_of(outcome) == Counter({(1, 1): 1, (1, 2): 1})
    assert outcome.events("lost") == []


def test_a_run_may_be_killed_again_and_again_and_its_worker_with_it(fleet: Fleet) -> None:
    # Hidden messages of dead workers come back soon.
    quick = {"VISIBILITY_TIMEOUT": "2"}
    worker = fleet.worker(**quick)
    run = fleet.start(*SIZE)
    run_id = killed_after(run, 3)
    worker.kill()
    fleet.worker(**quick)
    resumed = fleet.start_resume(run.folder, run_id)
    killed_after(resumed, 11)

    outcome = fleet.resume(run.folder, run_id, "--json")

    assert outcome.exit_code == 0, outcome.stderr
    assert steps_of(outcome) == ALL_ONCE
    first, second = [line["epoch"] for line in outcome.events("resumed")]
    assert 1 < first < second
    outputs = [line["output_uri"] for line in outcome.samples]
    assert len(set(outputs)) == len(outputs)


def test_a_step_in_flight_keeps_the_workers_figures_and_has_no_times_of_the_orchestrators(
    fleet: Fleet, saboteur: Saboteur
) -> None:
    fleet.worker(**saboteur.variables)
    saboteur.order("wait", "transform")
    run = fleet.start("--steps=3")
    saboteur.until_obeyed()
    run.kill()
    saboteur.go()

    outcome = fleet.resume(run.folder, run.lines()[0]["run_id"], "--json")

    first, second, third = sorted(outcome.samples, key=lambda line: int(line["step"]))
    times = ("dispatched_at_ns", "total_ns", "transit_ns", "redelivery_ns", "retry_ns", "turnaround_ns")
    assert first["interrupted"]
    assert [first[name] for name in times] == [None] * len(times)
    assert first["phases_ns"]["download"] > 0
    assert not second["interrupted"]
    assert None not in [second["total_ns"], second["turnaround_ns"], third["total_ns"], third["turnaround_ns"]]
    assert [line["wall_ns"] for line in outcome.events("chain_finished")] == [None]


def test_a_torn_last_line_is_cut_off(fleet: Fleet) -> None:
    fleet.worker()
    run = fleet.start(*SIZE)
    run_id = killed_after(run, 4)
    [path] = (run.folder / "out").iterdir()
    with path.open("a") as file:
        file.write('{"worker":"w1","kind":"samp')

    outcome = fleet.resume(run.folder, run_id, "--json")

    assert outcome.exit_code == 0, outcome.stderr
    assert steps_of(outcome) == ALL_ONCE


@pytest.mark.parametrize(
    ("told", "goes_on"), [({}, True), ({"METRICS_FSYNC": "false"}, False)], ids=["nothing", "false"]
)
def test_a_run_that_writes_through_to_the_disk_goes_on_so_unless_told_otherwise(
    fleet: Fleet, monkeypatch: pytest.MonkeyPatch, told: dict[str, str], goes_on: bool
) -> None:
    synced: list[int] = []
    run = fleet.start("--steps=1", "--stall-timeout=2", METRICS_FSYNC="true")
    run.until("a dispatch", lambda so_far: so_far.events("dispatching"))
    run.kill()
    fleet.worker()
    monkeypatch.setattr("orchestrator.run.journal.os.fsync", synced.append)

    outcome = fleet.resume(run.folder, run.lines()[0]["run_id"], **told)

    assert outcome.exit_code == 0, outcome.stderr
    assert bool(synced) == goes_on


def test_a_copy_that_lags_behind_loses_no_chain(fleet: Fleet) -> None:
    fleet.worker()
    run = fleet.start(*SIZE)
    run_id = killed_after(run, 9)
    [path] = (run.folder / "out").iterdir()
    lines = path.read_text().splitlines(keepends=True)
    path.write_text("".join(lines[: len(lines) // 2]))

    outcome = fleet.resume(run.folder, run_id, "--json")

    assert outcome.exit_code == 0, outcome.stderr
    assert outcome.summary["counts"]["chains_ok"] == CHAINS
    assert set(steps_of(outcome).values()) == {1}
    assert {(chain, STEPS) for chain in range(1, CHAINS + 1)} <= set(steps_of(outcome))


def test_a_run_that_goes_on_is_not_resumed(fleet: Fleet) -> None:
    run = fleet.start(*SIZE)
    run.until("a dispatch", lambda so_far: so_far.events("dispatching"))

    refused = fleet.resume(run.folder, run.lines()[0]["run_id"])

    assert refused.exit_code == 2
    assert "still going on" in refused.stderr
    assert f"python -m orchestrator tail out/metrics-{run.lines()[0]['run_id']}.jsonl follows it" in refused.stderr
    assert refused.stderr.count("\n") == 1
    assert not refused.events("resumed")


def test_a_run_that_was_interrupted_says_how_to_go_on_and_does(fleet: Fleet) -> None:
    run = fleet.start(*SIZE)
    run.until("a dispatch", lambda so_far: so_far.events("dispatching"))
    for asked in (signal.SIGINT, signal.SIGTERM, signal.SIGHUP):
        run.send(asked)
    eventually("it says so", lambda: "Interrupted" in run.stderr)
    run.send(signal.SIGTERM)
    stopped = run.outcome()
    run_id = stopped.plan["run_id"]
    assert stopped.exit_code == 130
    assert "Traceback" not in stopped.stderr
    for command in ("report", "resume"):
        assert f": python -m orchestrator {command} out/metrics-{run_id}.jsonl\n" in stopped.stderr
    fleet.worker()

    outcome = fleet.resume(run.folder, run_id, "--json")

    assert outcome.exit_code == 0, outcome.stderr
    assert steps_of(outcome) == ALL_ONCE
    assert [line["event"] for line in outcome.of_kind("event") if line["event"] in ("interrupted", "resumed")] == [
        "interrupted",
        "resumed",
    ]


@pytest.mark.skipif(not hasattr(resource, "prlimit"), reason="another process's limits are set on Linux alone")
def test_a_full_disk_stops_the_run_keeps_what_is_there_and_the_run_goes_on_once_there_is_room(fleet: Fleet) -> None:
    run = fleet.start(*SIZE)
    run.until("a dispatch", lambda so_far: so_far.events("dispatching"))
    [path] = (run.folder / "out").iterdir()
    room_bytes = path.stat().st_size + 1
    resource.prlimit(run.process.pid, resource.RLIMIT_FSIZE, (room_bytes, room_bytes))
    fleet.worker()
    stopped = run.outcome()
    run_id = stopped.plan["run_id"]
    assert stopped.exit_code == 3
    assert stopped.stderr.splitlines() == [
        f"cannot write to out/{path.name}: File too large; make room there",
        f"All that is known of it: python -m orchestrator report out/{path.name}",
        f"To go on with it: python -m orchestrator resume out/{path.name}",
    ]
    assert not stopped.samples
    assert path.stat().st_size == room_bytes - 1

    outcome = fleet.resume(run.folder, run_id, "--json")

    assert outcome.exit_code == 0, outcome.stderr
    assert steps_of(outcome) == ALL_ONCE


def test_a_run_that_has_sent_nothing_does_not_say_that_it_can_be_resumed(fleet: Fleet, saboteur: Saboteur) -> None:
    saboteur.order_at("kill", "maker before PutObject")
    run = fleet.start(*SIZE, **saboteur.variables)
    stopped = run.outcome()

    assert stopped.exit_code == 3
    assert "ended with -9" in stopped.stderr
    assert stopped.stderr.endswith(
        "The run cannot be resumed: its first payload was not in S3 yet, so nothing was sent.\n"
    )
    refused = fleet.resume(run.folder, stopped.plan["run_id"])
    assert refused.exit_code == 3


def test_a_finished_run_says_so_and_changes_nothing(fleet: Fleet) -> None:
    fleet.worker()
    run = fleet.start("--steps=2")
    finished = run.outcome()

    again = fleet.resume(run.folder, finished.plan["run_id"])

    assert again.exit_code == 0
    assert "has finished: 1 of 1 chain done" in again.stderr
    assert again.lines == finished.lines


def test_failed_chains_are_tried_again_when_asked_for(fleet: Fleet, saboteur: Saboteur) -> None:
    fleet.worker(**saboteur.variables)
    saboteur.order("kill", "upload")
    run = fleet.start("--steps=2", MAX_ATTEMPTS="1", CLEANUP="true")  # which leaves them what they begin with
    failed = run.outcome()
    assert failed.exit_code == 1
    run_id = failed.plan["run_id"]
    assert f"python -m orchestrator resume --retry-failed out/metrics-{run_id}.jsonl\n" in failed.stdout
    told = fleet.resume(run.folder, run_id)
    assert (told.exit_code, told.lines) == (0, failed.lines)
    assert "0 of 1 chain done, 1 failed (--retry-failed tries them again)" in told.stderr

    outcome = fleet.resume(run.folder, run_id, "--retry-failed", "--json")

    assert outcome.exit_code == 0, outcome.stderr
    assert [(line["step"], line["attempt"]) for line in outcome.samples] == [(1, 2), (2, 1)]
    assert outcome.summary["counts"]["chains_failed"] == 0


def test_a_finished_run_whose_queue_is_refused_stays_finished(
    fleet: Fleet, saboteur: Saboteur, monkeypatch: pytest.MonkeyPatch
) -> None:
    def deleted_recently(*_: object) -> None:
        error = {"Code": "AWS.SimpleQueueService.QueueDeletedRecently", "Message": "wait 60 seconds"}
        raise ClientError({"Error": error}, "CreateQueue")  # type: ignore[typeddict-item] # all that SQS tells

    fleet.worker(**saboteur.variables)
    saboteur.order("kill", "upload")
    run = fleet.start("--steps=2", MAX_ATTEMPTS="1")
    failed = run.outcome()
    monkeypatch.setattr(results_queue, "create", deleted_recently)

    refused = fleet.resume(run.folder, failed.plan["run_id"], "--retry-failed")

    assert refused.exit_code == 3
    assert "was deleted a minute ago; try again" in refused.stderr
    assert refused.lines == failed.lines


def test_a_run_is_not_resumed_on_another_emulated_stack_than_its_own(fleet: Fleet) -> None:
    run = fleet.start(*SIZE)
    run_id = killed_while_nothing_is_done(run)

    refused = fleet.resume(run.folder, run_id, AWS_ENDPOINT_URL_SQS="http://127.0.0.1:9")

    assert refused.exit_code == 2
    assert "there is nothing to resume from" in refused.stderr
    assert not refused.events("resumed")


@pytest.mark.parametrize(
    ("flags", "told"),
    [
        (["--steps=7"], "--steps (STEPS): 7 contradicts run"),
        (["--serializer=arrow", "--chains=9"], "--chains (CHAINS): 9 contradicts run"),
    ],
)
def test_settings_that_contradict_the_run_are_refused(fleet: Fleet, flags: list[str], told: str) -> None:
    run = fleet.start(*SIZE)
    run.until("a dispatch", lambda so_far: so_far.events("dispatching"))
    run.kill()

    refused = fleet.resume(run.folder, run.lines()[0]["run_id"], *flags)

    assert refused.exit_code == 2
    assert told in refused.stderr
    assert refused.stderr.count("\n") == len(flags)
    assert not refused.events("resumed")


def test_a_run_on_a_fleet_goes_on_there_and_contradicts_another_only_where_that_was_asked_for(fleet: Fleet) -> None:
    other = fleet.new_queue("other")
    fleets = {"mine": {"steps_queue_url": fleet.steps_queue_url}, "default": {"steps_queue_url": other}}
    as_the_stack_prints = {"ORCH_FLEETS": json.dumps(fleets), "ORCH_STEPS_QUEUE_URL": other}
    run = fleet.start(*SIZE, "--fleet=mine", **as_the_stack_prints)
    run.until("a dispatch", lambda so_far: so_far.events("dispatching"))
    run.kill()
    first = run.lines()[0]
    assert (first["settings"]["ORCH_FLEET"], first["plan"]["steps_queue_url"]) == ("mine", fleet.steps_queue_url)

    for flag, value in (("--fleet", "default"), ("--steps-queue-url", other)):
        refused = fleet.resume(run.folder, first["run_id"], f"{flag}={value}", **as_the_stack_prints)
        assert refused.exit_code == 2
        assert refused.stderr.startswith(f"{flag} (")
        assert f": {other} contradicts run {first['run_id']}" in refused.stderr

    fleet.worker()
    outcome = fleet.resume(run.folder, first["run_id"], **as_the_stack_prints)
    assert outcome.exit_code == 0, outcome.stderr


def test_the_file_of_one_run_is_not_taken_for_anothers(fleet: Fleet) -> None:
    run = fleet.start(*SIZE)
    run.until("a dispatch", lambda so_far: so_far.events("dispatching"))
    run.kill()
    [path] = (run.folder / "out").iterdir()
    another = "20200101-000000-abcdef"
    path.rename(path.with_name(f"metrics-{another}.jsonl"))

    refused = fleet.resume(run.folder, another)

    assert refused.exit_code == 2
    assert refused.stderr == (
        f"out/metrics-{another}.jsonl line 1 is of run {refused.plan['run_id']}, and the file has another run's name; "
        f"call it {path.name}\n"
    )
    assert not refused.events("resumed")


def test_what_died_with_its_embedded_stack_has_nothing_to_go_on_from(fleet: Fleet) -> None:
    run = fleet.start(*SIZE)
    run.until("a dispatch", lambda so_far: so_far.events("dispatching"))
    run.kill()
    [path] = (run.folder / "out").iterdir()
    first, *others = path.read_text().splitlines()
    head = json.loads(first)
    head["settings"]["ORCH_BUCKET"] = None
    Path(path).write_text("\n".join([json.dumps(head), *others]) + "\n")

    refused = fleet.resume(run.folder, head["run_id"])

    assert refused.exit_code == 3
    assert "embedded stack" in refused.stderr
    assert "local" in refused.stderr
