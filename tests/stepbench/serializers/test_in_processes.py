"""What must be seen from outside: no damaged payload crashes a process, none takes more memory than is stated."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

import pytest

from stepbench import registry
from stepbench.compression import Compression
from stepbench.payload import Materialize, PayloadFormat

NAMES = registry.choices("stepbench.serializers")
HERE = Path(__file__).parent


def run(script: str, *arguments: str) -> str:
    command = [sys.executable, str(HERE / script), *arguments]
    done = subprocess.run(command, capture_output=True, text=True, check=False, timeout=300)
    assert done.returncode == 0, done.stderr
    return done.stdout


@pytest.mark.parametrize(("name", "codec"), [*((name, "none") for name in NAMES if name != "raw"), ("parquet", "zstd")])
def test_damage_is_found_or_leaves_records(name: str, codec: str) -> None:
    found, unnoticed = map(int, run("damage.py", name, codec, "1500").split())
    assert found > 300
    assert found + unnoticed == 1500


@pytest.mark.skipif(sys.platform != "linux", reason="peak memory is read from /proc")
@pytest.mark.parametrize(
    ("name", "materialize"), [*((name, "native") for name in NAMES), ("arrow", "rows"), ("parquet", "rows")]
)
def test_peak_memory_stays_within_the_stated_multiple(name: str, materialize: Materialize, tmp_path: Path) -> None:
    chosen = PayloadFormat(name, Compression(), materialize)
    file = str(tmp_path / "payload")
    for direction in ("encode", "decode"):
        assert float(run("memory.py", direction, name, materialize, file)) <= chosen.memory_multiple, direction
