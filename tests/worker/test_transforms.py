from __future__ import annotations

import itertools
import os
import tempfile
from pathlib import Path
from time import thread_time_ns
from typing import Any

import pytest

from stepbench import registry
from stepbench.errors import UsageError
from stepbench.settings import Settings
from worker import transforms
from worker.transforms import cpu, io

NAMES = registry.choices("worker.transforms")
LITTLE = {"transform_cpu_ms": 1.0, "transform_io_mb": 0.01}


@pytest.mark.parametrize("name", NAMES)
def test_the_records_are_handed_on_as_they_are(name: str) -> None:
    value = [{"a": 1}]
    assert transforms.load(name).apply(value, LITTLE) is value
    assert value == [{"a": 1}]


@pytest.mark.parametrize("name", NAMES)
def test_every_parameter_is_a_setting(name: str) -> None:
    assert set(transforms.load(name).PARAMETERS) <= set(Settings.model_fields)


def test_an_unknown_transform_is_wrong_usage() -> None:
    with pytest.raises(UsageError, match="did you mean noop"):
        transforms.load("nop")


def test_cpu_uses_the_stated_time_of_this_threads_own_clock() -> None:
    began_ns = thread_time_ns()
    cpu.apply(None, {"transform_cpu_ms": 30.0})
    assert thread_time_ns() - began_ns >= 30_000_000


def test_cpu_stops_as_soon_as_the_stated_time_is_used(monkeypatch: pytest.MonkeyPatch) -> None:
    looks = itertools.count(0, 10_000_000)
    last = 0

    def clock() -> int:
        nonlocal last
        last = next(looks)
        return last

    monkeypatch.setattr(cpu, "thread_time_ns", clock)
    cpu.apply(None, {"transform_cpu_ms": 30.0})
    assert last == 30_000_000
    cpu.apply(None, {"transform_cpu_ms": 0.0})
    assert last == 50_000_000


class Scratch:
    """A file that tells what it is used for."""

    def __init__(self, file: Any) -> None:
        self._file = file
        self.written_bytes = self.read_bytes = 0
        self.synced = False

    def __enter__(self) -> Scratch:
        return self

    def __exit__(self, *_: object) -> None:
        self._file.close()

    def write(self, data: bytes) -> int:
        count: int = self._file.write(data)
        self.written_bytes += count
        return count

    def read(self, size: int) -> bytes:
        data: bytes = self._file.read(size)
        self.read_bytes += len(data)
        return data

    def seek(self, offset: int) -> None:
        self._file.seek(offset)

    def fileno(self) -> int:
        fd: int = self._file.fileno()
        return fd


@pytest.mark.parametrize("megabytes", [0.0, 0.5, 1.0, 2.25])
def test_io_writes_the_stated_amount_reads_it_back_and_leaves_no_file(
    megabytes: float, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    scratch: list[Scratch] = []
    named: list[Path] = []
    synced: list[int] = []

    def temporary(**options: Any) -> Scratch:
        scratch.append(Scratch(tempfile.TemporaryFile(dir=tmp_path, **options)))  # noqa: SIM115 # closed by Scratch
        named.extend(tmp_path.iterdir())
        return scratch[0]

    monkeypatch.setattr(io, "tempfile", type("tempfile", (), {"TemporaryFile": staticmethod(temporary)}))
    monkeypatch.setattr("worker.transforms.io.os.fsync", lambda fd: synced.append(os.fstat(fd).st_size))
    io.apply(None, {"transform_io_mb": megabytes})
    wanted_bytes = int(megabytes * 1e6)
    assert (scratch[0].written_bytes, scratch[0].read_bytes) == (wanted_bytes, wanted_bytes)
    assert synced == [wanted_bytes]
    assert named == [], "without a name from the start"
