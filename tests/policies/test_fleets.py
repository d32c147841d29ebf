"""What becomes of a fleet on ECS when a run may not look after it, and of a task that may not protect itself."""

from __future__ import annotations

import json
from typing import Any

import pytest

from tests.ecs_agent import agent_at_work
from tests.policies.place import CLUSTER, SMALL, START, Place, allow
from tests.policies.taken_away import TO_PROTECT_ITS_TASK, TO_START_THE_FLEET, Allowed
from tests.runs.waiting import eventually

pytestmark = pytest.mark.infra


@pytest.mark.parametrize("without", [None, *TO_START_THE_FLEET], ids=str)
def test_without_it_a_run_does_not_start_its_fleet_says_why_and_goes_on(place: Place, without: Allowed | None) -> None:
    fleet = place.new_fleet()
    allow(place, "orchestrator", without, **fleet)
    with place.working():
        ended = place.run_as(place.orchestrator, *START, *SMALL, **fleet)

    assert ended.returncode == 0, ended.stderr
    assert place.account.desired_count(CLUSTER, place.worker.name) == (1 if without is None else 0)
    [said] = ended.stderr.splitlines()
    assert said.startswith("Fleet small had no tasks" if without is None else "Fleet small could not be looked after, ")
    if without is not None:
        statement = json.loads(said.partition("allows it: ")[2])
        assert (statement["Sid"], f"{without[1]} was refused" in said) == (without[0], True)


@pytest.mark.parametrize("without", [None, TO_PROTECT_ITS_TASK], ids=["with it", "without it"])
def test_without_it_a_workers_task_is_not_protected_and_its_steps_are_done_all_the_same(
    place: Place, without: Allowed | None
) -> None:
    ecs, fleet = place.account.client_of(place.worker, "ecs"), place.new_fleet()
    allow(place, "worker", without, **fleet)

    def ask_ecs(_: int, asked: dict[str, Any]) -> tuple[int, str]:
        """As the agent does, in the name of the task's role."""
        try:
            ecs.update_task_protection(cluster=CLUSTER, tasks=["1"], protectionEnabled=asked["ProtectionEnabled"])
        except ecs.exceptions.ClientError as error:
            return 400, json.dumps({"error": error.response["Error"]})
        return agent.granted(asked)

    with agent_at_work() as agent:
        agent.answers = ask_ecs
        with place.working(ECS_AGENT_URI=agent.uri) as worker:
            ended = place.run_as(place.orchestrator, *START, *SMALL, "--transform=cpu", "--transform-cpu-ms=800")
            eventually("the agent is asked", lambda: agent.asked)

    assert ended.returncode == 0, ended.stderr
    told = worker.log_lines("could not have this task protected from being scaled in, or no longer")
    assert [TO_PROTECT_ITS_TASK[1] in line["why"] for line in told] == ([] if without is None else [True])
