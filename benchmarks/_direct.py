"""A `payload` step by direct library calls in one process, as a careful engineer would write it.

The same work with the same libraries and settings: the same parts at once to and from S3, the same serializer with the
same options, checksums of what comes in and of what goes out. Each form of the payload is let go as soon as the next
one exists. Nothing of stepbench is imported.

Requests come in on stdin and answers go out on stdout, a JSON line each; the first request is the configuration.
"""

from __future__ import annotations

import hashlib
import io
import json
import sys
from collections import Counter
from collections.abc import Callable
from contextlib import suppress
from pathlib import Path
from time import monotonic_ns
from typing import Any

import boto3
from boto3.s3.transfer import TransferConfig
from botocore.config import Config
from botocore.exceptions import ClientError

Value = Any
Buffer = Any
"""bytes, or Arrow's own buffer, which `file_of` does not copy either."""
Codec = tuple[Callable[[bytes], Value], Callable[[Value], Buffer], Callable[[Buffer], Any]]


def codec(serializer: str) -> Codec:
    """(loads, dumps, file_of) of a serializer's own library, imported now."""
    if serializer == "json":
        encode = json.JSONEncoder(ensure_ascii=False, allow_nan=False, separators=(",", ":")).encode
        return json.loads, lambda value: encode(value).encode(), io.BytesIO
    if serializer == "msgpack":
        import msgpack

        return msgpack.unpackb, msgpack.packb, io.BytesIO
    if serializer == "arrow":
        import pyarrow as pa

        return lambda data: pa.ipc.open_stream(data).read_all(), _arrow_bytes, pa.BufferReader
    raise SystemExit(f"no direct calls for {serializer}")


def _arrow_bytes(table: Any) -> Buffer:
    import pyarrow as pa

    size = pa.MockOutputStream()
    _write_stream(table, size)
    buffer = pa.allocate_buffer(size.size())
    _write_stream(table, pa.FixedSizeBufferWriter(buffer))
    return buffer


def _write_stream(table: Any, sink: Any) -> None:
    import pyarrow as pa

    with pa.ipc.new_stream(sink, table.schema) as writer:
        writer.write_table(table)


class Direct:
    """One client, connected; one step after the other."""

    def __init__(self, settings: dict[str, Any]) -> None:
        self._bucket = settings["bucket"]
        self._loads, self._dumps, self._file_of = codec(settings["serializer"])
        self._client = boto3.client(
            "s3",
            config=Config(
                connect_timeout=settings["connect_timeout_seconds"],
                read_timeout=settings["read_timeout_seconds"],
                retries={"mode": settings["retry_mode"], "total_max_attempts": settings["max_attempts"]},
                max_pool_connections=settings["connections"],
                tcp_keepalive=True,
                s3={"addressing_style": "path"},
            ),
        )
        self._parts = TransferConfig(
            multipart_threshold=settings["part_bytes"],
            multipart_chunksize=settings["part_bytes"],
            max_concurrency=settings["part_concurrency"],
            preferred_transfer_client="classic",
        )
        with suppress(ClientError):  # it need not exist: the connection is open
            self._client.head_object(Bucket=self._bucket, Key="connect")

    def step(self, request: dict[str, Any]) -> dict[str, Any]:
        """What the step took, phase by phase, and its output's checksum."""
        Path("/proc/self/clear_refs").write_text("5")
        spent: Counter[str] = Counter()
        began_ns = stamped_ns = monotonic_ns()

        def stamp(phase: str) -> None:
            nonlocal stamped_ns
            now_ns = monotonic_ns()
            spent[phase] += now_ns - stamped_ns
            stamped_ns = now_ns

        buffer = io.BytesIO()
        self._client.download_fileobj(self._bucket, request["input"], buffer, Config=self._parts)
        data = buffer.getvalue()
        del buffer
        stamp("download")
        if hashlib.sha256(data).hexdigest() != request["checksum"]:
            raise SystemExit("the payload does not have its checksum")
        stamp("checksum")
        value = self._loads(data)
        stamp("deserialize")
        del data
        stamp("other")
        data = self._dumps(value)
        stamp("serialize")
        del value
        stamp("other")
        checksum = hashlib.sha256(data).hexdigest()
        stamp("checksum")
        self._client.upload_fileobj(self._file_of(data), self._bucket, request["output"], Config=self._parts)
        stamp("upload")
        return {
            "wall_ns": stamped_ns - began_ns,
            "phases_ns": spent,
            "peak_rss_bytes": _peak_rss_bytes(),
            "checksum": checksum,
        }


def _peak_rss_bytes() -> int:
    lines = Path("/proc/self/status").read_text().splitlines()
    return next(int(line.split()[1]) * 1024 for line in lines if line.startswith("VmHWM:"))


def main() -> None:
    direct = Direct(json.loads(sys.stdin.readline()))
    print("ready", flush=True)
    for line in sys.stdin:
        print(json.dumps(direct.step(json.loads(line))), flush=True)


if __name__ == "__main__":
    main()
