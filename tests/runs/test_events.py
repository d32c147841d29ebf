from __future__ import annotations

from tests.runs.fleet import Fleet


def test_the_upload_of_the_first_payload_is_told_with_how_long_it_took(shared_fleet: Fleet) -> None:
    outcome = shared_fleet.run("--steps=1")

    (event,) = outcome.events("first_payload")
    assert event["duration_ns"] > 0
    assert event["payload"]["uri"] == outcome.samples[0]["input_uri"]
