from __future__ import annotations

import pytest

from orchestrator.verdicts.comparison import Comparison, Interval, paired
from orchestrator.verdicts.rounds import Scale
from orchestrator.verdicts.words import by, sentence
from tests.orchestrator.verdicts.given import noisy, times

BASELINE = noisy(1e9, spread=0.002)
CASE = noisy(1e9, spread=0.002, seed=2)


@pytest.mark.parametrize(
    ("factor", "says"),
    [
        (0.8, "arrow is 20.0 % faster than json (19.9 % to 20.2 %)"),
        (0.25, "arrow is 4.0"),
        (1.3, "arrow is 29.9 % slower than json (29.7 % to 30.2 %)"),
        (3.0, "arrow is 3.00 times slower than json (2.9"),
    ],
)
def test_a_difference_is_told_with_its_bounds(factor: float, says: str) -> None:
    assert sentence("arrow", "json", paired(times(CASE, factor), BASELINE)).startswith(says)


@pytest.mark.parametrize(
    ("low", "estimate", "high", "says"),
    [
        (0.4950, 0.5000, 0.5051, "2.00 times faster than json (1.98 times to 2.02 times)"),
        (0.4950, 0.5001, 0.5051, "50.0 % faster than json (49.5 % to 50.5 %)"),
        (1.9802, 2.0000, 2.0200, "2.00 times slower than json (1.98 times to 2.02 times)"),
        (1.9802, 1.9999, 2.0200, "100.0 % slower than json (98.0 % to 102.0 %)"),
        (1.0000, 5.0000, 25.000, "5.00 times slower than json (1.00 times to 25.00 times)"),
    ],
)
def test_both_bounds_are_told_in_the_form_of_the_estimate(low: float, estimate: float, high: float, says: str) -> None:
    told = sentence(
        "arrow",
        "json",
        Comparison(
            verdict="less" if estimate < 1 else "more",
            scale="ratio",
            rounds=10,
            estimate=estimate,
            interval=Interval(low=low, high=high, alpha=0.01),
        ),
    )
    assert told == f"arrow is {says}"


@pytest.mark.parametrize(
    ("ratio", "text"), [(0.25, "4.00 times"), (0.9, "10.0 %"), (1.051, "5.1 %"), (3.0, "3.00 times")]
)
def test_a_ratio_is_told_as_percent_or_as_a_factor(ratio: float, text: str) -> None:
    assert by(ratio) == text


@pytest.mark.parametrize("factor", [1e-300, 1e300])
def test_the_farthest_ratio_is_told_all_the_same(factor: float) -> None:
    huge = paired(dict.fromkeys(range(5), factor), dict.fromkeys(range(5), 1 / factor))
    assert " times " in sentence("a", "b", huge)
    assert huge.located is not None


def test_where_none_is_seen_the_sentence_says_what_would_have_been() -> None:
    told = sentence("a", "b", paired(noisy(1e9, seed=3), noisy(1e9)))
    assert told.startswith("a and b: no difference seen; a difference of ")
    assert told.endswith(" % or more would have been found nine times in ten")


@pytest.mark.parametrize(
    ("detectable", "scale", "says"),
    [
        (12.5678, "ratio", "12.6 times"),
        (1234.5, "ratio", "1230 times"),
        (2.1, "ratio", "2.1 times"),
        (1.98765, "ratio", "98.8 %"),
        (1.00456, "ratio", "0.456 %"),
        (4.5678, "difference", "4.57 ms"),
    ],
)
def test_what_would_have_been_found_is_told_in_three_digits(detectable: float, scale: Scale, says: str) -> None:
    found = Comparison(
        verdict="no difference seen",
        scale=scale,
        rounds=10,
        estimate=1.0,
        interval=Interval(low=0.5, high=2.0, alpha=0.01),
        detectable=detectable,
        error=0.1,
    )
    assert sentence("a", "b", found, unit="ms") == (
        f"a and b: no difference seen; a difference of {says} or more would have been found nine times in ten"
    )


def test_what_cannot_be_told_has_its_reason() -> None:
    assert (
        sentence("a", "b", paired({}, BASELINE)) == "a against b: cannot tell, the case has no round that was measured"
    )


def test_sizes_have_words_of_their_own_and_differences_a_unit() -> None:
    sizes = paired(dict.fromkeys(range(5), 70), dict.fromkeys(range(5), 100))
    assert sentence("a", "b", sizes, less="smaller") == "a is 30.0 % smaller than b (30.0 % to 30.0 %)"
    waits = paired(dict.fromkeys(range(5), 3), dict.fromkeys(range(5), 0))
    assert sentence("a", "b", waits, unit="ms") == "a is 3 ms slower than b (3 ms to 3 ms)"
