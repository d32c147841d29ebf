from __future__ import annotations

import pytest

from orchestrator.report.pace import Marks, Pace, Progress
from orchestrator.report.progress_words import moving
from orchestrator.report.tally import Tally
from orchestrator.run.lines import Event, Line
from stepbench.samples import Sample
from tests.orchestrator.report.sample_factory import MS, make_failure, make_plan, make_sample


def test_what_earlier_incarnations_did_is_counted_and_is_in_no_rate() -> None:
    shown: list[Progress] = []
    tally = Tally(make_plan(), shown.append, 0)

    tally.remember([make_sample(step=1), make_failure(chain=1, step=2)])
    tally.saw([], 1)
    tally.saw([make_sample(step=2)], 1)

    assert [snapshot.steps_done for snapshot in shown] == [1, 2]
    assert [snapshot.failures for snapshot in shown] == [1, 1]
    assert [snapshot.waiting_note is None for snapshot in shown] == [False, True]
    assert [snapshot.steps_before for snapshot in shown] == [1, 1]


def test_a_failed_chain_that_is_done_after_all_has_not_failed() -> None:
    shown: list[Progress] = []
    tally = Tally(make_plan(), shown.append, 0)

    for ok in (False, True):
        tally.saw([Event(event="chain_finished", at="now", chain=1, ok=ok)], 0)

    assert [(snapshot.chains_done, snapshot.chains_failed) for snapshot in shown] == [(0, 1), (1, 0)]


def test_a_step_that_was_given_up_as_lost_is_counted_and_told_with_its_reason() -> None:
    shown: list[Progress] = []
    tally = Tally(make_plan(), shown.append, 0)

    tally.saw([Event(event="lost", at="now", chain=3, step=2, attempt=1, message="nobody knows")], 1)

    assert (shown[0].lost, shown[0].failures) == (1, 0)
    assert shown[0].last_error == "chain 3 step 2: given up as lost: nobody knows"


class Run:
    """A tally on a clock that a test turns, of a run whose steps no worker answers for too long after 60 s."""

    def __init__(self) -> None:
        self.now = 1000.0
        self.shown: list[Progress] = []
        self.tally = Tally(make_plan(), self.shown.append, 60.0, lambda: self.now)

        self.marks = Marks()

    def pace_after(self, seconds: float, *lines: Line, in_flight: int = 1) -> Pace:
        self.now += seconds
        self.tally.saw(list(lines), in_flight)
        self.marks.add(self.shown[-1])
        return self.marks.pace(self.shown[-1], self.shown[-1].elapsed_seconds)

    def silent_after(self, seconds: float, *lines: Line, in_flight: int = 1) -> float | None:
        self.pace_after(seconds, *lines, in_flight=in_flight)
        return self.shown[-1].silent_seconds(self.shown[-1].elapsed_seconds)


def test_a_silence_is_told_from_the_first_step_on_that_is_sent() -> None:
    run = Run()
    assert run.silent_after(100) is None, "the first payload was made meanwhile"
    assert run.silent_after(59) is None
    assert run.silent_after(1) == 60
    assert run.shown[-1].silent_seconds(run.shown[-1].elapsed_seconds + 5) == 65, "also when it is drawn later"


@pytest.mark.parametrize(
    "answer",
    [make_sample(), make_failure(1, 1).model_copy(update={"worker": "w1"}), Event(event="duplicate", at="now")],
    ids=["done", "failed", "duplicate"],
)
def test_whatever_a_worker_answers_ends_a_silence(answer: Line) -> None:
    run = Run()
    run.silent_after(0)
    assert run.silent_after(60) == 60
    assert run.silent_after(1, answer) is None
    assert run.silent_after(59) is None
    assert run.silent_after(1) == 60


def test_a_step_that_was_given_up_and_is_dispatched_again_is_no_answer() -> None:
    run = Run()
    run.silent_after(0)
    lost = [Event(event=event, at="now", chain=1, step=1, attempt=2) for event in ("lost", "dispatching")]
    assert run.silent_after(70, *lost, make_failure(1, 1).model_copy(update={"worker": None})) == 70


def a_step(step: int, seconds: float) -> Sample:
    """That took its executor `seconds`; it waited for one, and its completion for the queues, for however long."""
    work = round(seconds * 1000) * MS
    waits = dict.fromkeys(("queue_wait_ns", "worker_wait_ns", "results_wait_ns", "transit_ns"), 100_000 * MS)
    return make_sample(step=step, phases_ns={"transform": work}, other_ns=0, **waits)


def test_the_rate_is_of_the_time_in_which_workers_were_at_work() -> None:
    run = Run()
    run.pace_after(30)
    run.pace_after(20)
    assert run.pace_after(50, a_step(1, 2.0)).steps_per_second == pytest.approx(1 / 3)
    for step in range(2, 31):
        run.pace_after(2, a_step(step, 2.0))
    assert run.pace_after(2, a_step(31, 2.0)).steps_per_second == pytest.approx(0.5, rel=0.05), "it began after 68 s"
    run.pace_after(120)
    assert run.pace_after(0.5, a_step(32, 2.0)).steps_per_second == pytest.approx(0.5, rel=0.05)


def test_steps_that_take_a_minute_each_and_come_all_at_once_are_in_no_hurry() -> None:
    run = Run()
    run.pace_after(70)
    for turn in range(3):
        found = run.pace_after(60, *(a_step(10 * turn + step, 60.0) for step in range(10)))
        assert found.steps_per_second == pytest.approx(1 / 6)


def test_while_nothing_comes_for_much_longer_than_a_step_takes_there_is_no_rate_but_word_of_it() -> None:
    run = Run()
    run.pace_after(0)
    run.pace_after(2, a_step(1, 2.0))
    assert run.pace_after(14).steps_per_second is not None
    assert run.pace_after(1) == Pace(None, None)
    assert moving(run.shown[-1], Pace(None, None), 17.0) == ["nothing came for 15 s", "1 in flight"]
    assert run.pace_after(1, a_step(2, 2.0)).steps_per_second == pytest.approx(2 / 5)


def test_a_run_that_waits_for_no_step_is_not_silent() -> None:
    run = Run()
    run.silent_after(0)
    assert run.shown[-1].waiting_note is not None
    assert run.silent_after(100, in_flight=0) is None
    assert run.shown[-1].waiting_note is None
    assert run.silent_after(1) is None
