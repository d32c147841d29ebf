from __future__ import annotations

import pytest

from orchestrator.doctor.ground import Ground
from orchestrator.doctor.results_queue import WAIT_SECONDS
from stepbench.configuration import load

QUEUE = "https://sqs.eu-west-1.amazonaws.com/123456789012/steps"
FLEET = {"AWS_REGION": "eu-west-1", "ORCH_BUCKET": "payloads", "ORCH_STEPS_QUEUE_URL": QUEUE}


@pytest.mark.parametrize("service", ["s3", "sqs"])
def test_a_server_that_never_answers_is_waited_for_less_long_than_a_run_would(service: str) -> None:
    ground = Ground(load(FLEET))
    config = getattr(ground.clients, service).meta.config
    assert WAIT_SECONDS < config.read_timeout <= 15
    assert config.retries["total_max_attempts"] == 2
    assert (ground.config.read_timeout_seconds, ground.config.max_attempts) == (config.read_timeout, 2)
