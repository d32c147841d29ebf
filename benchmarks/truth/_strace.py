"""What the kernel was asked to send and to receive, and when: `strace` looks on from outside."""

from __future__ import annotations

import re
import shutil
import subprocess
from collections.abc import Iterable, Iterator
from pathlib import Path

from benchmarks.truth._spans import Mark, is_of_an_object

HEAD_CHARACTERS = 300
_CALL = re.compile(r"^(?P<thread>\d+) +(?P<at>\d+\.\d{6}) (?:<\.\.\. )?(?P<call>sendto|recvfrom)")
_SENT = re.compile(r'sendto\(\d+, "([^"]*)')
_ENDED = re.compile(r" = [1-9]\d*(?: <(\d+\.\d{6})>)?$")


def command(told: Path) -> list[str] | None:
    """What a program is started with to be watched, with all its children; null where that cannot be."""
    program = shutil.which("strace")
    if program is None:
        return None
    words = ["-f", "--seccomp-bpf", "-ttt", "-T", "-s", str(HEAD_CHARACTERS), "-e", "trace=sendto,recvfrom"]
    under = [program, *words, "-o", str(told)]
    may_look = subprocess.run([*under, "true"], capture_output=True, check=False).returncode == 0
    return under if may_look else None


def marks(lines: Iterable[str]) -> Iterator[Mark]:
    """Of what passed between the program and S3. A thread's replies are to what it last asked for.

    A call that another thread's came between is told in two lines: it began with the first and ended with the second.
    """
    asks_s3: dict[str, bool] = {}
    for line in lines:
        call = _CALL.match(line)
        if call is None:
            continue
        thread, at_ns = call["thread"], _ns(call["at"])
        if sent := _SENT.search(line):
            asks_s3[thread] = is_of_an_object(sent[1]) or (asks_s3.get(thread, False) and "HTTP/1.1" not in sent[1])
            yield Mark(at_ns, sent[1])
        elif call["call"] == "recvfrom" and asks_s3.get(thread) and (ended := _ENDED.search(line)):
            lasted_ns = 0 if "resumed>" in line or ended[1] is None else _ns(ended[1])
            yield Mark(at_ns + lasted_ns, None)


def _ns(seconds: str) -> int:
    whole, _, micros = seconds.partition(".")
    return int(whole) * 1_000_000_000 + int(micros) * 1000
