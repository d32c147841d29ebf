"""What only the channel `lambda` does: when it takes steps for lost, and how it sends. The rest is in the contract."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import pytest

from orchestrator.channels import Channel
from stepbench import registry
from stepbench.channels import PACKAGE
from stepbench.messages import StepMessage, parse
from stepbench.queues import Outgoing
from stepbench.queues.memory import MemoryQueue
from tests.doubles import refused
from tests.factories import make_done, make_message, make_worker_facts

TIMEOUT_SECONDS = 100.0
LONG_SECONDS = 600
module = registry.load(PACKAGE, "lambda")
FUNCTION_SECONDS = TIMEOUT_SECONDS + module.BEGINS_WITHIN_SECONDS
UNSTAMPED = make_worker_facts(queue_wait_ns=None, receive_count=None)


class Lambda:
    """Takes events, and the time."""

    def __init__(self, *, dead_letters: bool = True) -> None:
        self.now = 0.0
        self.results = MemoryQueue(LONG_SECONDS)
        self.dead: list[str] = []
        self.taken: list[int] = []
        self.refused: set[int] = set()
        """Chains."""
        client: Any = self
        self.channel: Channel = module.LambdaChannel(
            client,
            "steps",
            self.results,
            "r1",
            results_are_own=True,
            function_timeout_seconds=TIMEOUT_SECONDS,
            dead_letters=(lambda: self.dead) if dead_letters else None,
            clock=lambda: self.now,
        )

    def invoke(self, *, Payload: bytes, **_: str) -> None:  # noqa: N803 # boto3's name
        chain = parse(StepMessage, Payload).chain
        if chain in self.refused:
            raise refused("AccessDeniedException", "Invoke", 403)
        self.taken.append(chain)


@pytest.fixture
def service() -> Iterator[Lambda]:
    made = Lambda()
    yield made
    made.channel.abandon()


def test_waiting_for_room_is_no_loss_for_as_long_as_lambda_keeps_an_event(service: Lambda) -> None:
    service.channel.send([make_message()])

    service.now = FUNCTION_SECONDS + module.LONGEST_BACKLOG_SECONDS
    assert not service.channel.is_silent()
    service.now += 1.0
    assert service.channel.is_silent()


def test_what_was_sent_before_this_orchestrator_has_the_functions_time(service: Lambda) -> None:
    service.now = FUNCTION_SECONDS
    assert not service.channel.is_silent()
    service.now += 1.0
    assert service.channel.is_silent()


def test_answered_steps_are_waited_for_no_longer(service: Lambda) -> None:
    service.channel.send([make_message()])
    service.results.send([Outgoing(make_done(worker=UNSTAMPED).model_dump_json())])
    service.channel.accept(service.channel.receive(0).completions)

    service.now = FUNCTION_SECONDS + 1.0
    assert service.channel.is_silent()


def test_where_nobody_can_look_for_dead_letters_a_step_has_the_functions_time() -> None:
    service = Lambda(dead_letters=False)
    service.channel.send([make_message()])

    service.now = FUNCTION_SECONDS + 1.0
    assert service.channel.is_silent()
    service.channel.abandon()


def test_a_refused_invocation_is_raised_and_keeps_no_other_from_being_sent(service: Lambda) -> None:
    service.refused = {3}

    with pytest.raises(type(refused("AccessDeniedException"))):
        service.channel.send([make_message(chain=chain) for chain in range(1, 21)])

    assert sorted(service.taken) == [chain for chain in range(1, 21) if chain != 3]


def test_a_completion_with_the_stamps_of_a_queue_is_none_of_a_function(service: Lambda) -> None:
    service.results.send([Outgoing(make_done().model_dump_json())])

    arrivals = service.channel.receive(0)

    assert arrivals.completions == []
    assert "with stamps of a queue" in arrivals.strays[0].message
