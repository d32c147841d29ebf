"""`dead-letters` on an emulated queue: what workers left to redrive is listed with its reason, sent back, purged."""

from __future__ import annotations

import json
from collections.abc import Iterator
from pathlib import Path
from time import time
from typing import Any

import pytest

from orchestrator.local.stack import Stack
from orchestrator.upkeep.dead_letter_queue import Look
from stepbench.aws import Clients
from stepbench.messages import StepMessage
from stepbench.s3_uris import uri
from tests.factories import make_message, make_output_spec
from tests.runs.commands import orchestrator, orchestrator_unread
from tests.runs.fleet import PREFIX, Fleet

RECEIVES = 2


@pytest.fixture
def fleet(stack: Stack, clients: Clients, tmp_path: Path) -> Iterator[Fleet]:
    """Buries what was received twice, so that a test need not wait for five receives."""
    made = Fleet(stack, clients, tmp_path, max_receive_count=RECEIVES)
    yield made
    made.close()


def sound(fleet: Fleet, **changes: Any) -> StepMessage:
    """A step message that a worker of `fleet` would run, unless `changes` keep it from that."""
    output = make_output_spec(key_prefix=uri(fleet.bucket, f"{PREFIX}by-hand/dead-"))
    results = changes.pop("results_queue_url", None) or fleet.new_queue("stepbench-results")
    return make_message(**{"input": fleet.put_payload(), "output": output, "results_queue_url": results, **changes})


def bury(fleet: Fleet, *messages: StepMessage | str) -> None:
    """Makes dead letters of them as workers would that take them and die."""
    before = sum(fleet.depth(fleet.dead_letters_url))
    for message in messages:
        fleet.send(message)
    die_with_all(fleet)
    assert sum(fleet.depth(fleet.dead_letters_url)) == before + len(messages)


def die_with_all(fleet: Fleet) -> None:
    """Takes whatever is in the steps queue and hands it back, until it is a dead letter."""
    while sum(fleet.depth()):
        taken = fleet.queue().receive(10, 0)
        fleet.queue().hide([message.receipt for message in taken], 0)


def listed(fleet: Fleet, *flags: str) -> dict[str, Any]:
    answer = orchestrator(fleet, "dead-letters", "--json", *flags)
    assert answer.returncode == 0, answer.stderr
    listing: dict[str, Any] = json.loads(answer.stdout)
    return listing


def bodies(fleet: Fleet, url: str) -> list[str]:
    """Of all messages in a queue; they are handed back."""
    taken = []
    while found := fleet.queue(url).receive(10, 0):
        taken += found
    fleet.queue(url).hide([message.receipt for message in taken], 0)
    return sorted(message.body for message in taken)


def test_what_workers_left_to_redrive_is_listed_with_what_is_wrong_with_it(fleet: Fleet) -> None:
    message = sound(fleet)
    as_json = json.loads(message.model_dump_json())
    refused = [
        "no JSON",
        json.dumps(as_json | {"v": 2}),
        json.dumps({name: value for name, value in as_json.items() if name != "input"}),
        json.dumps(as_json | {"results_queue_url": fleet.new_queue("not-a-results-queue")}),
    ]
    worker = fleet.worker(VISIBILITY_TIMEOUT="2")
    for body in refused:
        fleet.send(body)
    fleet.until_depth((len(refused), 0), fleet.dead_letters_url)
    worker.kill()

    letters = {letter["reason"]: letter for letter in listed(fleet)["letters"]}

    kinds = sorted(letter["kind"] for letter in letters.values())
    assert kinds == ["not understood", "not understood", "refused", "unknown version"]
    (unknown,) = [letter for letter in letters.values() if letter["kind"] == "unknown version"]
    assert unknown["reason"] == "unknown version: 2, where workers know 1"
    assert (unknown["run"], unknown["chain"], unknown["step"], unknown["attempt"]) == ("r1", 1, 1, 1)
    assert "cannot be understood: StepMessage refused: input: Field required" in letters
    assert any("Invalid JSON" in reason for reason in letters)
    assert any("ORCH_RESULTS_QUEUE_PREFIX" in reason for reason in letters)
    assert all(letter["receive_count"] > RECEIVES for letter in letters.values())


def test_every_other_reason_is_told_too(fleet: Fleet) -> None:
    gone = fleet.new_queue("stepbench-results")
    fleet.clients.sqs.delete_queue(QueueUrl=gone)
    elsewhere = uri(fleet.bucket, "elsewhere/x")
    bury(
        fleet,
        sound(fleet),
        sound(fleet, results_queue_url=gone),
        sound(fleet, expires_at=time() - 1),
        sound(fleet, output=make_output_spec(key_prefix=elsewhere)),
        sound(fleet, output=make_output_spec(key_prefix=uri("another-bucket", f"{PREFIX}x"))),
    )

    reasons = {letter["reason"] for letter in listed(fleet)["letters"]}

    beginnings = (
        "understood: its workers died",
        "nobody waits for it",
        "expired at 20",
        f"refused: {elsewhere} is not",
    )
    for beginning in (*beginnings, "refused: s3://another-bucket/"):
        assert len([reason for reason in reasons if reason.startswith(beginning)]) == 1, reasons


def test_listing_changes_nothing(fleet: Fleet) -> None:
    poison = [f"poison {number:02}" for number in range(23)]
    bury(fleet, *poison)

    listing = listed(fleet)

    assert len({letter["message_id"] for letter in listing["letters"]}) == len(poison)
    assert (listing["sent_back"], listing["purged"]) == (None, None)
    assert fleet.depth(fleet.dead_letters_url) == (len(poison), 0)
    assert bodies(fleet, fleet.dead_letters_url) == poison


def test_what_somebody_else_looks_at_is_told_and_not_taken_for_nothing(fleet: Fleet) -> None:
    bury(fleet, "poison")
    fleet.take(fleet.dead_letters_url)

    listing = listed(fleet)

    assert (listing["letters"], listing["hidden"]) == ([], 1)


def test_a_person_is_told_in_lines_that_a_terminal_can_be_trusted_with(fleet: Fleet) -> None:
    bury(fleet, json.dumps({"v": "\x1b[2J\n9", "run": "r\x1b[1m1", "chain": 7}), sound(fleet, step=4))

    answer = orchestrator(fleet, "dead-letters")

    assert answer.returncode == 0, answer.stderr
    assert "\x1b" not in answer.stdout
    assert "2 dead letters in dead-" in answer.stdout
    assert "    run r [1m1, chain 7\n" in answer.stdout
    assert "    run r1, chain 1, step 4, attempt 1\n    understood: its workers died" in answer.stdout


def test_a_run_whose_steps_died_with_their_workers_ends_once_they_are_sent_back(fleet: Fleet) -> None:
    run = fleet.start("--chains=3", "--steps=2", "--concurrency=3")
    run.until("its first steps are sent", lambda so_far: len(so_far.events("dispatching")) == 3)
    fleet.until_depth((3, 0))
    die_with_all(fleet)
    bury(fleet, "poison")
    run_id = run.lines()[0]["run_id"]

    assert len(listed(fleet)["letters"]) == 4
    of_the_run = listed(fleet, "--run", run_id, "--send-back")

    assert {(letter["chain"], letter["step"], letter["attempt"]) for letter in of_the_run["letters"]} == {
        (1, 1, 1),
        (2, 1, 1),
        (3, 1, 1),
    }
    assert of_the_run["sent_back"] == 3
    assert bodies(fleet, fleet.dead_letters_url) == ["poison"]
    fleet.worker()
    outcome = run.outcome()
    assert outcome.exit_code == 0, outcome.stderr
    assert len(outcome.samples) == 6
    assert outcome.events("lost") == []


def test_what_no_worker_would_run_is_sent_back_only_when_all_is_asked_for(fleet: Fleet) -> None:
    bury(fleet, "poison", sound(fleet))

    answer = orchestrator(fleet, "dead-letters", "--send-back")

    assert "1 sent back, 1 left (--send-back --all" in answer.stdout
    assert fleet.depth() == (1, 0)
    assert bodies(fleet, fleet.dead_letters_url) == ["poison"]
    assert listed(fleet, "--send-back", "--all")["sent_back"] == 1
    assert fleet.depth() == (2, 0)
    assert fleet.depth(fleet.dead_letters_url) == (0, 0)


def test_a_step_goes_back_in_the_group_that_it_was_sent_in(fleet: Fleet) -> None:
    message = sound(fleet)
    fleet.clients.sqs.send_message(
        QueueUrl=fleet.steps_queue_url, MessageBody=message.model_dump_json(), MessageGroupId="of-its-run"
    )
    die_with_all(fleet)

    listed(fleet, "--send-back")

    (back,) = fleet.clients.sqs.receive_message(
        QueueUrl=fleet.steps_queue_url, MessageSystemAttributeNames=["MessageGroupId"]
    )["Messages"]
    assert back["Attributes"] == {"MessageGroupId": "of-its-run"}


def test_purging_deletes_what_is_listed_and_nothing_else(fleet: Fleet) -> None:
    unwanted = "20310203-040506-0a1b2c"
    bury(fleet, "poison", sound(fleet, run="wanted"), sound(fleet, run=unwanted))

    answer = orchestrator(fleet, "dead-letters", "--purge", "--yes", "--run", unwanted)

    assert answer.returncode == 0, answer.stderr
    assert "1 purged, 0 left." in answer.stdout
    assert sorted(str(letter["run"]) for letter in listed(fleet)["letters"]) == ["None", "wanted"]
    assert fleet.depth(fleet.dead_letters_url) == (2, 0)
    assert fleet.depth() == (0, 0)


@pytest.mark.parametrize("action", ["--purge", "--send-back"])
def test_what_is_to_be_done_is_done_to_its_end_though_nobody_reads_the_words(fleet: Fleet, action: str) -> None:
    bury(fleet, *(sound(fleet) for _ in range(11)))

    answer = orchestrator_unread(fleet, "dead-letters", action, "--yes")

    assert (answer.returncode, answer.stderr) == (0, "")
    assert fleet.depth(fleet.dead_letters_url) == (0, 0)
    assert fleet.depth() == (11 if action == "--send-back" else 0, 0)


def test_without_a_terminal_and_without_yes_nothing_is_purged(fleet: Fleet) -> None:
    bury(fleet, "poison")

    answer = orchestrator(fleet, "dead-letters", "--purge")

    assert (answer.returncode, answer.stdout) == (2, "")
    assert "--yes" in answer.stderr
    assert bodies(fleet, fleet.dead_letters_url) == ["poison"]


@pytest.mark.parametrize(
    ("flags", "told"),
    [(["--all"], "--all is for --send-back"), (["--purge", "--all"], "--all is for"), (["--run", "nope"], "no run id")],
)
def test_flags_that_would_do_nothing_are_wrong_usage(flags: list[str], told: str, fleet: Fleet) -> None:
    answer = orchestrator(fleet, "dead-letters", *flags, "--yes")

    assert (answer.returncode, answer.stdout) == (2, "")
    assert told in answer.stderr


def test_a_steps_queue_without_a_dead_letter_queue_is_told_how_to_get_one(fleet: Fleet) -> None:
    answer = orchestrator(fleet, "dead-letters", ORCH_STEPS_QUEUE_URL=fleet.new_queue("bare"))

    assert (answer.returncode, answer.stdout) == (3, "")
    assert "RedrivePolicy" in answer.stderr
    assert answer.stderr.count("\n") == 1


def test_without_a_bucket_there_is_no_fleet_to_look_after(fleet: Fleet) -> None:
    answer = orchestrator(fleet, "dead-letters", ORCH_BUCKET="", ORCH_STEPS_QUEUE_URL="")

    assert (answer.returncode, answer.stdout) == (2, "")
    assert "--bucket (ORCH_BUCKET)" in answer.stderr


def test_a_look_that_is_broken_off_hands_back_what_was_seen(fleet: Fleet) -> None:
    bury(fleet, *(f"poison {number:02}" for number in range(12)))

    def broken_off() -> None:
        with Look(fleet.clients.sqs, fleet.dead_letters_url) as look:
            next(iter(look))
            raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        broken_off()

    assert fleet.depth(fleet.dead_letters_url) == (12, 0)
