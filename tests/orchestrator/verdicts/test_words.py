from __future__ import annotations

import pytest

from orchestrator.verdicts.comparison import paired
from orchestrator.verdicts.words import sentence
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


def test_where_none_is_seen_the_sentence_says_what_would_have_been() -> None:
    told = sentence("a", "b", paired(noisy(1e9, seed=3), noisy(1e9)))
    assert told.startswith("a and b: no difference seen; one of ")
    assert told.endswith(" % would have been, nine times in ten")


def test_what_cannot_be_told_has_its_reason() -> None:
    assert (
        sentence("a", "b", paired({}, BASELINE)) == "a against b: cannot tell, the case has no round that was measured"
    )


def test_sizes_have_words_of_their_own_and_differences_a_unit() -> None:
    sizes = paired(dict.fromkeys(range(5), 70), dict.fromkeys(range(5), 100))
    assert sentence("a", "b", sizes, less="smaller") == "a is 30.0 % smaller than b (30.0 % to 30.0 %)"
    waits = paired(dict.fromkeys(range(5), 3), dict.fromkeys(range(5), 0))
    assert sentence("a", "b", waits, unit="ms") == "a is 3 ms slower than b (3 ms to 3 ms)"
