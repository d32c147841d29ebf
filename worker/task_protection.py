"""Keeps the ECS task that a worker runs in from being scaled in while it has steps.

The agent in ECS_AGENT_URI is asked for it, which asks ECS in the name of the task's role. A step's time knows nothing
of it: it has a thread of its own, which looks whether the worker has steps, and what goes wrong is told and no more.
Between a step's receive and the next look a task is unprotected; one that is told to end then drains like any other.
https://docs.aws.amazon.com/AmazonECS/latest/developerguide/task-scale-in-protection-endpoint.html
"""

from __future__ import annotations

import json
import threading
from collections.abc import Callable
from contextlib import closing
from http.client import HTTPConnection
from time import monotonic
from typing import Any
from urllib.parse import urlsplit

import structlog

PATH = "/task-protection/v1/state"
LOOK_SECONDS = 1.0
EXPIRES_MINUTES = 10
"""A worker that is stuck keeps its task for so long and no longer."""
ASK_AGAIN_SECONDS = 60.0 * EXPIRES_MINUTES / 2
"""Of a protected task that still has steps."""
IDLE_SECONDS = 5.0
"""How long a worker has had no step when its task may go: between two steps of a chain it is not asked for in vain."""
TRY_AGAIN_SECONDS = 15.0
ANSWER_SECONDS = 5.0

log = structlog.get_logger()


class Refused(Exception):
    """The agent's answer is none that protects, or that stops to."""


class TaskProtection:
    """`keep` has a thread of its own."""

    def __init__(self, agent_uri: str, clock: Callable[[], float] = monotonic) -> None:
        self._agent_uri = agent_uri
        self._clock = clock
        self._protected = False
        self._asked_at = float("-inf")
        """When the agent last gave what it was asked for."""
        self._busy_at = float("-inf")
        self._not_before = float("-inf")
        self._told = ""

    def keep(self, has_steps: Callable[[], bool], ended: threading.Event) -> None:
        """Until `ended`; what is protected then stays so until it expires, or the task is gone. Raises nothing."""
        while True:
            self.look(has_steps=has_steps())
            if ended.wait(LOOK_SECONDS):
                return

    def look(self, *, has_steps: bool) -> None:
        """Asks the agent for what is due now, if anything is."""
        now = self._clock()
        if has_steps:
            self._busy_at = now
        if now < self._not_before or not self._is_due(now, has_steps=has_steps):
            return
        try:
            _ask(self._agent_uri, protect=has_steps)
        except Exception as error:  # noqa: BLE001 # whatever stands in the way, steps go on without
            self._not_before = now + TRY_AGAIN_SECONDS
            self._tell(f"{type(error).__name__}: {error}")
        else:
            self._protected, self._asked_at, self._told = has_steps, now, ""

    def _is_due(self, now: float, *, has_steps: bool) -> bool:
        if has_steps:
            return not self._protected or now >= self._asked_at + ASK_AGAIN_SECONDS
        return self._protected and now >= self._busy_at + IDLE_SECONDS

    def _tell(self, why: str) -> None:
        """Once for each trouble."""
        if why != self._told:
            log.warning("could not have this task protected from being scaled in, or no longer", why=why)
        self._told = why


def _ask(agent_uri: str, *, protect: bool) -> None:
    """Raises Refused, or the standard library's error."""
    wanted = (
        {"ProtectionEnabled": True, "ExpiresInMinutes": EXPIRES_MINUTES} if protect else {"ProtectionEnabled": False}
    )
    status, answer = _put(agent_uri, json.dumps(wanted))
    if status != 200 or _state_in(answer) is not protect:
        raise Refused(_reason_in(answer) or f"{status} {answer[:500]}")


def _put(agent_uri: str, body: str) -> tuple[int, str]:
    agent = urlsplit(agent_uri)
    # No proxy's business: the agent is on this machine.
    with closing(HTTPConnection(agent.hostname or "", agent.port, timeout=ANSWER_SECONDS)) as connection:
        connection.request("PUT", agent.path + PATH, body, {"Content-Type": "application/json"})
        reply = connection.getresponse()
        return reply.status, reply.read(10_000).decode(errors="replace")


def _state_in(answer: str) -> Any:
    """What holds now, where that is told: `{"protection": {"ProtectionEnabled": true}}`."""
    return _part_of(answer, "protection").get("ProtectionEnabled")


def _reason_in(answer: str) -> str:
    """Without the request's id, which differs each time; empty where none is told."""
    failure, error = _part_of(answer, "failure"), _part_of(answer, "error")
    told = (failure.get("Reason"), failure.get("Detail"), error.get("Code"), error.get("Message"))
    return ": ".join(str(each) for each in told if each)


def _part_of(answer: str, part: str) -> dict[str, Any]:
    try:
        found = json.loads(answer)[part]
    except (ValueError, KeyError, TypeError):
        return {}
    return found if isinstance(found, dict) else {}
