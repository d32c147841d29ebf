"""Measured rounds as they are kept: what they are of, then one JSON line for each round, compressed."""

from __future__ import annotations

import gzip
import json
from collections.abc import Iterable
from dataclasses import asdict, dataclass
from pathlib import Path

Steps = dict[str, list[int]]
"""Of one run: for each quantity what each step took, in order, in microseconds."""
CPU = "CPU of "
"""Quantities that begin so are CPU time, the others walls."""
KEPT = Path(__file__).parent / "rounds-of-one-case.jsonl.gz"


@dataclass(frozen=True)
class Round:
    """One run of each arm, one after the other."""

    others_share: float
    """Of all cores, meanwhile: what other programs took."""
    arms: list[Steps]


@dataclass(frozen=True)
class Measured:
    """All arms are the same case."""

    about: str
    rounds: list[Round]


def write(path: Path, measured: Measured) -> None:
    """The same bytes for the same rounds."""
    lines = [json.dumps({"about": measured.about}), *(json.dumps(asdict(each)) for each in measured.rounds)]
    path.write_bytes(gzip.compress("\n".join(lines).encode(), mtime=0))


def read(path: Path = KEPT) -> Measured:
    first, *lines = gzip.decompress(path.read_bytes()).decode().splitlines()
    return Measured(json.loads(first)["about"], _rounds(lines))


def _rounds(lines: Iterable[str]) -> list[Round]:
    return [Round(**json.loads(line)) for line in lines]
