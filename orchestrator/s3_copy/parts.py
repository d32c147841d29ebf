"""How the copy's objects are called, and how parts become the file again. Pure: no S3, no clock."""

from __future__ import annotations

import os
import re
from collections.abc import Iterable
from dataclasses import dataclass
from typing import IO

from orchestrator.run.plan import METRICS_FOLDER, Plan, lease_name, metrics_key
from stepbench.errors import UsageError

PARTS_FOLDER = "parts/"
_NAME = re.compile(r"(\d{16})-(\d{16})-(\d{15})\.jsonl")


class CopyDamaged(UsageError):
    """A part of the copy is missing."""


@dataclass(frozen=True, order=True, slots=True)
class Part:
    """Bytes of the file from `offset` on, as the orchestrator of `epoch` wrote them. Parts sort as they are laid."""

    epoch: int
    offset: int
    size_bytes: int
    parent: int
    """The epoch whose copy that orchestrator went on from; 0: from the whole file's, or from none."""

    @property
    def end(self) -> int:
        return self.offset + self.size_bytes


@dataclass(frozen=True, slots=True)
class Names:
    """The keys of one run's copy."""

    prefix: str
    """Of everything that the run writes; ends in a slash."""
    run_id: str

    @classmethod
    def of(cls, plan: Plan) -> Names:
        return cls(plan.prefix, plan.run_id)

    @property
    def folder(self) -> str:
        return self.prefix + METRICS_FOLDER

    @property
    def whole(self) -> str:
        return metrics_key(self.prefix, self.run_id)

    @property
    def lease(self) -> str:
        return self.folder + lease_name(self.run_id)

    @property
    def parts(self) -> str:
        return f"{self.folder}{PARTS_FOLDER}{self.run_id}/"

    def part(self, epoch: int, parent: int, offset: int) -> str:
        """Padded, so that a listing has the parts in their order."""
        return f"{self.parts}{epoch:016}-{parent:016}-{offset:015}.jsonl"

    def part_at(self, key: str, size_bytes: int) -> Part | None:
        """Null for the key of something else."""
        found = _NAME.fullmatch(key.removeprefix(self.parts)) if key.startswith(self.parts) else None
        return Part(int(found[1]), int(found[3]), size_bytes, int(found[2])) if found else None


def lineage(parts: Iterable[Part], whole_epoch: int = 0) -> tuple[Part, ...]:
    """Those that make the file, in the order in which they are laid.

    They are the newest orchestrator's, those of the one that it went on from, and so on, back to the whole file's copy,
    which has all that was there up to `whole_epoch`.
    """
    of_epoch: dict[int, list[Part]] = {}
    for part in parts:
        of_epoch.setdefault(part.epoch, []).append(part)
    found: list[Part] = []
    epoch = max(of_epoch, default=0)
    while epoch > whole_epoch and epoch in of_epoch:
        found += of_epoch[epoch]
        epoch = min(of_epoch.pop(epoch)[0].parent, epoch)
    return tuple(sorted(found))


def lay(file: IO[bytes], offset: int, data: bytes, of: str = "the copy") -> int:
    """Puts a part, or the whole file, in its place; gives back from which byte on that says something new.

    What stood beyond it is cut off: it was of an orchestrator that has been taken over. Raises CopyDamaged where what
    comes before it is missing.
    """
    end = file.seek(0, os.SEEK_END)
    if offset > end:
        raise CopyDamaged(f"{of} is damaged: its bytes {end:,} to {offset:,} are missing")
    file.seek(offset)
    there = file.read(len(data))
    file.seek(offset)
    file.write(data)
    file.truncate()
    return offset + len(there) if data.startswith(there) else offset


def copied_bytes(lined_up: Iterable[Part], whole_bytes: int | None) -> int | None:
    """How long the file is that these parts make; null for one with a gap."""
    end = whole_bytes or 0
    for part in lined_up:
        if part.offset > end:
            return None
        end = part.end
    return end
