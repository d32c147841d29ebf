from __future__ import annotations

from hypothesis import given
from hypothesis import strategies as st

from orchestrator.verdicts.pareto import Point, front

POINTS = st.dictionaries(
    st.sampled_from("abcdefg"), st.builds(Point, time=st.floats(0, 9), size=st.floats(0, 9)), max_size=7
)


def test_what_is_slower_and_larger_is_not_on_the_front() -> None:
    points = {
        "small": Point(time=3, size=1),
        "fast": Point(time=1, size=3),
        "between": Point(time=2, size=2),
        "bad": Point(time=3, size=3),
    }
    assert front(points) == ("fast", "between", "small")


def test_of_the_same_size_the_slower_one_leaves_only_if_it_is_shown_to_be_slower() -> None:
    points = {"one": Point(time=1.0, size=1), "other": Point(time=1.01, size=1)}
    assert front(points) == ("one", "other")
    assert front(points, {("one", "other")}) == ("one",)


@given(POINTS)
def test_some_case_is_on_the_front_and_the_fastest_of_the_smallest_is(points: dict[str, Point]) -> None:
    found = front(points)
    assert bool(found) == bool(points)
    if points:
        assert min(points, key=lambda name: (points[name].size, points[name].time)) in found or any(
            points[name] == min(points.values(), key=lambda point: (point.size, point.time)) for name in found
        )
