"""The embedded stack, a fleet with a worker, and the proxies between: what every round is played on."""

from __future__ import annotations

import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest

from orchestrator.local.stack import embedded_stack
from orchestrator.run import results_queue
from stepbench.queues import MAX_BATCH_MESSAGES
from stepbench.settings import Settings
from tests.chaos.faults.catalogue import MOST_ATTEMPTS, SDK_TRIES, Recipe
from tests.chaos.faults.proxy import Proxies, proxies
from tests.chaos.faults.witness import Witness
from tests.runs.fleet import Fleet
from tests.runs.programs import Outcome, WorkerProgram

VISIBILITY_SECONDS = 3
STALL_SECONDS = 12
"""Far above VISIBILITY_SECONDS: a message whose receive went wrong is back before its step is given up as lost."""


class Bench:
    """Orchestrators run in this process, one after the other; the worker and its executors are processes."""

    def __init__(self, fleet: Fleet, between: Proxies, witness: Witness) -> None:
        self.fleet = fleet
        self.between = between
        self.witness = witness
        self._worker: WorkerProgram | None = None
        self._told = 0

    def run(self, recipe: Recipe) -> Outcome:
        size = (f"--chains={recipe.chains}", f"--steps={recipe.steps}")
        return self.fleet.run("--json", *size, *recipe.flags, **self._of(recipe))

    def resume(self, recipe: Recipe, folder: Path, run_id: str) -> Outcome:
        return self.fleet.resume(folder, run_id, "--json", **self._of(recipe))

    def _of(self, recipe: Recipe) -> dict[str, str]:
        return {**self._variables, "METRICS_SYNC_SECONDS": str(recipe.sync_seconds)}

    def ready(self) -> None:
        """There is a worker, and nothing of an earlier round in its way."""
        if self._worker is None or self._worker.process.poll() is not None:
            self._worker = self.fleet.worker(**{**self._variables, "EXECUTORS": "2"})
            self._told = 0
        steps = self.fleet.queue()
        while left := steps.receive(MAX_BATCH_MESSAGES, 0):
            steps.delete([message.receipt for message in left])
        self.worker_said()

    def worker_said(self) -> str:
        """On its stderr, since the last time."""
        assert self._worker is not None
        said = self._worker.stderr
        new, self._told = said[self._told :], len(said)
        return new

    def worker_lives(self) -> bool:
        return self._worker is not None and self._worker.process.poll() is None

    @property
    def _variables(self) -> dict[str, str]:
        return {
            "AWS_ENDPOINT_URL_S3": self.between.s3_url,
            "AWS_ENDPOINT_URL_SQS": self.between.sqs_url,
            "AWS_MAX_ATTEMPTS": str(SDK_TRIES),
            "VISIBILITY_TIMEOUT": str(VISIBILITY_SECONDS),
            "STALL_TIMEOUT": str(STALL_SECONDS),
            "MAX_ATTEMPTS": str(MOST_ATTEMPTS),
            "S3_PART_MB": "5.243",
        }


@contextmanager
def bench() -> Iterator[Bench]:
    """For the length of the block. Messages that went astray come back soon, and not after the minute of real runs."""
    with (
        tempfile.TemporaryDirectory() as folder,
        pytest.MonkeyPatch.context() as patch,
        embedded_stack(Settings()) as stack,
    ):
        patch.setattr(results_queue, "MAX_VISIBILITY_SECONDS", VISIBILITY_SECONDS)
        fleet = Fleet(stack, stack.clients(), Path(folder), max_receive_count=12)
        witness = Witness(fleet.folder, fleet.steps_queue_url)
        here = stack.settings
        assert here.s3_endpoint_url is not None
        assert here.sqs_endpoint_url is not None
        shared = fleet.steps_queue_url.rpartition("/")[2]
        with proxies(here.s3_endpoint_url, here.sqs_endpoint_url, witness.saw, shared_queue=shared) as between:
            try:
                yield Bench(fleet, between, witness)
            finally:
                fleet.close()
