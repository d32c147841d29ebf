"""Real workers beside an agent of ECS's."""

from __future__ import annotations

from pathlib import Path

from tests.ecs_agent import agent_at_work
from tests.runs.fleet import Fleet
from tests.runs.saboteur import Saboteur
from tests.runs.waiting import eventually


def test_a_worker_in_a_task_has_it_protected_while_it_has_a_step_and_then_lets_it_go(
    fleet: Fleet, tmp_path: Path
) -> None:
    saboteur = Saboteur(tmp_path)
    saboteur.order("wait", "transform")
    with agent_at_work() as agent:
        fleet.worker(ECS_AGENT_URI=agent.uri, **saboteur.variables)
        assert agent.asked == []
        run = fleet.start("--steps=1")
        eventually("the task is protected", lambda: agent.asked)
        saboteur.go()
        assert run.outcome().exit_code == 0
        eventually("the task may go", lambda: len(agent.asked) > 1)

    assert [asked["ProtectionEnabled"] for asked in agent.asked] == [True, False]


def test_a_worker_whose_agent_refuses_does_its_steps_all_the_same(fleet: Fleet) -> None:
    refusal = '{"error": {"Code": "AccessDeniedException", "Message": "not authorized"}}'
    with agent_at_work() as agent:
        agent.answers = lambda *_: (400, refusal)
        worker = fleet.worker(ECS_AGENT_URI=agent.uri)
        outcome = fleet.run("--steps=2", "--transform=cpu", "--transform-cpu-ms=700")
        (told,) = worker.until_logged("could not have this task protected from being scaled in, or no longer")

    assert outcome.exit_code == 0, outcome.stderr
    assert "AccessDeniedException: not authorized" in told["why"]
