"""What becomes of a look that fails; a look that finds something is in the contract of the channels."""

from __future__ import annotations

from collections.abc import Iterable

import pytest

from orchestrator.channels._dead_letters import DeadLetterWatch
from stepbench.errors import EnvironmentRefused
from stepbench.messages import StepMessage
from tests.doubles import outage, refused
from tests.factories import make_message


class Looks:
    """Looks that fail or find what a script says."""

    def __init__(self, *script: Exception | list[str]) -> None:
        self._script = list(script)
        self.count = 0
        self.watch = DeadLetterWatch(self._look, "r1")

    def _look(self) -> Iterable[str]:
        self.count += 1
        turn = self._script.pop(0) if self._script else []
        if isinstance(turn, Exception):
            raise turn
        return turn

    def asked(self) -> list[StepMessage]:
        found = self.watch.found()
        looking = self.watch._looking
        assert looking is not None
        looking.join()
        return found


@pytest.mark.parametrize(
    "error", [refused("AccessDenied", "ReceiveMessage", 403), EnvironmentRefused("no dead-letter queue")]
)
def test_without_the_right_or_the_queue_it_looks_once_and_never_again(error: Exception) -> None:
    looks = Looks(error)
    assert [looks.asked() for _ in range(3)] == [[], [], []]
    assert looks.count == 1


def test_an_outage_keeps_it_from_nothing_but_that_one_look() -> None:
    message = make_message()
    looks = Looks(outage(), [message.model_dump_json()])
    assert [looks.asked() for _ in range(3)] == [[], [], [message]]


def test_what_is_no_step_of_this_run_is_not_found() -> None:
    ours = make_message()
    looks = Looks(["r1", "{", '{"run": "r1"}', make_message(run="r12").model_dump_json(), ours.model_dump_json()])
    assert [looks.asked() for _ in range(2)] == [[], [ours]]
