from __future__ import annotations

from tests.runs.fleet import Fleet


def test_the_upload_of_the_first_payload_is_told_with_how_long_it_took(shared_fleet: Fleet) -> None:
    outcome = shared_fleet.run("--steps=1")

    (event,) = outcome.events("first_payload")
    assert event["duration_ns"] > 0
    assert event["payload"]["uri"] == outcome.samples[0]["input_uri"]


def test_both_sides_tell_what_they_have_sent_to_sqs(shared_fleet: Fleet) -> None:
    outcome = shared_fleet.run("--steps=3")

    (event,) = outcome.events("closing")
    assert event["sqs_requests"] >= 3 * 2  # each step is sent and its completion received
    told = [sample["sqs_requests"] for sample in outcome.samples]
    assert all(count >= 2 for count in told[1:])  # a completion sent and the next step received
