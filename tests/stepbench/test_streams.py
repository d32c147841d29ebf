from __future__ import annotations

import os
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import TextIO

import pytest

from stepbench import streams
from stepbench.errors import EnvironmentRefused


@pytest.fixture
def unread() -> Iterator[TextIO]:
    """A pipe whose reader has gone."""
    reading, writing = os.pipe()
    os.close(reading)
    with os.fdopen(writing, "w") as stream:
        yield stream
        streams.reader_is_gone(stream)


def test_a_pipe_without_a_reader_is_told_from_one_that_has_one(unread: TextIO) -> None:
    reading, writing = os.pipe()
    with os.fdopen(reading), os.fdopen(writing, "w") as read:
        assert not streams.has_lost_reader(read)
    assert streams.has_lost_reader(unread)


def test_a_lasting_stream_swallows_what_nobody_reads(unread: TextIO) -> None:
    lasting = streams.lasting(unread)

    print("words", file=lasting, flush=True)
    print("more words", file=lasting, flush=True)

    assert lasting.fileno() == unread.fileno()


@pytest.mark.parametrize("buffering", [-1, 1])
def test_a_checked_stream_tells_in_a_sentence_that_it_is_full(buffering: int) -> None:
    with Path("/dev/full").open("w", buffering=buffering) as full:
        with pytest.raises(EnvironmentRefused, match=r"^/dev/full cannot be written: No space left on device$"):
            print("words", file=streams.checked(full), flush=True)
        print("given up", file=full, flush=True)


def test_a_reader_that_has_gone_is_no_refusal(unread: TextIO) -> None:
    with pytest.raises(BrokenPipeError):
        print("words", file=streams.checked(unread), flush=True)


def test_what_is_read_or_not_swallows_what_nobody_reads_and_nothing_else(unread: TextIO) -> None:
    print("words", file=streams.read_or_not(unread), flush=True)
    with Path("/dev/full").open("w") as full, pytest.raises(EnvironmentRefused):
        print("words", file=streams.read_or_not(streams.checked(full)), flush=True)


def test_without_it_the_write_fails(unread: TextIO) -> None:
    with pytest.raises(BrokenPipeError):
        print("words", file=unread, flush=True)


def test_a_lasting_stream_swallows_what_a_full_disk_refuses() -> None:
    with open("/dev/full", "w") as full:  # noqa: PTH123 # a device
        print("words", file=streams.lasting(full), flush=True)
        print("more words", file=streams.lasting(streams.checked(full)), flush=True)


def test_what_was_closed_is_the_null_device_here_and_for_children() -> None:
    script = (
        "import os, subprocess, sys\n"
        "from pathlib import Path\n"
        "from stepbench import streams\n"
        "streams.prepare()\n"
        "with Path('journal').open('w') as journal:\n"
        "    for stream in (sys.stdout, sys.stderr):\n"
        "        print('words', file=stream, flush=True)\n"
        "    subprocess.run(['sh', '-c', 'echo words; echo words >&2; cat'], check=True)\n"
        "    journal.write(f'{sys.stdin.read()!r} {journal.fileno()}')\n"
    )

    subprocess.run(["sh", "-c", '"$0" -c "$1" <&- >&- 2>&-', sys.executable, script], check=True)

    assert Path("journal").read_text() == "'' 3"
