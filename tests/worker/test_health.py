"""When a worker says that it is healthy; a real one is in tests/runs/test_health.py."""

from __future__ import annotations

import threading
from pathlib import Path
from time import monotonic_ns

import pytest
from structlog.testing import capture_logs

from stepbench.errors import EnvironmentRefused
from tests.processes import wait_until
from worker import health
from worker.health import HealthFile
from worker.health_check import ailment
from worker.pulse import Pulse


class Rounds(threading.Event):
    """Calls something after each writing, and ends when there is no more."""

    def __init__(self, *after: object) -> None:
        super().__init__()
        self._after = list(after)

    def wait(self, timeout: float | None = None) -> bool:
        assert timeout == health.WRITE_SECONDS
        act = self._after.pop(0)
        if callable(act):
            act()
        return not self._after


class Patient:
    def __init__(self, path: Path) -> None:
        self.path = path
        self.now_ns = 0
        self.pulse = Pulse(10.0, lambda: self.now_ns)
        self.file = HealthFile(path, self.pulse)

    def ailment(self) -> str | None:
        return ailment(self.path, monotonic_ns())


@pytest.fixture
def patient(tmp_path: Path) -> Patient:
    return Patient(tmp_path / "health")


def test_what_a_worker_before_left_is_gone_before_this_one_is_ready(patient: Patient) -> None:
    patient.path.write_text("of another")
    patient.file.claim()
    assert list(patient.path.parent.iterdir()) == []


def test_a_file_that_cannot_be_written_is_refused_with_the_flag_that_mends_it(tmp_path: Path) -> None:
    with pytest.raises(EnvironmentRefused, match=r"No such file or directory; --health-file \(HEALTH_FILE\) names"):
        HealthFile(tmp_path / "none" / "health", Pulse()).claim()


def test_the_file_tells_of_a_thread_that_is_stuck_and_of_its_recovery_and_the_log_once(patient: Patient) -> None:
    told: list[str | None] = []

    def look() -> None:
        told.append(patient.ailment())

    def time_passes() -> None:
        look()
        patient.now_ns += int(11e9)

    def turn() -> None:
        look()
        patient.pulse.turn()

    patient.pulse.turn()
    with capture_logs() as lines:
        patient.file.keep(Rounds(time_passes, look, turn, look))
    stuck = "the worker's MainThread is stuck"
    assert told == [None, stuck, stuck, None]
    assert [(line["event"], line["why"]) for line in lines] == [("a thread of the worker is stuck", "MainThread")]


def test_a_disk_that_refuses_ends_nothing_and_is_logged_once(patient: Patient) -> None:
    with capture_logs() as lines:
        patient.path.mkdir()
        patient.file.keep(Rounds(None, None, patient.path.rmdir, None))
    assert [line["event"] for line in lines] == ["could not write the health file"]
    assert patient.ailment() is None


def test_it_is_written_at_once_and_is_gone_when_it_is_removed(patient: Patient) -> None:
    ended = threading.Event()
    thread = threading.Thread(target=patient.file.keep, args=[ended])
    thread.start()
    wait_until(patient.path.exists, "it is written")
    ended.set()
    thread.join()
    patient.file.remove()
    patient.file.remove()
    assert list(patient.path.parent.iterdir()) == []
