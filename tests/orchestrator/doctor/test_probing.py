from __future__ import annotations

from collections.abc import Sequence
from time import monotonic_ns, time

from orchestrator.channels import Arrival, Arrivals, Sent
from orchestrator.doctor.probing import ON_THEIR_WAY, OUTLIVES_SECONDS, Probing
from stepbench.messages import StepMessage, answered
from stepbench.probes import ProbeAnswer
from tests.factories import RESULTS_QUEUE, make_worker_facts

ANSWER = ProbeAnswer(version="1", python="3.11", platform="Linux", cores=2, memory_bytes=10**9)
URI = "s3://bucket/runs/x"


class PlayedFleet:
    """A channel whose workers answer in turn, one probe for each receive. A receive lasts as long as it may."""

    def __init__(self, *workers: str, answers: int = 10**6) -> None:
        self.now = 0.0
        self.sent: list[StepMessage] = []
        self.on_their_way: list[StepMessage] = []
        self.most_on_their_way = 0
        self._workers = workers
        self._answers = answers
        self._taken = 0

    def clock(self) -> float:
        return self.now

    def send(self, messages: Sequence[StepMessage]) -> list[Sent]:
        self.sent += messages
        self.on_their_way += messages
        self.most_on_their_way = max(self.most_on_their_way, len(self.on_their_way))
        return []

    def receive(self, wait_seconds: float) -> Arrivals:
        self.now += 0.1 if self._workers and self.on_their_way else wait_seconds
        if not self._workers or not self.on_their_way or self._taken == self._answers:
            return Arrivals()
        worker = self._workers[self._taken % len(self._workers)]
        self._taken += 1
        completion = answered(self.on_their_way.pop(0), ANSWER)
        told = completion.model_copy(update={"worker": make_worker_facts(worker=worker)})
        return Arrivals(completions=[Arrival(told, monotonic_ns(), 0, 1, "receipt")])

    def accept(self, arrivals: Sequence[Arrival]) -> None:
        return

    def hand_back(self, arrivals: Sequence[Arrival]) -> None:
        raise NotImplementedError

    def is_silent(self) -> bool:
        raise NotImplementedError

    def dead_letters(self) -> list[StepMessage]:
        raise NotImplementedError

    def abandon(self) -> None:
        return

    def close(self) -> None:
        return


def probing(fleet: PlayedFleet) -> Probing:
    return Probing(fleet, "20310203-040506-0a1b2c", URI, RESULTS_QUEUE, fleet.clock)


def test_as_many_different_workers_as_answer_in_the_time_are_collected() -> None:
    fleet = PlayedFleet("w2", "w1", "w3")
    found = probing(fleet).run(10.0, None)
    assert [each.worker for each in found] == ["w1", "w2", "w3"]
    assert all(each.answer == ANSWER for each in found)
    assert fleet.now >= 10


def test_it_waits_no_longer_than_for_as_many_as_are_wanted_and_takes_back_what_is_on_its_way() -> None:
    fleet = PlayedFleet("w1", "w2")
    asked = probing(fleet)
    assert len(asked.run(60.0, 2)) == 2
    assert asked.unanswered == 0
    assert fleet.now < 10


def test_never_more_than_a_few_probes_are_on_their_way() -> None:
    fleet = PlayedFleet("w1")
    probing(fleet).run(30.0, None)
    assert fleet.most_on_their_way == ON_THEIR_WAY
    assert len(fleet.sent) > ON_THEIR_WAY


def test_where_nobody_answers_no_more_are_sent_and_they_expire_soon_after_the_time_is_up() -> None:
    fleet = PlayedFleet()
    asked = probing(fleet)
    assert asked.run(20.0, None) == []
    assert (len(fleet.sent), asked.unanswered) == (ON_THEIR_WAY, ON_THEIR_WAY)
    assert fleet.now < 25, "nothing is waited for beyond the time"
    assert all(message.expires_at <= time() + 20 + OUTLIVES_SECONDS for message in fleet.sent)


def test_probes_are_told_apart() -> None:
    fleet = PlayedFleet("w1")
    probing(fleet).run(10.0, None)
    assert len({message.step for message in fleet.sent}) == len(fleet.sent)
