from __future__ import annotations

from orchestrator.report import memory
from tests.orchestrator.report.sample_factory import make_sample


def test_memory_is_told_apart_only_where_no_executor_did_steps_of_two_cases() -> None:
    one, two = make_sample(executor="e1"), make_sample(executor="e2")
    same_name = make_sample(worker="w2", executor="e1")
    assert memory.is_told_apart({"json": [one, one], "arrow": [two], "raw": [same_name], "csv": []})
    assert not memory.is_told_apart({"json": [one, two], "arrow": [two]})
