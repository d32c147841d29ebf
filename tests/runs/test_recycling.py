"""Executors that are replaced after EXECUTOR_MAX_STEPS."""

from __future__ import annotations

from itertools import groupby, pairwise

from tests.runs.fleet import Fleet
from tests.runs.sums import check_sums

SHARE, CHAINS = 3, 12


def test_executors_are_replaced_after_their_share_and_their_start_is_in_no_steps_wait(fleet: Fleet) -> None:
    fleet.worker(EXECUTOR_MAX_STEPS=str(SHARE))

    outcome = fleet.run("--steps=1", f"--chains={CHAINS}", f"--concurrency={CHAINS}", "--serializer=raw")

    assert outcome.exit_code == 0, outcome.stderr
    steps = sorted(outcome.samples, key=lambda step: int(step["begun_at_ns"]))
    shares = [list(share) for _, share in groupby(steps, key=lambda step: str(step["executor"]))]
    assert [len(share) for share in shares] == [SHARE] * (CHAINS // SHARE)
    assert len({share[0]["executor"] for share in shares}) == len(shares)
    assert [[step["cold"] for step in share] for share in shares] == [[True, False, False]] * len(shares)
    assert {step["receive_count"] for step in steps} == {1}
    check_sums(outcome.lines)
    for before, after in pairwise(shares):
        # From the last step of one to the first of the next: the start of an executor is in there, and little else.
        start_ns = after[0]["begun_at_ns"] - before[-1]["done_at_ns"]
        assert after[0]["worker_wait_ns"] < start_ns / 2
