"""`python -m orchestrator.experiment.calibration`: how long a small payload of each format takes on this machine.

Formats in on stdin, one JSON object on a line; for each a line on stdout. A process of its own, because it loads the
libraries of all serializers.
"""

from __future__ import annotations

import subprocess
import sys
from collections.abc import Mapping, Sequence
from time import perf_counter_ns
from typing import Any, Literal

from stepbench.samples import Frozen

SAMPLE_BYTES = 1_000_000


class Format(Frozen):
    """What decides how long a step computes, and how large its object is."""

    serializer: str
    compression: str
    materialize: Literal["native", "rows"]
    compressibility: float


class Measured(Frozen):
    """Of SAMPLE_BYTES of records: all computing of one step, and the size of the object."""

    step_ns: int
    object_bytes: int


def measure(formats: Sequence[Format], environment: Mapping[str, str]) -> list[Measured] | None:
    """In their order; null where the child fails: an estimate is not worth an error."""
    answer = subprocess.run(
        [sys.executable, "-P", "-m", __name__],
        input="".join(f"{each.model_dump_json()}\n" for each in formats),
        capture_output=True,
        text=True,
        check=False,
        env=dict(environment),
    )
    try:
        found = [Measured.model_validate_json(line) for line in answer.stdout.splitlines()]
    except ValueError:
        return None
    return found if answer.returncode == 0 and len(found) == len(formats) else None


# --- the child ----------------------------------------------------------------------------------------------------


def _measured(each: Format) -> Measured:
    """The second of two goes: the first one loads and takes memory."""
    from stepbench import payload, records
    from stepbench.compression import Compression

    form = payload.PayloadFormat(each.serializer, Compression.parse(each.compression), each.materialize)
    value: Any
    if form.form == "bytes":
        value = records.raw_bytes(SAMPLE_BYTES, 1, each.compressibility)
    else:
        value = form.value_of(records.generate(SAMPLE_BYTES, 1, each.compressibility))
    found = Measured(step_ns=0, object_bytes=0)
    for _ in range(2):
        began = perf_counter_ns()
        serialized = form.serialize(value)
        data = form.compress(serialized)
        checksum = payload.checksum(data)
        payload.check(data, checksum)
        form.deserialize(form.decompress(data, form.serialized_bytes(serialized)))
        found = Measured(step_ns=perf_counter_ns() - began, object_bytes=len(data))
    return found


def main() -> None:
    for line in sys.stdin:
        print(_measured(Format.model_validate_json(line)).model_dump_json(), flush=True)  # noqa: T201 # the answer


if __name__ == "__main__":
    main()
