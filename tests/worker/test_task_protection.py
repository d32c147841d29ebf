"""When a worker has its task protected; a real one and its agent are in tests/runs/test_task_protection.py."""

from __future__ import annotations

import json
import threading
from collections.abc import Iterator

import pytest
from structlog.testing import capture_logs

from tests.ecs_agent import Agent, agent_at_work
from worker import task_protection
from worker.task_protection import (
    ASK_AGAIN_SECONDS,
    EXPIRES_MINUTES,
    IDLE_SECONDS,
    LOOK_SECONDS,
    TRY_AGAIN_SECONDS,
    TaskProtection,
)

PROTECT = {"ProtectionEnabled": True, "ExpiresInMinutes": EXPIRES_MINUTES}
RELEASE = {"ProtectionEnabled": False}


@pytest.fixture
def agent() -> Iterator[Agent]:
    with agent_at_work() as agent:
        yield agent


class Guarded:
    """A protection whose clock stands still between two looks."""

    def __init__(self, uri: str) -> None:
        self.now = 0.0
        self._protection = TaskProtection(uri, lambda: self.now)

    def look(self, *, has_steps: bool, after_seconds: float = LOOK_SECONDS) -> None:
        self.now += after_seconds
        self._protection.look(has_steps=has_steps)

    def look_for(self, seconds: float, *, has_steps: bool) -> None:
        for _ in range(int(seconds / LOOK_SECONDS)):
            self.look(has_steps=has_steps)


def test_an_idle_worker_asks_for_nothing(agent: Agent) -> None:
    Guarded(agent.uri).look_for(60, has_steps=False)

    assert agent.asked == []


def test_a_worker_with_steps_has_its_task_protected_once(agent: Agent) -> None:
    Guarded(agent.uri).look_for(60, has_steps=True)

    assert agent.asked == [PROTECT]
    assert agent.paths == ["/api/v4-id/task-protection/v1/state"]


def test_protection_is_asked_for_again_before_it_expires(agent: Agent) -> None:
    guarded = Guarded(agent.uri)
    guarded.look_for(3 * ASK_AGAIN_SECONDS + 2, has_steps=True)

    assert agent.asked == [PROTECT] * 4
    assert ASK_AGAIN_SECONDS < 60 * EXPIRES_MINUTES


def test_a_worker_without_steps_lets_its_task_go_and_not_between_two_steps(agent: Agent) -> None:
    guarded = Guarded(agent.uri)
    for _ in range(10):
        guarded.look(has_steps=True)
        guarded.look_for(IDLE_SECONDS - 1, has_steps=False)
    assert agent.asked == [PROTECT]

    guarded.look_for(60, has_steps=False)
    assert agent.asked == [PROTECT, RELEASE]

    guarded.look(has_steps=True)
    assert agent.asked == [PROTECT, RELEASE, PROTECT]


REFUSALS = [
    (
        400,
        {"requestID": "{n}", "error": {"Arn": "a", "Code": "AccessDeniedException", "Message": "User: u"}},
        "User: u",
    ),
    (400, {"failure": {"Arn": "a", "Detail": None, "Reason": "TASK_NOT_VALID"}}, "TASK_NOT_VALID"),
    (200, {"failure": {"Arn": "a", "Detail": None, "Reason": "DEPLOYMENT_BLOCKED"}}, "DEPLOYMENT_BLOCKED"),
    (200, {"protection": {"ProtectionEnabled": False}}, "200 "),
    (200, {"protection": True}, "200 "),
    (200, [], "200 []"),
    (502, "no JSON at all", "502 "),
]


@pytest.mark.parametrize(("status", "answer", "told"), REFUSALS, ids=lambda each: str(each)[:40])
def test_a_refusal_is_told_once_and_tried_again_now_and_then(
    agent: Agent, status: int, answer: object, told: str
) -> None:
    agent.answers = lambda number, _: (status, json.dumps(answer).replace("{n}", str(number)))
    guarded = Guarded(agent.uri)
    with capture_logs() as logs:
        guarded.look_for(4 * TRY_AGAIN_SECONDS, has_steps=True)

    assert 3 <= len(agent.asked) <= 5
    [line] = logs
    assert line["log_level"] == "warning"
    assert told in line["why"]


def test_what_is_granted_after_a_refusal_holds_and_a_new_trouble_is_told(agent: Agent) -> None:
    agent.answers = lambda _, body: (500, "down") if len(agent.asked) % 2 else agent.granted(body)
    guarded = Guarded(agent.uri)
    with capture_logs() as logs:
        guarded.look_for(TRY_AGAIN_SECONDS + 1, has_steps=True)
        assert agent.asked == [PROTECT] * 2
        guarded.look_for(ASK_AGAIN_SECONDS + 1, has_steps=True)

    assert agent.asked == [PROTECT] * 3
    assert [line["why"] for line in logs] == ["Refused: 500 down"] * 2


@pytest.mark.parametrize("uri", ["http://127.0.0.1:9/api/x", "", "nonsense", "http://[", "http://host:port/"])
def test_an_agent_that_is_not_there_is_told_once_and_stops_nobody(uri: str) -> None:
    guarded = Guarded(uri)
    with capture_logs() as logs:
        guarded.look_for(4 * TRY_AGAIN_SECONDS, has_steps=True)

    assert len(logs) == 1


def test_an_agent_that_never_answers_is_not_waited_for(agent: Agent, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(task_protection, "ANSWER_SECONDS", 0.05)
    agent.silent.set()
    with capture_logs() as logs:
        Guarded(agent.uri).look(has_steps=True)

    assert "timed out" in logs[0]["why"]


def test_it_looks_until_the_worker_has_ended(agent: Agent) -> None:
    class Rounds(threading.Event):
        rounds = 0

        def wait(self, timeout: float | None = None) -> bool:
            assert timeout == LOOK_SECONDS
            self.rounds += 1
            return self.rounds == 3

    looks: list[bool] = []

    def has_steps() -> bool:
        looks.append(True)
        return True

    TaskProtection(agent.uri).keep(has_steps, Rounds())
    assert looks == [True] * 3
    assert agent.asked == [PROTECT]
