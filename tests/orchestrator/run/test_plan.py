from __future__ import annotations

import re
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pytest
from pydantic import ValidationError

from orchestrator.run import plan
from orchestrator.run.plan import Plan
from stepbench.messages import StepMessage
from stepbench.settings import Settings
from tests.factories import STEPS_QUEUE, make_message


def make(**settings: Any) -> Plan:
    given = {"ORCH_BUCKET": "bucket", "ORCH_STEPS_QUEUE_URL": STEPS_QUEUE, **settings}
    return plan.make(
        Settings(**given),
        environment="aws",
        run_id="RUN",
        date="2025-01-02",
        metrics_file=Path("out/metrics-RUN.jsonl"),
    )


def test_a_run_has_a_results_queue_of_its_own_beside_the_steps_queue() -> None:
    made = make()
    assert made.results_queue_url == STEPS_QUEUE.replace("/steps", "/stepbench-results-RUN")
    assert made.results_queue_is_own
    named = make(ORCH_RESULTS_QUEUE_PREFIX="mine-")
    assert named.results_queue_url == STEPS_QUEUE.replace("/steps", "/mine-RUN")


def test_a_fixed_results_queue_is_not_the_runs_own() -> None:
    url = STEPS_QUEUE.replace("/steps", "/all")
    made = make(ORCH_RESULTS_QUEUE_URL=url)
    assert made.results_queue_url == url
    assert not made.results_queue_is_own


def test_the_longest_name_of_a_results_queue_is_one_that_sqs_takes() -> None:
    name = "p" * 50 + plan.new_run_id(datetime.now(UTC))
    Settings(ORCH_RESULTS_QUEUE_PREFIX="p" * 50)
    assert len(name) <= 80
    assert re.fullmatch(r"[A-Za-z0-9_-]+", name)


def test_there_are_as_many_chains_as_may_be_in_flight_unless_told_otherwise() -> None:
    assert make(CONCURRENCY=7).chains == 7
    assert make(CONCURRENCY=7, CHAINS=9).chains == 9


def test_everything_that_a_run_writes_is_below_its_prefix() -> None:
    made = make()
    assert made.prefix == "orchestration-bench/runs/2025-01-02/RUN/"
    assert made.payloads_prefix == made.prefix + "payloads/"
    assert made.metrics_key == made.prefix + "metrics/metrics-RUN.jsonl"
    assert not made.metrics_key.startswith(made.payloads_prefix), "what deletes the payloads leaves the metrics"


def test_a_plan_is_never_changed_and_comes_back_from_json_as_it_was() -> None:
    made = make(PAYLOAD_FILE="data.csv", COMPRESSION="zstd", TRANSFORM_CPU_MS=5)
    with pytest.raises(ValidationError):
        made.steps = 3  # type: ignore[misc] # that is what is tried
    assert Plan.model_validate_json(made.model_dump_json()) == made
    assert made.payload_file == "data.csv"
    assert made.transform_parameters == {"transform_cpu_ms": 5.0, "transform_io_mb": 10.0}


def test_run_ids_sort_by_time_and_are_unique() -> None:
    earlier, later = datetime(2025, 1, 2, 3, 4, 5, tzinfo=UTC), datetime(2025, 1, 2, 3, 4, 6, tzinfo=UTC)
    ids = [plan.new_run_id(earlier), plan.new_run_id(later)]
    assert ids == sorted(ids)
    assert ids[0].startswith("20250102-030405-")
    assert len({plan.new_run_id(earlier) for _ in range(100)}) == 100


def test_a_run_id_is_one_that_messages_take() -> None:
    run_id = plan.new_run_id(datetime.now(UTC))
    assert StepMessage.model_validate_json(make_message(run=run_id).model_dump_json()).run == run_id
