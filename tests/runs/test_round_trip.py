"""How far SQS is from the orchestrator: measured before a run, told with its figures, warned of where it is far."""

from __future__ import annotations

import contextlib
import socket
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from urllib.parse import urlsplit

import pytest

from orchestrator.run import round_trip
from tests.runs.commands import orchestrator
from tests.runs.fleet import Fleet
from tests.runs.programs import lines_of

FAR_SECONDS = 0.05


@contextmanager
def late(endpoint: str, seconds: float) -> Iterator[str]:
    """The endpoint of a relay to `endpoint` that hands each request on so late."""
    target = urlsplit(endpoint)
    opened: list[socket.socket] = []

    def hand_on(source: socket.socket, sink: socket.socket, wait_seconds: float) -> None:
        with contextlib.suppress(OSError):
            while data := source.recv(65_536):
                time.sleep(wait_seconds)
                sink.sendall(data)
        with contextlib.suppress(OSError):
            sink.shutdown(socket.SHUT_WR)

    def serve(listener: socket.socket) -> None:
        with contextlib.suppress(OSError):
            while True:
                near, _ = listener.accept()
                far = socket.create_connection((target.hostname or "", target.port or 80))
                opened.extend((near, far))
                for way in ((near, far, seconds), (far, near, 0.0)):
                    threading.Thread(target=hand_on, args=way, daemon=True).start()

    with socket.create_server(("127.0.0.1", 0)) as listener:
        threading.Thread(target=serve, args=(listener,), daemon=True).start()
        yield f"http://0.0.0.0:{listener.getsockname()[1]}"  # leads here, and does not look like it
        for each in (listener, *opened):
            with contextlib.suppress(OSError):  # the other end may have gone
                each.shutdown(socket.SHUT_RDWR)
        for each in opened:
            each.close()


def test_a_run_tells_how_far_sqs_is(shared_fleet: Fleet) -> None:
    outcome = shared_fleet.run("--steps", "1")
    assert len(outcome.lines[0]["sqs_round_trips_ns"]) == round_trip.CALLS
    assert min(outcome.lines[0]["sqs_round_trips_ns"]) > 0
    assert "Round trip   to SQS" in outcome.stdout


def test_where_sqs_is_far_a_run_says_so_before_and_after_with_what_mends_it(shared_fleet: Fleet) -> None:
    near = shared_fleet.environment()["AWS_ENDPOINT_URL_SQS"]
    with late(near, FAR_SECONDS) as far:
        answer = orchestrator(shared_fleet, "start", "--steps", "1", AWS_ENDPOINT_URL_SQS=far)
    assert answer.returncode == 0, answer.stderr
    assert min(lines_of(Path("out"))[0]["sqs_round_trips_ns"]) >= FAR_SECONDS * 1e9
    (before,) = [line for line in answer.stderr.splitlines() if "that is in every step's transit" in line]
    assert round_trip.MEND in before
    told = " ".join(answer.stdout.split())
    assert "ms away from the orchestrator, there and back" in told
    assert round_trip.MEND in told


@pytest.mark.parametrize(
    ("durations_ms", "far"), [((30,) * 5, True), ((29, 29, 29, 90, 90), False), ((1, 1, 30, 40, 50), True), ((), False)]
)
def test_far_is_what_most_calls_say(durations_ms: tuple[int, ...], far: bool) -> None:
    assert round_trip.is_far([duration * 1_000_000 for duration in durations_ms]) is far


def test_the_warning_says_which_steps_it_is_much_for() -> None:
    told = round_trip.warning([84_000_000] * 5)
    assert "84 ms away" in told
    assert "in steps below 0.84 s it is more than a tenth of the time" in told
    assert told.endswith(f"{round_trip.MEND}.")
