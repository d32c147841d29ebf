from __future__ import annotations

from orchestrator.report.pace import Marks, Progress
from orchestrator.report.tally import Tally
from orchestrator.run.lines import Event
from tests.orchestrator.report.sample_factory import make_failure, make_plan, make_sample


def test_what_earlier_incarnations_did_is_counted_and_is_in_no_rate() -> None:
    shown: list[Progress] = []
    tally = Tally(make_plan(), shown.append)

    tally.remember([make_sample(step=1), make_failure(chain=0, step=2)])
    tally.saw([], 1)
    tally.saw([make_sample(step=2)], 1)

    assert [snapshot.steps_done for snapshot in shown] == [1, 2]
    assert [snapshot.failures for snapshot in shown] == [1, 1]
    assert [snapshot.waiting_note is None for snapshot in shown] == [False, True]
    before, after = (Marks().pace(snapshot, 10.0).steps_per_second for snapshot in shown)
    assert (before, after) == (None, 0.1)


def test_a_failed_chain_that_is_done_after_all_has_not_failed() -> None:
    shown: list[Progress] = []
    tally = Tally(make_plan(), shown.append)

    for ok in (False, True):
        tally.saw([Event(event="chain_finished", at="now", chain=1, ok=ok)], 0)

    assert [(snapshot.chains_done, snapshot.chains_failed) for snapshot in shown] == [(0, 1), (1, 0)]
