from __future__ import annotations

import threading
from collections import deque
from collections.abc import Callable
from concurrent.futures import Future
from functools import partial

from hypothesis import given
from hypothesis import strategies as st

from stepbench.executors.backlog import (
    BEGIN_WITHIN_SECONDS,
    HAND_BACK_AFTER_SECONDS,
    MOST_PER_EXECUTOR,
    RECENT_STEPS,
    Backlog,
)
from stepbench.queues import MAX_BATCH_MESSAGES
from tests.factories import make_held
from tests.processes import wait_until
from worker.held import HeldStep

SECOND_NS = 1_000_000_000


class Clock:
    def __init__(self) -> None:
        self.now_ns = 1_000 * SECOND_NS

    def __call__(self) -> int:
        return self.now_ns


def run_steps(backlog: Backlog[HeldStep], seconds: float, count: int = RECENT_STEPS) -> None:
    """Lets `count` steps begin and end that took `seconds` each."""
    for _ in range(count):
        backlog.put([make_held()])
        backlog.take()
        backlog.finished(seconds)


def asks_for(backlog: Backlog[HeldStep]) -> int:
    """What `room` would return, 0 where it would wait."""
    with backlog._changed:
        return backlog._room()


def make_taker(
    backlog: Backlog[HeldStep], begins: bool = True, lives: Callable[[], bool] = lambda: True
) -> Future[HeldStep | None]:
    """What a thread of its own takes, which waits for a step by now."""
    taken: Future[HeldStep | None] = Future()
    waiting_before = len(backlog._idle)
    threading.Thread(target=lambda: taken.set_result(backlog.take(lambda step: begins, lives))).start()
    wait_until(lambda: len(backlog._idle) > waiting_before, "it waits")
    return taken


def test_a_fresh_worker_asks_for_as_many_steps_as_it_has_executors() -> None:
    backlog: Backlog[HeldStep] = Backlog(4)
    assert backlog.room() == 4
    backlog.put([make_held()])
    backlog.take()
    assert backlog.room() == 3


def test_nothing_is_asked_for_while_a_step_waits_that_an_executor_is_free_for() -> None:
    backlog: Backlog[HeldStep] = Backlog(4)
    backlog.put([make_held()])
    rooms: list[int] = []
    asking = threading.Thread(target=lambda: rooms.append(backlog.room()))
    asking.start()
    assert asks_for(backlog) == 0
    backlog.take()
    asking.join()
    assert rooms == [3]


def test_with_all_executors_busy_and_no_step_known_to_be_short_nothing_more_is_asked_for() -> None:
    backlog: Backlog[HeldStep] = Backlog(2)
    backlog.put([make_held(), make_held()])
    backlog.take()
    backlog.take()
    assert asks_for(backlog) == 0


def test_long_steps_leave_no_room_beyond_the_free_executors() -> None:
    backlog: Backlog[HeldStep] = Backlog(2)
    run_steps(backlog, seconds=BEGIN_WITHIN_SECONDS * 1.01)
    assert backlog.room() == 2
    backlog.put([make_held(), make_held()])
    assert asks_for(backlog) == 0


def test_short_steps_leave_room_for_as_many_as_begin_within_a_second() -> None:
    backlog: Backlog[HeldStep] = Backlog(2)
    run_steps(backlog, seconds=0.25)
    assert backlog.room() == 2 + 2 * 4


def test_very_short_steps_leave_room_for_a_bounded_number() -> None:
    backlog: Backlog[HeldStep] = Backlog(3)
    run_steps(backlog, seconds=0.0)
    assert backlog.room() == 3 + 3 * MOST_PER_EXECUTOR


def test_one_long_step_among_the_recent_ones_is_enough_to_ask_for_less() -> None:
    backlog: Backlog[HeldStep] = Backlog(1)
    run_steps(backlog, seconds=0.1)
    assert backlog.room() == 11
    run_steps(backlog, seconds=5.0, count=1)
    assert backlog.room() == 1
    run_steps(backlog, seconds=0.1)
    assert backlog.room() == 11


def test_with_steps_in_stock_a_good_handful_is_asked_for_at_once() -> None:
    backlog: Backlog[HeldStep] = Backlog(1)
    run_steps(backlog, seconds=0.05)
    backlog.put([make_held() for _ in range(21)])
    assert asks_for(backlog) == 0
    asked = []
    for _ in range(21):
        backlog.take()
        asked.append(asks_for(backlog))
        backlog.finished(0.05)
    assert all(room == 0 or room >= MAX_BATCH_MESSAGES for room in asked)
    assert any(asked)


def test_room_waits_until_an_executor_is_free() -> None:
    backlog: Backlog[HeldStep] = Backlog(1)
    backlog.put([make_held()])
    backlog.take()
    rooms: list[int] = []
    asking = threading.Thread(target=lambda: rooms.append(backlog.room()))
    asking.start()
    backlog.finished(10.0)
    asking.join()
    assert rooms == [1]


def test_steps_begin_in_the_order_in_which_they_came() -> None:
    backlog: Backlog[HeldStep] = Backlog(2)
    backlog.put([make_held("a"), make_held("b")])
    backlog.put([make_held("c")])
    assert backlog.has_waiting()
    taken = [backlog.take() for _ in range(3)]
    assert [step.receipt for step in taken if step] == ["a", "b", "c"]
    assert not backlog.has_waiting()
    assert backlog.busy() == 3


def test_an_executor_that_waits_gets_the_step_that_comes() -> None:
    backlog: Backlog[HeldStep] = Backlog(1)
    taken: list[object] = []
    waiting = threading.Thread(target=lambda: taken.append(backlog.take()))
    waiting.start()
    step = make_held()
    backlog.put([step])
    waiting.join()
    assert taken == [step]


def test_a_step_goes_past_executors_that_are_gone_to_one_that_lives() -> None:
    backlog: Backlog[HeldStep] = Backlog(3)
    gone, lives = make_taker(backlog, begins=False), make_taker(backlog, begins=True)
    step = make_held()
    assert backlog.put([step]) == []
    assert (gone.result(), lives.result()) == (None, step)
    assert asks_for(backlog) == 1, "one is busy, and one is being replaced"
    backlog.finished(None)
    assert asks_for(backlog) == 2


def test_a_step_that_no_executor_could_begin_waits_for_the_next_one() -> None:
    backlog: Backlog[HeldStep] = Backlog(1)
    first, second = make_held("a"), make_held("b")
    backlog.put([first, second])
    assert backlog.take(lambda step: False) is None
    assert asks_for(backlog) == 0
    backlog.finished(None)
    assert backlog.take() == first


def test_who_waits_for_a_step_with_an_executor_that_is_gone_is_let_go_and_nobody_else() -> None:
    backlog: Backlog[HeldStep] = Backlog(2)
    alive = {"a", "b"}
    first, second = (make_taker(backlog, lives=partial(alive.__contains__, name)) for name in ("a", "b"))
    backlog.look_for_the_lost()
    alive.remove("a")
    backlog.look_for_the_lost()
    assert first.result() is None
    assert asks_for(backlog) == 1
    step = make_held()
    backlog.put([step])
    assert second.result() == step


def test_closing_gives_back_what_waits_lets_everybody_go_and_takes_nothing_more() -> None:
    backlog: Backlog[HeldStep] = Backlog(1)
    first, second, late = make_held("a"), make_held("b"), make_held("late")
    backlog.put([first, second])
    backlog.take()
    results: list[object] = []
    asking = threading.Thread(target=lambda: results.append(backlog.room()))
    asking.start()
    assert backlog.close() == [second]
    asking.join()
    assert results == [0]
    assert backlog.take() is None
    assert backlog.put([late]) == [late]
    assert backlog.close() == []
    assert not backlog.has_waiting()


def test_what_waited_too_long_is_given_up_and_nothing_else() -> None:
    clock = Clock()
    backlog: Backlog[HeldStep] = Backlog(1, clock)
    patience_ns = int(HAND_BACK_AFTER_SECONDS * SECOND_NS)
    begun = make_held("begun", clock.now_ns - 100 * SECOND_NS)
    old, young = make_held("old", clock.now_ns - patience_ns - 1), make_held("young", clock.now_ns - patience_ns)
    backlog.put([begun, old, young])
    assert backlog.take() == begun
    assert backlog.take_stale() == [old]
    clock.now_ns += 1
    assert backlog.take_stale() == [young]
    assert backlog.take_stale() == []


def test_after_steps_were_handed_back_no_other_is_taken_in_their_place() -> None:
    clock = Clock()
    backlog: Backlog[HeldStep] = Backlog(2, clock)
    run_steps(backlog, seconds=0.01)
    backlog.put([make_held(name, clock.now_ns) for name in ("begun", "begun too", "waiting")])
    assert backlog.take() is not None
    assert backlog.take() is not None
    clock.now_ns += int(HAND_BACK_AFTER_SECONDS * SECOND_NS) + 1
    assert len(backlog.take_stale()) == 1
    backlog.finished(4.0)
    assert backlog.room() == 1, "for the executor that is free"


@given(
    executors=st.integers(1, 5),
    durations_ms=st.lists(st.integers(0, 1_500), min_size=30, max_size=120),
    answers=st.lists(st.integers(0, MAX_BATCH_MESSAGES), min_size=5, max_size=40),
)
def test_no_step_waits_for_more_than_a_second_unless_a_step_took_longer_than_the_recent_ones(
    executors: int, durations_ms: list[int], answers: list[int]
) -> None:
    """A worker played with its clock: each step that is received at any moment begins in time."""
    backlog: Backlog[HeldStep] = Backlog(executors)
    now_ms, received, supply = 0, 0, deque(durations_ms)
    recent: deque[int] = deque(maxlen=RECENT_STEPS)
    waiting: deque[tuple[int, bool]] = deque()  # (received at, whether all was as recent steps promised)
    running: list[tuple[int, int]] = []  # (ends at, took)
    for answer in answers * 3:
        room = asks_for(backlog)
        assert 0 <= room <= executors * (1 + MOST_PER_EXECUTOR)
        for _ in range(min(room, answer)):
            backlog.put([make_held()])
            waiting.append((now_ms, True))
            received += 1
        while waiting and len(running) < executors and supply:
            since_ms, as_promised = waiting.popleft()
            assert not as_promised or now_ms - since_ms <= BEGIN_WITHIN_SECONDS * 1_000
            backlog.take()
            took_ms = supply.popleft()
            running.append((now_ms + took_ms, took_ms))
            if recent and took_ms > max(recent):
                waiting = deque((at_ms, False) for at_ms, _ in waiting)
        if not running:
            continue
        running.sort()
        now_ms, took_ms = running.pop(0)
        if recent and took_ms > max(recent):
            waiting = deque((at_ms, False) for at_ms, _ in waiting)
        recent.append(took_ms)
        backlog.finished(took_ms / 1_000)


def test_no_more_is_asked_for_than_the_executors_may_still_run() -> None:
    backlog: Backlog[HeldStep] = Backlog(2)
    run_steps(backlog, seconds=0.01)
    backlog.limit(0, 3)
    backlog.limit(1, 0)
    assert backlog.room() == 2 + 3
    backlog.put([make_held() for _ in range(5)])
    backlog.take()
    backlog.take()
    assert asks_for(backlog) == 0, "one runs its last step, and for the other three are waiting"


@given(
    share=st.integers(1, 6),
    executors=st.integers(1, 4),
    turns=st.lists(st.tuples(st.integers(0, 3), st.integers(0, MAX_BATCH_MESSAGES)), max_size=80),
)
def test_whatever_is_held_can_begin_without_a_new_executor(
    share: int, executors: int, turns: list[tuple[int, int]]
) -> None:
    """Executors that are replaced after their share, in any order; `left` counts what each may still begin."""
    backlog: Backlog[HeldStep] = Backlog(executors)
    run_steps(backlog, seconds=0.001)
    left, busy, waiting = [share] * executors, [False] * executors, 0
    for slot in range(executors):
        backlog.limit(slot, share - 1)
    for turn, answer in turns:
        came = min(asks_for(backlog), answer)
        backlog.put([make_held()] * came)
        waiting += came
        for slot in range(executors):
            if waiting and not busy[slot]:
                backlog.take()
                left[slot], busy[slot], waiting = left[slot] - 1, True, waiting - 1
        assert waiting <= sum(left)
        slot = turn % executors
        if busy[slot]:
            busy[slot] = False
            left[slot] = left[slot] or share  # replaced
            backlog.limit(slot, left[slot] - 1)
            backlog.finished(0.001)
