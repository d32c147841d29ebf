"""A fleet for a test: a steps queue of its own on the emulated stack, and the programs that meet there."""

from __future__ import annotations

import contextlib
import io
import itertools
import json
import os
import signal
import uuid
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from types import FrameType
from typing import Any

import pytest

from orchestrator import cli
from orchestrator.local import environment
from orchestrator.local.stack import Stack
from stepbench import payload
from stepbench.aws import Clients
from stepbench.messages import PayloadRef, StepMessage
from stepbench.queues import Received
from stepbench.queues.sqs import SqsQueue
from stepbench.s3_uris import uri
from tests.runs.programs import Outcome, Program, RunProgram, WorkerProgram, lines_of
from tests.runs.waiting import DEADLINE_SECONDS, eventually

VISIBILITY_SECONDS = 120
SMALL_PAYLOAD_MB = "0.05"
PREFIX = "orchestration-bench/runs/"
"""What stands before the first placeholder of ORCH_PREFIX's default."""


class Fleet:
    """Queues, and the programs that were started on them; `close` ends those that still run."""

    def __init__(self, stack: Stack, clients: Clients, folder: Path, *, max_receive_count: int = 5) -> None:
        self.clients = clients
        self.bucket = stack.bucket
        self.folder = folder
        self._stack = stack
        self._programs: list[Program] = []
        self._numbers = itertools.count(1)
        self.dead_letters_url = self.new_queue("dead")
        arn = clients.sqs.get_queue_attributes(QueueUrl=self.dead_letters_url, AttributeNames=["QueueArn"])
        redrive = {"deadLetterTargetArn": arn["Attributes"]["QueueArn"], "maxReceiveCount": max_receive_count}
        self.steps_queue_url = self.new_queue("steps", RedrivePolicy=json.dumps(redrive))

    def new_queue(self, name: str, **attributes: str) -> str:
        """The URL of a queue that no other test has."""
        attributes = {"VisibilityTimeout": str(VISIBILITY_SECONDS), **attributes}
        made = self.clients.sqs.create_queue(
            QueueName=f"{name}-{uuid.uuid4().hex}",
            Attributes=attributes,  # type: ignore[arg-type] # the stubs want literal names
        )
        return made["QueueUrl"]

    def environment(self, **variables: str) -> dict[str, str]:
        """What a program needs to find this fleet and nothing else."""
        return {
            **environment.cleaned(os.environ),
            **environment.for_second_terminal(self._stack.environment, os.environ, {}),
            "ORCH_STEPS_QUEUE_URL": self.steps_queue_url,
            "PAYLOAD_MB": SMALL_PAYLOAD_MB,
            "LOG_FORMAT": "json",
            **variables,
        }

    def worker(self, **variables: str) -> WorkerProgram:
        """A worker with one executor, unless told otherwise, that is ready for its first step."""
        worker = self.start_worker(**variables)
        worker.until_logged("worker ready")
        return worker

    def start_worker(self, **variables: str) -> WorkerProgram:
        """As `worker`, but not waited for."""
        surroundings = self.environment(**{"EXECUTORS": "1", **variables})
        worker = WorkerProgram(["worker"], self._new_folder("worker"), surroundings)
        self._programs.append(worker)
        return worker

    def start(self, *flags: str, **variables: str) -> RunProgram:
        """A run that goes on in a process of its own."""
        command = ["orchestrator", "start", "--quiet", *flags]
        run = RunProgram(command, self._new_folder("run"), self.environment(**variables))
        self._programs.append(run)
        return run

    def start_resume(self, folder: Path, run_id: str, *flags: str, **variables: str) -> RunProgram:
        """Goes on with a run in a process of its own."""
        command = ["orchestrator", "resume", run_id, "--quiet", *flags]
        run = RunProgram(command, folder, self.environment(**variables))
        self._programs.append(run)
        return run

    def tail(self, folder: Path, run_id: str, **variables: str) -> Program:
        """Follows a run from a folder without its metrics file."""
        command = ["orchestrator", "tail", run_id, "--json"]
        self._programs.append(Program(command, folder, self.environment(**variables)))
        return self._programs[-1]

    def run(self, *flags: str, **variables: str) -> Outcome:
        """A run from its begin to its end, within this process: the same program without an interpreter's start."""
        folder = self._new_folder("run")
        folder.mkdir()
        return self._to_its_end(folder, ["start", "--quiet", *flags], variables)

    def resume(self, folder: Path, run_id: str, *flags: str, **variables: str) -> Outcome:
        """Goes on with a run in whose `folder` its metrics file is, and comes to its end, within this process."""
        return self._to_its_end(folder, ["resume", run_id, "--quiet", *flags], variables)

    def _to_its_end(self, folder: Path, words: list[str], variables: dict[str, str]) -> Outcome:
        with self._deadline(), _surrounded_by(self.environment(**variables), folder), _captured() as (stdout, stderr):
            code = cli.main(words)
        return Outcome(code, stdout.getvalue(), stderr.getvalue(), lines_of(folder / "out"))

    def has_worker(self) -> bool:
        """Whether a worker is running."""
        workers = [program for program in self._programs if isinstance(program, WorkerProgram)]
        return any(worker.process.poll() is None for worker in workers)

    def depth(self, url: str | None = None) -> tuple[int, int]:
        """Visible and hidden messages of a queue, the steps queue unless told otherwise."""
        names: Any = ["ApproximateNumberOfMessages", "ApproximateNumberOfMessagesNotVisible"]
        found = self.clients.sqs.get_queue_attributes(QueueUrl=url or self.steps_queue_url, AttributeNames=names)
        visible, hidden = (int(found["Attributes"][name]) for name in names)
        return visible, hidden

    def until_depth(self, depth: tuple[int, int], url: str | None = None) -> None:
        """Waits until a queue has exactly so many visible and hidden messages."""
        eventually(f"the queue has {depth} visible and hidden messages", lambda: self.depth(url) == depth)

    def keys(self, prefix: str) -> list[str]:
        """The keys of the objects below `prefix`."""
        found = self.clients.s3.list_objects_v2(Bucket=self.bucket, Prefix=prefix)
        return [entry["Key"] for entry in found.get("Contents", ())]

    def results_queues(self, run_id: str) -> list[str]:
        """The run's own results queue, if it is there."""
        found = self.clients.sqs.list_queues(QueueNamePrefix=f"stepbench-results-{run_id}")
        return found.get("QueueUrls", [])

    def send(self, message: StepMessage | str) -> None:
        """Puts a body into the steps queue."""
        body = message if isinstance(message, str) else message.model_dump_json()
        self.clients.sqs.send_message(QueueUrl=self.steps_queue_url, MessageBody=body)

    def take(self, url: str | None = None) -> Received:
        """Receives one message, as anybody may, from the steps queue unless told otherwise; it stays hidden."""
        return eventually("a message", lambda: self.queue(url).receive(1, 1))[0]

    def dead_letters(self) -> set[tuple[int, int, int]]:
        """Chain, step and attempt of every step message that is dead-lettered; they stay hidden for a while."""
        found: set[tuple[int, int, int]] = set()
        while messages := self.queue(self.dead_letters_url).receive(10, 0):
            steps = [json.loads(message.body) for message in messages]
            found |= {(step["chain"], step["step"], step["attempt"]) for step in steps}
        return found

    def queue(self, url: str | None = None) -> SqsQueue:
        return SqsQueue(self.clients.sqs, url or self.steps_queue_url, VISIBILITY_SECONDS)

    def put_payload(self, content: bytes = b"[]") -> PayloadRef:
        """An object that a step can read as json."""
        key = f"{PREFIX}by-hand/{uuid.uuid4().hex}.json"
        self.clients.s3.put_object(Bucket=self.bucket, Key=key, Body=content)
        return PayloadRef(
            uri=uri(self.bucket, key),
            object_bytes=len(content),
            serialized_bytes=len(content),
            checksum=payload.checksum(content),
            serializer="json",
            compression="none",
        )

    @contextmanager
    def silent(self, service: str) -> Iterator[None]:
        """The emulator of `service` (S3 or SQS) answers nothing for the length of the block."""
        (pid,) = (child.process.pid for child in self._stack.children if child.name == f"the emulator of {service}")
        os.kill(pid, signal.SIGSTOP)
        try:
            yield
        finally:
            os.kill(pid, signal.SIGCONT)

    def close(self) -> None:
        """Ends every program that still runs."""
        for program in self._programs:
            program.kill()

    @contextmanager
    def _deadline(self) -> Iterator[None]:
        """Fails the test from inside what hangs in this thread, with what the fleet's programs said."""

        def fail(number: int, frame: FrameType | None) -> None:
            said = "\n".join(f"{program.folder}:\n{program.stderr}" for program in self._programs)
            pytest.fail(f"a run did not end within {DEADLINE_SECONDS:g} s; its fleet said:\n{said}")

        before = signal.signal(signal.SIGALRM, fail)
        # Again and again: what is raised within a finalizer is dropped.
        signal.setitimer(signal.ITIMER_REAL, DEADLINE_SECONDS, DEADLINE_SECONDS)
        try:
            yield
        finally:
            signal.setitimer(signal.ITIMER_REAL, 0)
            signal.signal(signal.SIGALRM, before)

    def _new_folder(self, name: str) -> Path:
        return self.folder / f"{name}-{next(self._numbers)}"


@contextmanager
def _surrounded_by(variables: dict[str, str], folder: Path) -> Iterator[None]:
    """This process with another environment and folder."""
    with pytest.MonkeyPatch.context() as patch:
        for name in set(os.environ) - variables.keys():
            patch.delenv(name)
        for name, value in variables.items():
            patch.setenv(name, value)
        patch.chdir(folder)
        yield


@contextmanager
def _captured() -> Iterator[tuple[io.StringIO, io.StringIO]]:
    stdout, stderr = io.StringIO(), io.StringIO()
    with contextlib.redirect_stdout(stdout), contextlib.redirect_stderr(stderr):
        yield stdout, stderr
