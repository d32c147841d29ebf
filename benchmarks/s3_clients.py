"""What each S3 client takes to get and to put an object: wall and CPU, side by side, on the emulator.

python -m benchmarks.s3_clients [--rounds N] [--sizes-mb 0.1,20] [--json]

The emulator is a program in Python on this machine: for small objects, and for every put, it is what takes the time.
`bare` is one plain HTTP request of Python's own client, signed beforehand, without a checksum or parts: what is in its
rows is the emulator's and the copying's, and no client could be without it.
"""

from __future__ import annotations

import argparse
import http.client
import json
import os
import random
import resource
import sys
from collections import defaultdict
from collections.abc import Callable, Iterator
from functools import partial
from statistics import median
from time import perf_counter_ns, process_time
from urllib.parse import urlsplit

from benchmarks._figures import middle_half
from benchmarks._machine import Conditions, Watch
from benchmarks._report import progress
from benchmarks._stack import emulators
from orchestrator.local.stack import Stack
from stepbench import registry, s3_clients
from stepbench.aws import AwsConfig
from stepbench.s3_clients import Encryption, S3Client, TransferOptions

BARE = "bare"
KEY = "benchmarks/s3_clients/{}-{}"
PLAIN = Encryption()
HEADINGS = ("client", "object MB", "", "wall ms", "[middle half]", "MB/s", "CPU ms")
NOTES = (
    "Medians over the rounds; CPU is that of this process and of the programs that it starts, not the emulator's.",
    "On the emulator, which is slower than the clients: these figures tell what a client costs this machine, and not",
    "which one is faster against S3.",
)

Key = tuple[str, float, str]
"""(client, object MB, `get` or `put`)"""
Spent = tuple[float, float]
"""(wall ms, CPU ms)"""


class Bare:
    """One connection, one request for each object, signed beforehand."""

    def __init__(self, stack: Stack, key: str) -> None:
        s3 = stack.clients().s3
        named = {"Bucket": stack.bucket, "Key": key}
        self._get, self._put = (s3.generate_presigned_url(call, named) for call in ("get_object", "put_object"))
        self._connection = http.client.HTTPConnection(urlsplit(self._get).netloc)

    def get(self) -> bytes:
        return self._answer("GET", self._get)

    def put(self, data: bytes) -> None:
        self._answer("PUT", self._put, data)

    def _answer(self, method: str, url: str, data: bytes | None = None) -> bytes:
        self._connection.request(method, "/" + url.split("/", 3)[3], data)
        answer = self._connection.getresponse()
        content = answer.read()
        assert answer.status == http.HTTPStatus.OK, content
        return content


def measure(stack: Stack, sizes_mb: list[float], rounds: int) -> dict[Key, list[Spent]]:
    """Rounds of all clients, each in an order of its own; the first round is in no figure."""
    works = dict(_works(stack, sizes_mb))
    spent: dict[Key, list[Spent]] = defaultdict(list)
    for number in range(rounds + 1):
        for key in random.Random(number).sample(sorted(works), len(works)):
            taken = _taken(works[key])
            if number:
                spent[key].append(taken)
        progress(f"round {number} of {rounds}")
    return spent


def _works(stack: Stack, sizes_mb: list[float]) -> Iterator[tuple[Key, Callable[[], object]]]:
    bucket, config = stack.bucket, AwsConfig.of(stack.settings)
    os.environ.update(stack.environment)  # credentials of the emulator; this process speaks to nothing else
    clients = {
        name: s3_clients.make(name, config, TransferOptions.of(stack.settings))
        for name in registry.choices("stepbench.s3_clients")
    }
    for size_mb in sizes_mb:
        data = random.Random(1).randbytes(round(size_mb * 1e6))
        for name, client in clients.items():
            client.put(bucket, KEY.format(name, size_mb), data, PLAIN)
            yield from _of_client(client, bucket, size_mb, data)
        bare = Bare(stack, KEY.format(BARE, size_mb))
        bare.put(data)
        yield (BARE, size_mb, "put"), partial(bare.put, data)
        yield (BARE, size_mb, "get"), bare.get


def _of_client(
    client: S3Client, bucket: str, size_mb: float, data: bytes
) -> Iterator[tuple[Key, Callable[[], object]]]:
    key = KEY.format(client.name, size_mb)
    yield (client.name, size_mb, "put"), lambda: client.put(bucket, key, data, PLAIN)
    yield (client.name, size_mb, "get"), lambda: client.get(bucket, key, len(data))


def _taken(work: Callable[[], object]) -> Spent:
    cpu_before, began_ns = _cpu_seconds(), perf_counter_ns()
    work()
    wall_ms = (perf_counter_ns() - began_ns) / 1e6
    return wall_ms, (_cpu_seconds() - cpu_before) * 1e3


def _cpu_seconds() -> float:
    children = resource.getrusage(resource.RUSAGE_CHILDREN)
    return process_time() + children.ru_utime + children.ru_stime


def _rows(spent: dict[Key, list[Spent]]) -> Iterator[tuple[str, ...]]:
    for name, size_mb, way in sorted(spent, key=lambda key: (key[1], key[2], key[0] == BARE, key[0])):
        walls, cpus = zip(*spent[name, size_mb, way], strict=True)
        low, high = middle_half(walls)
        wall = median(walls)
        yield (
            name,
            f"{size_mb:g}",
            way,
            f"{wall:.1f}",
            f"[{low:.1f} to {high:.1f}]",
            f"{size_mb / wall * 1e3:.1f}",
            f"{median(cpus):.1f}",
        )


def _table(spent: dict[Key, list[Spent]]) -> list[str]:
    rows = [HEADINGS, *_rows(spent)]
    widths = [max(len(row[column]) for row in rows) for column in range(len(HEADINGS))]
    return ["  ".join(cell.ljust(width) for cell, width in zip(row, widths, strict=True)).rstrip() for row in rows]


def _as_json(spent: dict[Key, list[Spent]], conditions: Conditions) -> str:
    figures = [
        {"client": name, "object_mb": size_mb, "way": way, "wall_ms": [s[0] for s in of], "cpu_ms": [s[1] for s in of]}
        for (name, size_mb, way), of in spent.items()
    ]
    return json.dumps({"benchmark": "s3_clients", "machine": conditions.as_json(), "figures": figures})


def main() -> int:
    flags = argparse.ArgumentParser(description="Wall and CPU of each S3 client, on the emulator.")
    flags.add_argument("--rounds", type=int, default=11, help="measurements of each (default 11)")
    flags.add_argument("--sizes-mb", default="0.1,20", help="sizes of the objects (default 0.1,20)")
    flags.add_argument("--json", action="store_true", help="print one JSON object, with every single value")
    arguments = flags.parse_args()
    watch = Watch()
    with emulators() as stack:
        spent = measure(stack, [float(size) for size in arguments.sizes_mb.split(",")], arguments.rounds)
    conditions = watch.conditions()
    if arguments.json:
        print(_as_json(spent, conditions))
        return 0
    print(f"S3 clients on the emulator, {arguments.rounds} rounds; {conditions.cores} cores of {conditions.processor}")
    print("\n".join(["", *_table(spent), "", *NOTES]))
    if conditions.busy:
        print("! The machine was busy with other things: run this again on a quiet one.")
    return 0


if __name__ == "__main__":
    sys.exit(main())
