from __future__ import annotations

import threading
from collections.abc import Iterator
from contextlib import contextmanager
from http.client import HTTPConnection
from http.server import BaseHTTPRequestHandler, HTTPServer
from time import monotonic_ns, sleep
from urllib.parse import urlsplit

from benchmarks.truth import clock
from benchmarks.truth._spans import Mark, spans
from benchmarks.truth._strace import marks
from benchmarks.truth._tap import tap

HELD_SECONDS = 0.2
TOLD = """\
7 1700000000.100000 sendto(5, "GET /bucket/runs/in HTTP/1.1\\r\\nHost: x\\r\\n"..., 300, 0, NULL, 0) = 300 <0.000050>
7 1700000000.110000 recvfrom(5, "HTTP/1.1 200 OK\\r\\n"..., 8192, 0, NULL, NULL) = 8192 <0.002000>
8 1700000000.112000 sendto(6, "POST / HTTP/1.1\\r\\nX-Amz-Target: x\\r\\n"..., 300, 0, NULL, 0) = 300 <0.000050>
7 1700000000.115000 recvfrom(5,  <unfinished ...>
8 1700000000.116000 recvfrom(6, "HTTP/1.1 200 OK\\r\\n"..., 8192, 0, NULL, NULL) = 900 <0.900000>
7 1700000000.120000 <... recvfrom resumed>"rest"..., 8192, 0, NULL, NULL) = 4 <0.005000>
9 1700000000.200000 sendto(7, "PUT /bucket/runs/out?partNumber=1 HTTP/1.1\\r\\n"..., 300, 0, NULL, 0 <unfinished ...>
9 1700000000.200500 <... sendto resumed>) = 300 <0.000500>
9 1700000000.201000 sendto(7, "\\1\\2\\3"..., 65536, 0, NULL, 0) = 65536 <0.000050>
9 1700000000.240000 recvfrom(7, "HTTP/1.1 200 OK\\r\\n"..., 8192, 0, NULL, NULL) = 120 <0.000100>
"""


def test_a_transfer_is_from_its_first_request_until_its_last_reply_whatever_passes_between() -> None:
    seen = [
        Mark(1, "HEAD /bucket/in HTTP/1.1"),
        Mark(2, None),
        Mark(3, "GET /bucket/in HTTP/1.1"),
        Mark(4, "GET /bucket/in HTTP/1.1"),
        Mark(9, None),
        Mark(7, None),
        Mark(20, "POST /bucket/out?uploads HTTP/1.1"),
        Mark(21, "the body of something"),
        Mark(26, None),
        Mark(30, "GET /bucket/out HTTP/1.1"),
        Mark(31, None),
    ]
    assert spans(seen) == {("download", "in"): 8, ("upload", "out"): 6, ("download", "out"): 1}


def test_what_strace_tells_is_understood_with_threads_in_between_and_without_other_services() -> None:
    assert spans(marks(TOLD.splitlines())) == {
        ("download", "runs/in"): 20_000_000,
        ("upload", "runs/out"): 40_100_000,
    }


def test_a_phase_holds_within_a_twentieth_of_the_clock() -> None:
    steps = [{"phases_ns": {"download": 104, "upload": 107}, "input_uri": "s3://b/in", "output_uri": "s3://b/out"}]
    found = {("download", "in"): 100, ("upload", "out"): 100}
    assert [clock.row(way, "a clock", steps, found).holds for way in clock.WAYS] == [True, False]  # type: ignore[arg-type] # a plain dict of the same keys


def test_a_tap_hands_on_and_stamps_what_passes() -> None:
    with _slow_server() as url, tap(url) as tapped:
        began_ns = monotonic_ns()
        parts = urlsplit(tapped.url)
        connection = HTTPConnection(parts.netloc)
        connection.request("GET", "/bucket/in")
        assert connection.getresponse().read() == b"late"
        ended_ns = monotonic_ns()
        connection.close()
    [took_ns] = spans(tapped.marks).values()
    assert took_ns >= HELD_SECONDS * 1e9
    assert began_ns < tapped.marks[0].at_ns < ended_ns


@contextmanager
def _slow_server() -> Iterator[str]:
    class Handler(BaseHTTPRequestHandler):
        def do_GET(self) -> None:
            sleep(HELD_SECONDS)
            self.send_response(200)
            self.send_header("Content-Length", "4")
            self.end_headers()
            self.wfile.write(b"late")

        def log_message(self, *_: object) -> None:
            pass

    server = HTTPServer(("127.0.0.1", 0), Handler)
    thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.02}, daemon=True)
    thread.start()
    try:
        yield f"http://127.0.0.1:{server.server_address[1]}"
    finally:
        server.shutdown()
        server.server_close()
        thread.join()
