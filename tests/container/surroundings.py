"""What a worker's container meets in a test: `python -m orchestrator local --no-worker`, and runs against it."""

from __future__ import annotations

import os
import shlex
from pathlib import Path

from orchestrator.local import environment
from scripts.docs.tree import ROOT
from tests.container.containers import Container, Engine
from tests.embedded import clients_at
from tests.runs.programs import Program, RunProgram
from tests.runs.saboteur import Saboteur
from tests.runs.waiting import eventually

ENOUGH_LINES = 5


class Surroundings:
    """A stack, the containers and the runs that were started on it; `close` ends what still runs."""

    def __init__(self, engine: Engine, image: str, folder: Path) -> None:
        self._engine = engine
        self._image = image
        self.folder = folder
        self._runs: list[Program] = []
        self._containers: list[Container] = []
        self._stack = Program(
            ["orchestrator", "local", "--no-worker"], folder / "stack", environment.cleaned(os.environ)
        )
        self.variables = eventually("the stack prints its variables", self._printed)

    def _printed(self) -> dict[str, str]:
        assert self._stack.process.poll() is None, self._stack.stderr
        lines = self._stack.stdout.rpartition("\n")[0].splitlines()
        pairs = [shlex.split(line.removeprefix("export "))[0].partition("=") for line in lines]
        return {name: value for name, _, value in pairs} if len(pairs) >= ENOUGH_LINES else {}

    def worker(self, *options: str, saboteur: Saboteur | None = None, **variables: str) -> Container:
        """A container with one executor, unless told otherwise, that is ready for its first step."""
        if saboteur:
            options = (*options, *_mounts(saboteur))
            variables = {**variables, **_orders()}
        given = {**self.variables, "EXECUTORS": "1", "LOG_FORMAT": "json", **variables}
        worker = Container(self._engine, self._image, {name: value for name, value in given.items() if value}, *options)
        self._containers.append(worker)
        worker.until_logged("worker ready")
        return worker

    def start(self, *flags: str) -> RunProgram:
        """A run whose orchestrator is a process of this machine."""
        surroundings = {**environment.cleaned(os.environ), **self.variables, "PAYLOAD_MB": "0.05"}
        command = ["orchestrator", "start", "--quiet", *flags]
        run = RunProgram(command, self.folder / f"run-{len(self._runs)}", surroundings)
        self._runs.append(run)
        return run

    def depth(self) -> tuple[int, int]:
        """Visible and hidden messages of the steps queue."""
        found = clients_at(self.variables["AWS_ENDPOINT_URL_SQS"]).sqs.get_queue_attributes(
            QueueUrl=self.variables["ORCH_STEPS_QUEUE_URL"],
            AttributeNames=["ApproximateNumberOfMessages", "ApproximateNumberOfMessagesNotVisible"],
        )["Attributes"]
        return int(found["ApproximateNumberOfMessages"]), int(found["ApproximateNumberOfMessagesNotVisible"])

    def close(self) -> None:
        """Ends every container and every program that still runs."""
        for container in self._containers:
            container.remove()
        for program in (*self._runs, self._stack):
            program.kill()


def _mounts(saboteur: Saboteur) -> list[str]:
    """The tests' orders to break things, for the image has none of them; it takes orders away as its own user."""
    orders = Path(saboteur.variables["SABOTAGE_ORDERS"])
    orders.chmod(0o777)
    return [f"--volume={ROOT / 'tests'}:/sabotage/tests:ro", f"--volume={orders}:/orders"]


def _orders() -> dict[str, str]:
    return {"PYTHONPATH": "/sabotage/tests/runs/sabotage:/sabotage", "SABOTAGE_ORDERS": "/orders"}
