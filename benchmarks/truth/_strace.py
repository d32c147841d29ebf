"""What the kernel was asked to send and to receive, and when: `strace` looks on from outside."""

from __future__ import annotations

import re
import shutil
import subprocess
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from benchmarks._stack import running
from benchmarks.truth._spans import Mark

ATTACH_SECONDS = 20.0
_SENDS = re.compile(r'^\d+ +(\d+)\.(\d{6}) sendto\(\d+, "([^"]*)')
_RECEIVED = re.compile(r"^\d+ +(\d+)\.(\d{6}) (?:recvfrom\(|<\.\.\. recvfrom resumed>).* = [1-9]\d*(?: <(\d+)\.(\d{6})>)?$")


@contextmanager
def watched(pid: int, folder: Path) -> Iterator[Path | None]:
    """The file that tells, whole when the block has ended; null where there is no strace, or it may not look."""
    program = shutil.which("strace")
    if program is None:
        yield None
        return
    told = folder / "strace"
    command = [program, "-f", "-ttt", "-T", "-s", "300", "-e", "trace=sendto,recvfrom", "-o", str(told), "-p", str(pid)]
    with (folder / "strace-stderr").open("wb") as log:
        with running(command, {}, folder=folder, stderr=log) as process:
            yield told if _attached(process, folder / "strace-stderr") else None


def _attached(process: subprocess.Popen[bytes], log: Path) -> bool:
    deadline = time.monotonic() + ATTACH_SECONDS
    while time.monotonic() < deadline and process.poll() is None:
        if b"attached" in log.read_bytes():
            return True
        time.sleep(0.02)
    return False


def marks(lines: Iterator[str]) -> Iterator[Mark]:
    """A call that another thread's came between is told in two lines: it was made with the first, done by the second."""
    for line in lines:
        if sends := _SENDS.match(line):
            yield Mark(_ns(sends[1], sends[2]), sends[3])
        elif received := _RECEIVED.match(line):
            resumed = "resumed>" in line
            lasted_ns = 0 if resumed or received[3] is None else _ns(received[3], received[4])
            yield Mark(_ns(received[1], received[2]) + lasted_ns, None)


def _ns(seconds: str, micros: str) -> int:
    return int(seconds) * 1_000_000_000 + int(micros) * 1000
