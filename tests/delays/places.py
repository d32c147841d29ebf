"""Where a delay can be put, and which step is to have which: what the benchmark, the proxy and the programs agree on.

The file that DELAYS names says for every step of every chain where its delay is. All who take part know a step by its
chain and number: from the message that passes, from the object's key, or from what came before.
"""

from __future__ import annotations

import json
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Literal, get_args

VARIABLE = "DELAYS"
OnTheWay = Literal[
    "S3 GET: request",
    "S3 GET: reply",
    "S3 PUT: request",
    "S3 PUT: reply",
    "step message's send: request",
    "step message's send: reply",
    "step message's receive: request",
    "step message's receive: request after the send",
    "step message's receive: reply",
    "completion's send: request",
    "completion's send: reply",
    "completion's receive: request",
    "completion's receive: request after the send",
    "completion's receive: reply",
]
Inside = Literal[
    "worker: before the step",
    "executor: decode",
    "executor: transform",
    "executor: encode",
    "executor: between phases",
    "worker: after the step",
    "orchestrator: completion to dispatch",
]
"""Of the step after the completion, in the orchestrator."""
Place = OnTheWay | Inside
PLACES: tuple[Place, ...] = (*get_args(OnTheWay), *get_args(Inside))


@dataclass(frozen=True)
class Delays:
    """A plan for a whole run."""

    delay_seconds: float
    transform_seconds: float
    """Every step's transform takes so long anyway, so that there is something for others to overlap with."""
    places: list[list[Place | None]]
    """By chain and step, each less 1."""

    def of(self, chain: int, step: int) -> Place | None:
        """Null for warm-up steps, which have chains of their own, and beyond the last step."""
        if not (0 < chain <= len(self.places) and 0 < step <= len(self.places[chain - 1])):
            return None
        return self.places[chain - 1][step - 1]

    def seconds(self, place: Place, chain: int, step: int) -> float:
        """How long a step is held up at `place`."""
        return self.delay_seconds if self.of(chain, step) == place else 0.0

    def write(self, path: Path) -> None:
        path.write_text(json.dumps(asdict(self)))

    @classmethod
    def read(cls, path: Path) -> Delays:
        return cls(**json.loads(path.read_text()))
