from __future__ import annotations

import pytest

from orchestrator.verdicts.doubts import Signals, doubts
from tests.orchestrator.verdicts.given import noisy

SOUND = noisy(1e9, 12)


def test_sound_rounds_of_which_nothing_is_known_raise_no_doubt() -> None:
    assert doubts(SOUND, Signals()) == ()


def test_a_quiet_machine_with_free_executors_raises_no_doubt() -> None:
    quiet = Signals(
        rounds_asked=12,
        failed_rounds=0,
        retries=0,
        throttled=0,
        steal_share=0.001,
        cold_share=0.0,
        waiting_share=0.03,
        in_flight=1,
        executors=1,
    )
    assert doubts(SOUND, quiet) == ()


@pytest.mark.parametrize(
    ("signals", "says", "advises"),
    [
        (Signals(failed_rounds=2), "failed in 2 rounds", "failures"),
        (Signals(rounds_asked=30), "", ""),
        (Signals(retries=1), "1 retry", "measure again"),
        (Signals(throttled=7), "7 times to send less", "--concurrency"),
        (Signals(steal_share=0.08), "8 %", "instance type"),
        (Signals(cold_share=0.2), "20 %", "--warmup"),
        (Signals(waiting_share=0.4, in_flight=4, executors=1), "4 chains in flight, 1 executor", "--executors"),
    ],
)
def test_each_doubt_is_a_sentence_with_what_to_try(signals: Signals, says: str, advises: str) -> None:
    told = doubts(SOUND, signals)
    assert len(told) == (1 if says else 0)
    for sentence in told:
        assert says in sentence
        assert advises in sentence
        assert sentence.endswith(".")


@pytest.mark.parametrize(
    ("rounds", "signals", "told"),
    [
        (4, Signals(), "Too few rounds (4): only very large differences are seen. Try --repeats 10."),
        (4, Signals(rounds_asked=4), "Try --repeats 10."),
        (2, Signals(rounds_asked=10, ended="by the clock"), "--max-minutes ended it: try more of them"),
        (2, Signals(rounds_asked=10, ended="not yet"), "Try compare --resume, which measures the others."),
        (7, Signals(rounds_asked=10, ended="not yet"), "Only 7 of 10 rounds were measured. Try compare --resume"),
        (
            7,
            Signals(rounds_asked=25, ended="by the clock"),
            "Only 7 of 25 rounds were measured. --max-minutes ended it",
        ),
    ],
)
def test_few_rounds_are_told_with_what_would_have_made_more_of_them(rounds: int, signals: Signals, told: str) -> None:
    (said,) = doubts(noisy(1e9, rounds), signals)
    assert told in said
    assert ("--repeats" in said) is ("--repeats" in told)


def test_more_rounds_are_not_asked_for_where_they_would_be_none() -> None:
    assert doubts(noisy(1e9, 7), Signals(rounds_asked=25, ended="enough")) == ()
    assert doubts(noisy(1e9, 7), Signals(rounds_asked=7)) == ()
    failed, few = doubts(noisy(1e9, 4), Signals(rounds_asked=10, failed_rounds=6))
    assert failed.startswith("It failed in 6 rounds")
    assert few == "Too few rounds (4): only very large differences are seen."


def test_drift_and_two_levels_are_told() -> None:
    rising = {number: 1e9 + 2e7 * number + 1e6 * (number % 3) for number in range(20)}
    assert "rose by 32 %" in doubts(rising, Signals())[0]
    jumping = {number: 1.3e9 if number in {2, 3, 8, 11} else 1e9 + number for number in range(12)}
    assert "two levels, 30 % apart, 4 of 12" in doubts(jumping, Signals())[0]
