from __future__ import annotations

import hashlib
import io
import subprocess
import sys
from pathlib import Path
from typing import Any

import pyarrow as pa
import pytest

from stepbench.compression import Compression
from stepbench.errors import PayloadRefused
from stepbench.payload import PayloadFormat, checksum
from stepbench.serializers.arrow import SERIALIZER
from stepbench.tables import table_to_rows

NONE = Compression()
TABLE = pa.table({"number": [-1, 2**40, None], "text": ["", "δ", None], "list": [[1], [], None]})
TABLES = {
    "plain": TABLE,
    "a slice": pa.concat_tables([TABLE] * 50).slice(7, 90),
    "several chunks": pa.concat_tables([TABLE, TABLE.slice(1)]),
    "no rows": TABLE.slice(0, 0),
    "no columns": pa.table({}),
    "growing dictionary": pa.table({"a": pa.chunked_array([pa.array([x]).dictionary_encode() for x in ("a", "b")])}),
}


@pytest.mark.parametrize("table", TABLES.values(), ids=TABLES.keys())
def test_a_table_is_written_as_arrow_writes_it_to_any_file(table: pa.Table) -> None:
    file = io.BytesIO()
    with pa.ipc.new_stream(file, table.schema) as writer:
        writer.write_table(table)
    encoded = SERIALIZER.encode(table, NONE)
    assert encoded == file.getvalue()
    assert bytes(encoded) == file.getvalue()
    assert len(encoded) == SERIALIZER.serialized_bytes(encoded) == len(file.getvalue())
    assert checksum(encoded) == f"sha256:{hashlib.sha256(file.getvalue()).hexdigest()}"
    assert SERIALIZER.decode(encoded) == table


@pytest.mark.parametrize("codec", ["none", "gzip", "zstd", "lz4", "snappy", "brotli"])
def test_what_is_encoded_passes_every_codec_without_becoming_bytes_first(codec: str) -> None:
    chosen = PayloadFormat("arrow", Compression(codec))
    encoded = chosen.serialize(TABLE)
    stored = chosen.compress(encoded)
    assert (stored is encoded) == (codec == "none")
    assert table_to_rows(chosen.deserialize(chosen.decompress(stored, len(encoded)))) == TABLE.to_pylist()


def nested(depth: int) -> pa.Table:
    values = pa.array([1])
    for _ in range(depth):
        values = pa.ListArray.from_arrays(pa.array([0, 1], pa.int32()), values)
    return pa.table({"deep": values})


def test_a_table_beyond_what_ipc_carries_is_refused() -> None:
    assert SERIALIZER.decode(SERIALIZER.encode(nested(20), NONE)) == nested(20)
    with pytest.raises(PayloadRefused, match=r"arrow cannot carry this table: .*recursion"):
        SERIALIZER.encode(nested(100), NONE)


@pytest.mark.parametrize("failing", [1, 2])
@pytest.mark.parametrize("error", [pa.ArrowInvalid, pa.ArrowNotImplementedError, pa.ArrowTypeError])
def test_what_arrow_raises_is_a_refusal_whether_it_counts_or_writes(
    monkeypatch: pytest.MonkeyPatch, error: type[Exception], failing: int
) -> None:
    real, calls = pa.ipc.new_stream, []

    def new_stream(sink: Any, schema: Any) -> Any:
        calls.append(sink)
        if len(calls) == failing:
            raise error("no such type")
        return real(sink, schema)

    monkeypatch.setattr(pa.ipc, "new_stream", new_stream)
    with pytest.raises(PayloadRefused, match="no such type"):
        SERIALIZER.encode(TABLE, NONE)
    assert len(calls) == failing


GROWTH = """
import sys
from pathlib import Path
import pyarrow as pa
from stepbench.compression import Compression
from stepbench.serializers.arrow import SERIALIZER

def kilobytes(field):
    lines = Path("/proc/self/status").read_text().splitlines()
    return next(int(line.split()[1]) for line in lines if line.startswith(field))

table = pa.table({"text": pa.array(["x" * 1000]).take(pa.array([0] * 50_000))})
SERIALIZER.encode(table.slice(0, 10), Compression())
Path("/proc/self/clear_refs").write_text("5")
before = kilobytes("VmRSS:")
encoded = SERIALIZER.encode(table, Compression())
sys.stdout.write(f"{(kilobytes('VmHWM:') - before) * 1024 / len(encoded)}")
"""


@pytest.mark.skipif(sys.platform != "linux", reason="peak memory is read from /proc")
def test_encoding_takes_the_memory_of_the_encoded_table_and_no_more() -> None:
    command = [sys.executable, "-c", GROWTH]
    here = Path(__file__).parents[3]
    done = subprocess.run(command, capture_output=True, text=True, check=False, timeout=120, cwd=here)
    assert done.returncode == 0, done.stderr
    assert float(done.stdout) < 1.1
