from __future__ import annotations

from hypothesis import given
from hypothesis import strategies as st

from orchestrator.trace.placing import ROUNDING_NS, Window, place

TIMES = st.integers(0, 20_000_000)


@st.composite
def windows_of_a_true_run(draw: st.DrawFn) -> list[Window]:
    """What is known of executions that really ran one behind the other; waits as SQS rounds them."""
    found: list[Window] = []
    begin_ns = 0
    for _ in range(draw(st.integers(1, 8))):
        begin_ns += draw(TIMES)
        length_ns = draw(TIMES)
        out_ns, before_ns, behind_ns, back_ns = draw(TIMES), draw(TIMES), draw(TIMES), draw(TIMES)
        off = st.integers(-ROUNDING_NS // 2, ROUNDING_NS // 2)
        dispatched_ns = max(0, begin_ns - before_ns - out_ns)
        found.append(
            Window(
                dispatched_ns=dispatched_ns,
                completed_ns=begin_ns + length_ns + behind_ns + back_ns,
                before_ns=max(0, min(before_ns, begin_ns - dispatched_ns) + draw(off)),
                behind_ns=max(0, behind_ns + draw(off)),
                length_ns=length_ns,
            )
        )
        begin_ns += length_ns
    return found


@given(windows_of_a_true_run())
def test_what_ran_one_behind_the_other_is_drawn_so_between_dispatch_and_completion(windows: list[Window]) -> None:
    free_from_ns = 0
    for window, placed in zip(windows, place(windows), strict=True):
        assert placed.lane == 0
        assert placed.begin_ns >= max(free_from_ns, window.dispatched_ns)
        free_from_ns = placed.begin_ns + window.length_ns
        assert free_from_ns <= window.completed_ns


@given(st.lists(st.builds(Window, TIMES, TIMES, TIMES, TIMES, TIMES), max_size=12))
def test_whatever_a_file_tells_nothing_overlaps_on_one_lane(windows: list[Window]) -> None:
    free_from_ns: dict[int, int] = {}
    for window, placed in zip(windows, place(windows), strict=True):
        assert placed.begin_ns >= free_from_ns.get(placed.lane, 0)
        free_from_ns[placed.lane] = placed.begin_ns + window.length_ns


def test_transit_is_halved() -> None:
    (placed,) = place([Window(dispatched_ns=100, completed_ns=200, before_ns=10, behind_ns=20, length_ns=30)])
    assert placed.begin_ns == 100 + 20 + 10  # 40 of 100 are transit


def test_an_executor_that_was_busy_until_later_takes_what_is_left_of_the_transit() -> None:
    first = Window(dispatched_ns=0, completed_ns=100, before_ns=0, behind_ns=0, length_ns=100)
    second = Window(dispatched_ns=60, completed_ns=200, before_ns=0, behind_ns=0, length_ns=80)
    assert [placed.begin_ns for placed in place([first, second])] == [0, 100]


def test_an_execution_makes_room_for_the_next_one() -> None:
    first = Window(dispatched_ns=0, completed_ns=200, before_ns=0, behind_ns=0, length_ns=100)
    second = Window(dispatched_ns=0, completed_ns=120, before_ns=0, behind_ns=0, length_ns=20)
    assert [placed.begin_ns for placed in place([first, second])] == [0, 100]
