from __future__ import annotations

import pytest

from stepbench.peak_memory import PROCESS
from tests.runs.fleet import Fleet

LARGE_MB = 60


@pytest.mark.skipif(not (PROCESS / "clear_refs").exists(), reason="only Linux tells a process's peak")
def test_a_steps_peak_of_memory_is_its_own_and_not_that_of_a_larger_step_before_it(shared_fleet: Fleet) -> None:
    large = shared_fleet.run("--steps=1", "--serializer=raw", PAYLOAD_MB=str(LARGE_MB))
    small = shared_fleet.run("--steps=1", "--serializer=raw")

    (before,), (after,) = large.samples, small.samples
    assert before["executor"] == after["executor"]
    assert before["peak_rss_bytes"] > after["peak_rss_bytes"] + LARGE_MB * 1e6 / 2
