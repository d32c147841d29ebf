from __future__ import annotations

import signal
import subprocess
import sys
from pathlib import Path

from tests.runs.fleet import Fleet
from tests.runs.waiting import eventually


def looked(file: Path) -> tuple[int, str]:
    """What a container's health check gets."""
    command = [sys.executable, "-P", "-m", "worker", "--check-health", str(file)]
    answer = subprocess.run(command, capture_output=True, text=True, check=False)
    assert answer.stderr == ""
    return answer.returncode, answer.stdout.strip()


def test_a_worker_is_healthy_from_its_first_long_poll_to_its_end_also_when_sqs_is_away(
    fleet: Fleet, tmp_path: Path
) -> None:
    file = tmp_path / "health"
    nobody = "http://127.0.0.1:9"
    worker = fleet.worker(HEALTH_FILE=str(file), AWS_ENDPOINT_URL_SQS=nobody, AWS_MAX_ATTEMPTS="1")

    eventually("it is healthy", lambda: looked(file) == (0, "the worker is healthy"))
    first = file.read_text()
    worker.until_logged("could not receive step messages", 2)
    eventually("it is written again", lambda: file.read_text() != first)
    assert looked(file) == (0, "the worker is healthy")
    worker.send(signal.SIGTERM)

    assert worker.exit_code() == 0
    assert [path.name for path in tmp_path.glob("health*")] == []
    assert looked(file)[0] == 1
