from __future__ import annotations

from pathlib import Path

import pytest

from orchestrator.experiment import dollars
from orchestrator.report import metrics_file
from stepbench.settings import of_values
from tests.orchestrator.experiment.plans import write_run

RUN = "20250102-000000-000000"


def test_a_case_costs_what_its_runs_have_called() -> None:
    found = dollars.per_1000_steps([metrics_file.read(write_run(Path(), RUN, 1000))])

    assert found is not None
    assert 0.001 < found < 1


def test_without_a_run_nothing_is_known() -> None:
    assert dollars.per_1000_steps([]) is None


def test_a_region_without_prices_is_not_guessed() -> None:
    assert dollars.of_a_run(of_values({"AWS_REGION": "xx-nowhere-1"}), 10, 1_000) is None


def test_larger_objects_and_more_steps_cost_more() -> None:
    settings = of_values({"AWS_REGION": "us-east-1"})
    costs = [dollars.of_a_run(settings, steps, size) for steps, size in ((10, 10**6), (10, 10**8), (100, 10**8))]

    assert costs == sorted(costs, key=lambda usd: usd or 0)
    assert costs[0] == pytest.approx(0.0001, abs=0.0005)


def test_without_queues_there_are_no_requests_to_them() -> None:
    settings = {"AWS_REGION": "us-east-1"}
    queued, direct = (
        dollars.of_a_run(of_values({**settings, "CHANNEL": channel}), 1_000, 1) for channel in ("sqs", "direct")
    )
    assert queued is not None
    assert direct is not None
    assert queued - direct == pytest.approx(0.0024, abs=0.0001)
