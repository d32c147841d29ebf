"""`python -m worker.executor`: step messages in on stdin, completions out on stdout, a line each.

Runs one step at a time in a process of its own, which its worker can end. The first line in is its configuration, the
first line out says that it is ready: imports are done, the S3 client is made and connected. Ends with its stdin.
"""

from __future__ import annotations

import ctypes
import gc
import os
import signal
import sys
import uuid
from collections.abc import Iterator
from contextlib import contextmanager
from time import monotonic_ns
from typing import BinaryIO

import structlog

from stepbench import logs, s3_clients
from stepbench.errors import StepDisowned
from stepbench.executors.handshake import READY, ExecutorConfig
from stepbench.executors.phase_board import PhaseBoard
from stepbench.failures import failed, kind_of
from stepbench.messages import Completion, StepMessage, answered
from stepbench.peak_memory import PeakMemory
from stepbench.probes import ProbeAnswer
from stepbench.s3_clients import S3Client
from stepbench.samples import ExecutorFacts, Phase
from stepbench.timing import PhaseTimer
from worker import steps
from worker.identity import identity_of

PR_SET_PDEATHSIG = 1

log = structlog.get_logger()


class Executor:
    """Runs steps, keeping clients from one to the next."""

    def __init__(self, config: ExecutorConfig, board: PhaseBoard) -> None:
        self._config = config
        self._board = board
        self._memory = PeakMemory()
        self._clients: dict[str, S3Client] = {}
        self._tools = steps.Tools(s3_client=self._client, new_key=_new_key)
        self._seen: set[tuple[str, ...]] = set()

    def warm_up(self, s3_client: str) -> None:
        """Make and connect a client before any step asks for it."""
        self._client(s3_client)

    def run(self, message: StepMessage) -> Completion:
        """One step, done or failed; raises nothing."""
        timer = PhaseTimer(entering=self._enter)
        try:
            return self._measured(message, timer)
        except Exception as error:  # noqa: BLE001 # whatever a step raises is that step's failure, not the executor's
            if not isinstance(error, StepDisowned):  # its worker tells
                _log_failure(message, error, timer)
            return failed(message, error, timer.current)
        finally:
            self._board.enter(None)

    def _enter(self, phase: Phase | None) -> None:
        if phase == "upload" and self._board.is_disowned():
            raise StepDisowned("its message is no longer this worker's, so nothing is uploaded for it")
        self._board.enter(phase)

    def get_ready(self) -> None:
        """For the next step, while nobody waits: its peak of memory begins here."""
        self._memory.reset()

    def _measured(self, message: StepMessage, timer: PhaseTimer) -> Completion:
        kind = steps.load(message.step_kind)
        prepared = kind.prepare(message, self._tools)
        cold = self._first_with(message)
        with _garbage_collection(message.gc):
            begun_at_ns = monotonic_ns()
            outcome = kind.run(prepared, timer)
            done_at_ns = monotonic_ns()
        if isinstance(outcome, ProbeAnswer):
            return answered(message, outcome)
        facts = ExecutorFacts(
            executor=self._config.executor,
            serializer=outcome.output.serializer,
            compression=outcome.output.compression,
            s3_client=outcome.s3_client,
            transform=message.transform,
            records=outcome.records,
            bytes_in=message.input.object_bytes,
            bytes_out=outcome.output.object_bytes,
            serialized_bytes_in=message.input.serialized_bytes,
            serialized_bytes_out=outcome.output.serialized_bytes,
            checksum_in=message.input.checksum,
            checksum_out=outcome.output.checksum,
            input_uri=message.input.uri,
            output_uri=outcome.output.uri,
            cold=cold,
            peak_rss_bytes=self._memory.so_far(),
            begun_at_ns=begun_at_ns,
            done_at_ns=done_at_ns,
            phases_ns=timer.wall_ns,
            cpu_ns=timer.cpu_ns,
            other_ns=done_at_ns - begun_at_ns - sum(timer.wall_ns.values()),
            s3=outcome.s3,
        )
        return Completion(**message.identity(), output=outcome.output, executor=facts)

    def _first_with(self, message: StepMessage) -> bool:
        choices = (
            message.step_kind,
            message.input.serializer,
            message.input.compression,
            message.output.serializer,
            message.output.compression,
            message.materialize,
            message.transform,
            message.s3_client,
        )
        first = choices not in self._seen
        self._seen.add(choices)
        return first

    def _client(self, name: str) -> S3Client:
        if name not in self._clients:
            client = s3_clients.make(name, self._config.aws, self._config.transfer)
            client.connect(self._config.bucket, self._config.connect_key)
            self._clients[name] = client
        return self._clients[name]


def _new_key(key_prefix: str, suffix: str) -> str:
    return f"{key_prefix}{uuid.uuid4().hex}.{suffix}"


@contextmanager
def _garbage_collection(mode: str) -> Iterator[None]:
    if mode == "normal":
        yield
        return
    gc.disable()
    try:
        yield
    finally:
        gc.enable()


def _log_failure(message: StepMessage, error: Exception, timer: PhaseTimer) -> None:
    log.warning(
        "step failed",
        **identity_of(message),
        phase=timer.current,
        error=str(error),
        exc_info=kind_of(error) == "ours",
    )


def _end_with_parent() -> None:
    """Linux: be killed when the worker dies, even while stuck in C code. Elsewhere the end of stdin has to do."""
    if sys.platform == "linux":
        ctypes.CDLL(None).prctl(PR_SET_PDEATHSIG, signal.SIGKILL)


def _take_over_pipes() -> tuple[BinaryIO, BinaryIO]:
    """The two pipes as files of our own, so that nothing that a library prints gets between the lines."""
    lines_in, lines_out = os.fdopen(os.dup(0), "rb"), os.fdopen(os.dup(1), "wb")
    null = os.open(os.devnull, os.O_RDONLY)
    os.dup2(null, 0)
    os.dup2(2, 1)
    return lines_in, lines_out


def main(board_fd: int) -> None:
    # Ctrl-C on a terminal reaches every process there; how an executor ends is its worker's decision.
    signal.signal(signal.SIGINT, signal.SIG_IGN)
    _end_with_parent()
    lines_in, lines_out = _take_over_pipes()
    first_line = lines_in.readline()
    if not first_line:
        return
    config = ExecutorConfig.model_validate_json(first_line)
    logs.configure(config.log_level, config.log_format)
    executor = Executor(config, PhaseBoard(board_fd))
    # What S3_CLIENT is unless it is set. It is not a worker's setting: each message names the client it wants, and to
    # make every one that is installed would load them all. Another one is made before the phases of its first step,
    # which is flagged cold.
    executor.warm_up("boto3")
    executor.get_ready()
    lines_out.write(READY)
    lines_out.flush()
    for line in lines_in:
        completion = executor.run(StepMessage.model_validate_json(line))
        lines_out.write(completion.model_dump_json().encode() + b"\n")
        lines_out.flush()
        executor.get_ready()


if __name__ == "__main__":
    main(int(sys.argv[1]))
