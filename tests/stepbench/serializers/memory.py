"""Prints the peak memory of encoding or decoding, as a multiple of the payload's size as JSON. In its own process."""

from __future__ import annotations

import gc
import sys
from pathlib import Path
from typing import Any, cast

from stepbench.compression import Compression
from stepbench.payload import Materialize, PayloadFormat
from stepbench.records import generate, raw_bytes

PAYLOAD_BYTES = 10_000_000


def kilobytes(field: str) -> int:
    lines = Path("/proc/self/status").read_text(encoding="ascii").splitlines()
    return next(int(line.split()[1]) for line in lines if line.startswith(field))


class Peak:
    """Growth of this process's memory, at its highest, since this was made."""

    def __init__(self) -> None:
        gc.collect()
        Path("/proc/self/clear_refs").write_text("5", encoding="ascii")
        self._before = kilobytes("VmRSS:")

    def multiple(self) -> float:
        return (kilobytes("VmHWM:") - self._before) * 1024 / PAYLOAD_BYTES


def value_for(chosen: PayloadFormat, size: int) -> Any:
    return raw_bytes(size, 1, 0.5) if chosen.form == "bytes" else chosen.value_of(generate(size, 1, 0.5))


def main(direction: str, name: str, materialize: str, file: Path) -> None:
    chosen = PayloadFormat(name, Compression(), cast(Materialize, materialize))
    chosen.deserialize(chosen.serialize(value_for(chosen, 1000)))  # Imports and thread pools are not the payload's.
    if direction == "encode":
        value = value_for(chosen, PAYLOAD_BYTES)
        peak = Peak()
        file.write_bytes(chosen.serialize(value))
    else:
        peak = Peak()
        chosen.deserialize(file.read_bytes())
    sys.stdout.write(f"{peak.multiple()}\n")


if __name__ == "__main__":
    main(sys.argv[1], sys.argv[2], sys.argv[3], Path(sys.argv[4]))
