"""What the names of a run's things look like. What has not exactly this look is of no run, and never touched."""

from __future__ import annotations

import re
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Literal

from orchestrator.run.plan import METRICS_FOLDER, PAYLOADS_FOLDER, RUN_ID
from stepbench import prefix

_STANDS_FOR_RUN, _STANDS_FOR_DATE = "\0run\0", "\0date\0"
"""No prefix has a zero character."""

Kind = Literal["payload", "metrics"]


@dataclass(frozen=True, slots=True)
class Owned:
    """A key of a run's."""

    run_id: str
    kind: Kind


class KeyShape:
    """The keys of runs under one template of ORCH_PREFIX."""

    def __init__(self, template: str) -> None:
        self._template = template
        before_run = prefix.expand(template, _STANDS_FOR_RUN, _STANDS_FOR_DATE).partition(_STANDS_FOR_RUN)[0]
        self._begins = re.compile(f"{re.escape(before_run).replace(_STANDS_FOR_DATE, '.{10}')}({RUN_ID})")

    @property
    def literal(self) -> str:
        """What every key begins with."""
        return prefix.literal_part(self._template)

    def folder(self, run_id: str) -> str:
        """The key prefix of everything that this run wrote, ending in a slash."""
        return prefix.expand(self._template, run_id, f"{begun(run_id):%Y-%m-%d}")

    def owner(self, key: str) -> Owned | None:
        """Whose and what it is; null for a key that no run wrote."""
        found = self._begins.match(key)
        if found is None or begun_or_none(found[1]) is None:
            return None
        run_id, folder = found[1], self.folder(found[1])
        folders: tuple[tuple[str, Kind], ...] = ((PAYLOADS_FOLDER, "payload"), (METRICS_FOLDER, "metrics"))
        kinds = (kind for name, kind in folders if key.startswith(folder + name) and key != folder + name)
        kind = next(kinds, None)
        return kind and Owned(run_id, kind)


def run_of_queue(name: str, results_queue_prefix: str) -> str | None:
    """The run whose own results queue is called `name`; null if it is none."""
    if not name.startswith(results_queue_prefix):
        return None
    run_id = name.removeprefix(results_queue_prefix)
    return run_id if begun_or_none(run_id) else None


def begun(run_id: str) -> datetime:
    """When a run was begun, to the second. Raises ValueError for what is no run id."""
    found = begun_or_none(run_id)
    if found is None:
        raise ValueError(f"{run_id!r} is no run id; 20310203-040506-0a1b2c is one")
    return found


def begun_or_none(run_id: str) -> datetime | None:
    """As `begun`; null for what is no run id."""
    if not re.fullmatch(RUN_ID, run_id):
        return None
    try:
        return datetime.strptime(run_id[:15], "%Y%m%d-%H%M%S").replace(tzinfo=UTC)
    except ValueError:  # the 13th month
        return None
