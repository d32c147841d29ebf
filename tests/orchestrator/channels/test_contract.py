"""What every channel keeps to: `sqs`, over queues in memory and over the emulator's, `direct` and `lambda`."""

from __future__ import annotations

import json
from collections.abc import Callable, Iterator
from time import monotonic_ns
from typing import Any, Protocol
from uuid import uuid4

import pytest

from orchestrator.channels import Arrival, Channel
from orchestrator.channels._dead_letters import Look
from orchestrator.channels.direct import DirectChannel
from orchestrator.channels.sqs import SqsChannel
from orchestrator.upkeep import dead_letter_queue
from stepbench import registry
from stepbench.channels import PACKAGE
from stepbench.messages import Completion, StepMessage, parse
from stepbench.queues import MAX_WAIT_SECONDS, Outgoing, Queue
from stepbench.queues.memory import MemoryQueue
from tests.embedded import clients_at, emulated, new_queue
from tests.factories import make_done, make_failed, make_message
from tests.orchestrator.channels.played import PlayedExecutors
from tests.processes import wait_until

LONG_SECONDS = 600
EXECUTORS = 25

Queues = tuple[Queue, Queue, Look]
"""For step messages, for completions, and a look at the dead letters of the first."""


@pytest.fixture(scope="module")
def sqs() -> Iterator[Any]:
    with emulated("sqs") as endpoint:
        yield clients_at(endpoint).sqs


def in_memory(request: pytest.FixtureRequest) -> Queues:
    steps = MemoryQueue(LONG_SECONDS, max_receives=1)
    return steps, MemoryQueue(LONG_SECONDS), lambda: steps.dead_letters


def emulated_queues(request: pytest.FixtureRequest) -> Queues:
    client = request.getfixturevalue("sqs")
    dead = client.create_queue(QueueName=f"dead-{uuid4().hex}")["QueueUrl"]
    arn = client.get_queue_attributes(QueueUrl=dead, AttributeNames=["QueueArn"])["Attributes"]["QueueArn"]
    steps, results = (new_queue(client, LONG_SECONDS) for _ in range(2))
    redrive = json.dumps({"deadLetterTargetArn": arn, "maxReceiveCount": 1})
    client.set_queue_attributes(QueueUrl=steps.url, Attributes={"RedrivePolicy": redrive})
    return steps, results, lambda: dead_letter_queue.bodies_of(client, steps.url)


class Fleet(Protocol):
    """A channel, and at its other end executors that do what a test tells them to."""

    @property
    def channel(self) -> Channel: ...

    def takes(self) -> dict[int, str]:
        """Step messages that are taken now, by chain: their receipts. They are in work then."""
        ...

    def finishes(self, receipt: str, completion: Completion) -> None:
        """A step that was taken."""
        ...

    def answers(self, *completions: Completion) -> None:
        """To steps that somebody has sent and taken."""
        ...

    def unaccepted(self) -> int:
        """Completions that are to come, or would come again."""
        ...


class QueueFleet:
    """Workers between two queues."""

    def __init__(self, channel: Channel, steps: Queue, results: Queue) -> None:
        self.channel = channel
        self._steps = steps
        self._results = results

    def takes(self) -> dict[int, str]:
        taken: dict[int, str] = {}
        while messages := self._steps.receive(10, 0):
            taken |= {parse(StepMessage, message.body).chain: message.receipt for message in messages}
        return taken

    def buries(self) -> None:
        """Every worker that takes what there is dies of it, until it is dead-lettered."""
        self._steps.hide(list(self.takes().values()), 0)
        assert self.takes() == {}

    def finishes(self, receipt: str, completion: Completion) -> None:
        self.answers(completion)
        self._steps.delete([receipt])

    def answers(self, *completions: Completion) -> None:
        self._results.send([Outgoing(completion.model_dump_json()) for completion in completions])

    def unaccepted(self) -> int:
        depth = self._results.depth()
        return depth.visible + depth.in_flight


class DirectFleet:
    """Executors that the channel drives."""

    def __init__(self, channel: DirectChannel, played: PlayedExecutors) -> None:
        self.channel = channel
        self._played = played
        self._taken: set[int] = set()

    def takes(self) -> dict[int, str]:
        new = set(self._played.begun) - self._taken
        self._taken |= new
        return {chain: str(chain) for chain in new}

    def finishes(self, receipt: str, completion: Completion) -> None:
        self._played.finish(int(receipt), completion)

    def answers(self, *completions: Completion) -> None:
        for completion in completions:
            self.channel.send([make_message(chain=completion.chain)])
            self.finishes(str(completion.chain), completion)

    def unaccepted(self) -> int:
        return int(not self.channel.is_silent())


def over_queues(make: Callable[[pytest.FixtureRequest], Queues], request: pytest.FixtureRequest) -> QueueFleet:
    steps, results, dead_letters = make(request)
    channel = SqsChannel(steps, results, "r1", fair=True, results_are_own=True, dead_letters=dead_letters)
    return QueueFleet(channel, steps, results)


def directly(request: pytest.FixtureRequest) -> DirectFleet:
    played = PlayedExecutors()
    channel = DirectChannel(played, EXECUTORS, name="direct")
    request.addfinalizer(channel.close)
    return DirectFleet(channel, played)


class FunctionFleet:
    """Environments of a Lambda function, which hold what they were invoked with."""

    def __init__(self) -> None:
        self._results = MemoryQueue(LONG_SECONDS)
        self._invoked: list[str] = []
        self._dead: list[str] = []
        self._now = 0.0
        client: Any = self
        # No import statement can name a file that is called as a word of Python's.
        make = registry.load(PACKAGE, "lambda").LambdaChannel
        look = {"dead_letters": lambda: self._dead, "clock": lambda: self._now}
        self.channel: Channel = make(client, "steps", self._results, "r1", results_are_own=True, **look)
        self._time_passes()

    def _time_passes(self) -> None:
        """More than Lambda keeps anything: what was sent before is nowhere."""
        self._now += 86_400.0

    def invoke(self, *, FunctionName: str, InvocationType: str, Payload: bytes) -> None:  # noqa: N803 # boto3's names
        assert (FunctionName, InvocationType) == ("steps", "Event")
        self._invoked.append(Payload.decode())

    def takes(self) -> dict[int, str]:
        taken, self._invoked = self._invoked, []
        return {chain: str(chain) for chain in (parse(StepMessage, body).chain for body in taken)}

    def buries(self) -> None:
        """Every environment that takes what there is dies of it."""
        self._dead, self._invoked = self._invoked, []

    def finishes(self, receipt: str, completion: Completion) -> None:
        self.answers(completion)
        self._time_passes()

    def answers(self, *completions: Completion) -> None:
        bodies = [without_stamps(completion).model_dump_json() for completion in completions]
        self._results.send([Outgoing(body) for body in bodies])

    def unaccepted(self) -> int:
        depth = self._results.depth()
        return depth.visible + depth.in_flight


def without_stamps(completion: Completion) -> Completion:
    """No queue stamped the step message."""
    if completion.worker is None:
        return completion
    worker = completion.worker.model_copy(update={"queue_wait_ns": None, "receive_count": None})
    return completion.model_copy(update={"worker": worker})


def by_function(request: pytest.FixtureRequest) -> FunctionFleet:
    fleet = FunctionFleet()
    request.addfinalizer(fleet.channel.abandon)
    return fleet


OVER_QUEUES = {"memory": in_memory, "emulator": emulated_queues}


OTHERS: dict[str, Callable[[pytest.FixtureRequest], Fleet]] = {"direct": directly, "lambda": by_function}


@pytest.fixture(params=[*OVER_QUEUES, *OTHERS])
def fleet(request: pytest.FixtureRequest) -> Fleet:
    if request.param in OTHERS:
        return OTHERS[request.param](request)
    return over_queues(OVER_QUEUES[request.param], request)


@pytest.fixture(params=[*OVER_QUEUES, "lambda"])
def queue_fleet(request: pytest.FixtureRequest) -> QueueFleet | FunctionFleet:
    """Of a channel whose messages may come twice, and be dead-lettered."""
    return by_function(request) if request.param == "lambda" else over_queues(OVER_QUEUES[request.param], request)


def test_there_is_a_fleet_here_for_every_channel() -> None:
    assert set(registry.choices(PACKAGE)) == {*OTHERS, "sqs"}


def receive(channel: Channel, count: int) -> list[Arrival]:
    """That many completions, waiting for them."""
    arrivals: list[Arrival] = []
    while len(arrivals) < count:
        arrivals += channel.receive(MAX_WAIT_SECONDS).completions
    return arrivals


def test_every_step_message_reaches_a_worker_and_its_send_is_stamped(fleet: Fleet) -> None:
    before_ns = monotonic_ns()
    sent = fleet.channel.send([make_message(chain=chain) for chain in range(1, 24)])
    after_ns = monotonic_ns()
    assert sorted(fleet.takes()) == list(range(1, 24))
    assert len(sent) == 23
    assert all(before_ns <= stamp.began_at_ns <= stamp.began_at_ns + stamp.call_ns <= after_ns for stamp in sent)


def test_nothing_to_send_is_nothing_sent(fleet: Fleet) -> None:
    assert fleet.channel.send([]) == []
    assert fleet.channel.is_silent()


def test_a_completion_comes_back_as_it_was_sent_with_the_stamps_of_its_way(fleet: Fleet) -> None:
    done, failed = make_done(chain=1), make_failed(chain=2)
    fleet.answers(done, failed)
    before_ns = monotonic_ns()
    arrivals = receive(fleet.channel, 2)
    came = {arrival.completion.chain: arrival.completion for arrival in arrivals}
    assert {chain: completion.model_copy(update={"worker": None}) for chain, completion in came.items()} == {
        1: done.model_copy(update={"worker": None}),
        2: failed.model_copy(update={"worker": None}),
    }
    assert came[1].worker is not None
    for arrival in arrivals:
        assert before_ns <= arrival.received_at_ns <= monotonic_ns()


def test_the_stamps_of_a_results_queue_come_with_a_completion(queue_fleet: QueueFleet | FunctionFleet) -> None:
    queue_fleet.answers(make_done())
    (arrival,) = receive(queue_fleet.channel, 1)
    assert arrival.results_wait_ns is not None
    assert arrival.results_wait_ns >= 0
    assert arrival.results_receive_count == 1


def test_with_nothing_there_a_receive_gives_nothing(fleet: Fleet) -> None:
    arrivals = fleet.channel.receive(0)
    assert arrivals.completions == []
    assert arrivals.strays == []


def test_a_channel_is_silent_when_no_step_is_on_its_way_or_in_work_and_no_completion_is_to_come(fleet: Fleet) -> None:
    assert fleet.channel.is_silent()
    fleet.channel.send([make_message()])
    assert not fleet.channel.is_silent(), "on its way"
    (receipt,) = fleet.takes().values()
    assert not fleet.channel.is_silent(), "in work"
    fleet.finishes(receipt, make_done())
    assert not fleet.channel.is_silent(), "its completion is to come"
    arrivals = receive(fleet.channel, 1)
    assert not fleet.channel.is_silent(), "or to come again"
    fleet.channel.accept(arrivals)
    assert fleet.channel.is_silent()


def test_a_channel_that_is_abandoned_can_be_closed_all_the_same(fleet: Fleet) -> None:
    fleet.channel.send([make_message()])
    fleet.channel.abandon()
    fleet.channel.close()


@pytest.mark.parametrize("count", [1, 9, 10, 11, 25])
def test_what_was_accepted_does_not_come_again_once_the_channel_is_closed(fleet: Fleet, count: int) -> None:
    fleet.answers(*(make_done(chain=chain) for chain in range(count)))
    for arrival in receive(fleet.channel, count):
        fleet.channel.accept([arrival])
    fleet.channel.close()
    assert fleet.unaccepted() == 0
    fleet.channel.close()


def test_what_was_not_accepted_comes_again(queue_fleet: QueueFleet | FunctionFleet) -> None:
    queue_fleet.answers(make_done(chain=1), make_done(chain=2))
    first, second = receive(queue_fleet.channel, 2)
    queue_fleet.channel.accept([first])
    queue_fleet.channel.close()
    assert queue_fleet.unaccepted() == 1
    assert second.receipt != first.receipt


def test_what_is_handed_back_comes_again_at_once(queue_fleet: QueueFleet | FunctionFleet) -> None:
    queue_fleet.answers(make_done())
    queue_fleet.channel.hand_back(receive(queue_fleet.channel, 1))
    assert receive(queue_fleet.channel, 1)[0].results_receive_count == 2


def test_a_step_that_is_dead_lettered_is_found_and_stays_there_for_whoever_looks_after_that_queue(
    queue_fleet: QueueFleet | FunctionFleet,
) -> None:
    ours, of_another = make_message(chain=3, attempt=2), make_message(run="r2")
    queue_fleet.channel.send([ours, of_another])
    assert queue_fleet.channel.dead_letters() == []
    queue_fleet.buries()
    found: list[StepMessage] = []

    def found_twice() -> bool:
        found.extend(queue_fleet.channel.dead_letters())
        return len(found) >= 2

    wait_until(found_twice, "it is found, and found again")
    assert found == [ours, ours]
