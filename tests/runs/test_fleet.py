"""`fleet wait` with real workers."""

from __future__ import annotations

import json

from tests.runs.commands import orchestrator
from tests.runs.fleet import Fleet


def test_it_waits_until_as_many_workers_of_the_fleet_have_answered_as_are_wanted(fleet: Fleet) -> None:
    mine, other = fleet.steps_queue_url, fleet.new_queue("other")
    known = json.dumps({"mine": {"steps_queue_url": mine}, "other": {"steps_queue_url": other}})
    variables = {"ORCH_FLEETS": known, "ORCH_STEPS_QUEUE_URL": other}

    too_early = orchestrator(fleet, "fleet", "wait", "mine", "2", "--wait", "1", **variables)
    for _ in range(2):
        fleet.worker()
    in_time = orchestrator(fleet, "fleet", "wait", "mine", "2", **variables)

    assert (too_early.returncode, in_time.returncode) == (3, 0), in_time.stdout + in_time.stderr
    assert "2 answered" in in_time.stdout
