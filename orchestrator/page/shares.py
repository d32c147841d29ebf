"""The mean step of a case and its parts: means, because those of the parts add up to that of the whole."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Sequence
from dataclasses import dataclass

from orchestrator.page.material import Material
from orchestrator.report.audit import parts_of_wall
from orchestrator.report.facts import OF_QUEUES
from stepbench.samples import PHASES, Sample

S3_PARTS = ("download", "upload")
ORCHESTRATION = ("turnaround", "retry", "queue_wait", "worker_wait", "results_wait", "transit", "redelivery")
"""All that is not the executor's own work."""
CODEC = tuple(phase for phase in PHASES if phase not in S3_PARTS)


@dataclass(frozen=True)
class CaseParts:
    name: str
    mean_ns: dict[str, float]
    """Of the parts that any sample tells: a channel without queues has none of theirs."""
    whole_ns: float

    @property
    def has_queues(self) -> bool:
        return any(part in self.mean_ns for part in OF_QUEUES)

    def share(self, *parts: str) -> float:
        """Of the whole, in some parts together; 0 where there is no whole."""
        return sum(self.mean_ns.get(part, 0.0) for part in parts) / self.whole_ns if self.whole_ns > 0 else 0.0


def parts_by_case(material: Material, names: Sequence[str]) -> list[CaseParts]:
    """In the order of `names`, those that have samples in the statistics."""
    used = {name: material.used(name) for name in names}
    return [_parts(name, samples) for name, samples in used.items() if samples]


def _parts(name: str, samples: Sequence[Sample]) -> CaseParts:
    sums: dict[str, int] = defaultdict(int)
    for sample in samples:
        for part, duration_ns in parts_of_wall(sample).items():
            if duration_ns is not None:
                sums[part] += duration_ns
    mean = {part: total / len(samples) for part, total in sums.items()}
    return CaseParts(name, mean, sum(mean.values()))
