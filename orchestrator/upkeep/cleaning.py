"""Cleaning up: what is there, what of it may go and why the rest may not, and its removal."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from functools import partial
from typing import TYPE_CHECKING

from orchestrator.run.plan import utc_now
from orchestrator.upkeep.local_file import held
from orchestrator.upkeep.remains import Remains, Search
from orchestrator.upkeep.removal import Removed, Remover
from orchestrator.upkeep.shapes import Kind
from orchestrator.upkeep.verdict import Terms, why_kept

if TYPE_CHECKING:
    from pathlib import Path

    from stepbench.aws import Clients
    from stepbench.settings import Settings


@dataclass(frozen=True)
class Case:
    """One run that has left something."""

    remains: Remains
    kept: str | None
    """Why it stays; null for what may go."""


@dataclass(frozen=True)
class Findings:
    """What there is. Metrics copies are only removed where that was asked for."""

    cases: tuple[Case, ...]
    strangers: int
    with_metrics: bool

    @property
    def to_go(self) -> list[Remains]:
        """Of runs that are over, where anything of them is to be removed."""
        return [case.remains for case in self.cases if case.kept is None and self.has_removable(case.remains)]

    @property
    def metrics_that_stay(self) -> int:
        """Copies of metrics files of runs that are over."""
        return 0 if self.with_metrics else sum(case.remains.metrics for case in self.cases if case.kept is None)

    def has_removable(self, remains: Remains) -> bool:
        """Whether the run has left anything that a clean-up removes once it is over."""
        metrics = remains.metrics if self.with_metrics else 0
        return bool(remains.payloads or remains.uploads or remains.queue or metrics)


class Cleaning:
    """One clean-up. Every method raises the SDK's errors."""

    def __init__(
        self, settings: Settings, clients: Clients, run_id: str | None, terms: Terms, *, with_metrics: bool
    ) -> None:
        assert settings.bucket is not None
        self._metrics_dir: Path = settings.metrics_dir
        self._search = partial(Search, settings, clients)
        self._run_id = run_id
        kinds: tuple[Kind, ...] = ("payload", "metrics") if with_metrics else ("payload",)
        self._remover = Remover(clients, settings.bucket, settings.prefix, kinds)
        self._terms = terms
        self._with_metrics = with_metrics

    def findings(self) -> Findings:
        """Changes nothing."""
        found = self._search(self._run_id).found()
        cases = tuple(Case(remains, self._why_kept(remains)) for remains in found.runs)
        return Findings(cases, found.strangers, self._with_metrics)

    def remove(self, findings: Findings) -> Iterator[tuple[Remains, Removed | str]]:
        """Run by run, with what is gone, or why it stays after all.

        Each is looked at again: somebody may have thought about it for long, and somebody else have gone on with it.
        """
        for before in findings.to_go:
            with held(self._metrics_dir, before.run_id) as local:
                for remains in self._search(before.run_id).found().runs:
                    reason = why_kept(remains, local, self._terms, utc_now())
                    yield remains, reason or self._remover.remove(remains)

    def _why_kept(self, remains: Remains) -> str | None:
        with held(self._metrics_dir, remains.run_id) as local:
            return why_kept(remains, local, self._terms, utc_now())
