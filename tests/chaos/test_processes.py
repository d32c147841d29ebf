"""Some rounds of real programs that are killed; `python -m tests.chaos processes --rounds N --seed S` plays others."""

from __future__ import annotations

from collections.abc import Iterator

import pytest

from orchestrator.local.stack import Stack
from stepbench.aws import Clients
from tests.chaos.figures import Harm
from tests.chaos.processes import breaches, part
from tests.chaos.processes import round as round_module
from tests.chaos.processes.points import STAGES, Deaths, Kill, rotation

ROUNDS = range(1, 3)


@pytest.fixture(scope="module")
def place() -> Iterator[tuple[Stack, Clients]]:
    with part.remembering_stack() as place:
        yield place


@pytest.mark.parametrize("seed", ROUNDS)
def test_a_run_whose_programs_are_killed_again_and_again_ends_with_every_sample_once(
    place: tuple[Stack, Clients], seed: int
) -> None:
    figures = part.play(*place, seed, rotation(seed, part.SIZES))
    assert not figures.failures, "\n".join(figures.failures)
    assert figures.tried["kills"] >= 3
    assert figures.tried["samples"] >= 9


def test_every_point_has_its_turn() -> None:
    rounds = [rotation(number, part.SIZES) for number in range(len(STAGES[1]))]
    assert {kill for deaths in rounds for kill in (*deaths.ordered, *deaths.one_by_one)} == {
        kill for stage in STAGES for kill in stage
    }


@pytest.mark.parametrize(
    ("breach", "at", "harm", "words"),
    [
        (
            breaches.deleting_a_step_before_its_completion_is_sent,
            Kill("worker before SendMessage"),
            "samples lost",
            "was given up",
        ),
        (
            breaches.one_key_for_every_execution_of_a_step,
            Kill("executor after upload", "kill group"),
            "keys written twice",
            "in S3",
        ),
        (
            breaches.leaving_a_torn_line_where_it_is,
            Kill("orchestrator in writing sample"),
            "other promises broken",
            "is damaged",
        ),
        (
            breaches.forgetting_what_was_done,
            Kill("orchestrator after writing sample"),
            "samples counted twice",
            "sample of chain",
        ),
        (breaches.answering_nothing, Kill("worker after a step is done"), "hangs", "nothing for"),
    ],
    ids=lambda value: value.__name__ if callable(value) else "",
)
def test_a_promise_that_is_broken_on_purpose_is_found(
    place: tuple[Stack, Clients], monkeypatch: pytest.MonkeyPatch, breach: object, at: Kill, harm: Harm, words: str
) -> None:
    if harm == "hangs":
        monkeypatch.setattr(round_module, "HANG_SECONDS", 3)
    name = f"{breaches.__name__}:{breach.__name__}"  # type: ignore[attr-defined] # a function
    figures = part.play(*place, 1, Deaths(one_by_one=(at,)), SABOTAGE_BREACH=name)
    assert figures.harms == {harm: 1}, figures.failures
    assert words in figures.failures[0]
