"""What runs called and moved, counted from their metrics files; what a file does not tell is estimated, and kept apart.

A step's own requests are as its S3 client counted them. Estimated are those of a client that cannot tell, of the first
payload, and of attempts that left no sample: from the objects' sizes and the size of a part.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable, Sequence
from typing import NamedTuple

from orchestrator.report.metrics_file import MetricsFile
from orchestrator.run.lines import Event, Failure
from stepbench.channels import Traits
from stepbench.samples import Frozen, Sample

CALLS_OF_A_RUN = 10
"""Of each service, beside those of its steps: looks at bucket and queues, the results queue, clean-up."""
DEFAULT_PART_MB = 8.389


class Quantity(Frozen):
    """What was counted, and what had to be estimated beside it."""

    counted: int = 0
    estimated: int = 0

    @property
    def total(self) -> int:
        return self.counted + self.estimated

    def __add__(self, other: Quantity) -> Quantity:
        return Quantity(counted=self.counted + other.counted, estimated=self.estimated + other.estimated)


class Usage(Frozen):
    """Of one or several runs."""

    steps: int
    """Accepted ones, those of warm-up chains aside: what a cost is shared out among."""
    s3_puts: Quantity
    """PUT, COPY, POST and LIST."""
    s3_gets: Quantity
    """GET, HEAD and all others."""
    worker_sqs: Quantity
    orchestrator_sqs: Quantity
    downloaded_bytes: int
    uploaded_bytes: int
    stored_bytes: int
    """What stays in the bucket."""
    executor_ns: int
    """Between begin and end of all executions that were accepted, warm-up included."""
    executions: int
    workers: int
    """Those that took steps from a queue, and poll it while they have none."""
    executors_per_worker: int | None
    """As the runs were told; null where they were not, and a worker takes one for each core."""


def usage_of(files: Sequence[MetricsFile]) -> Usage:
    """Sums over `files`."""
    every = [_of_file(file) for file in files]
    told = {one.executors_per_worker for one in every}
    return Usage(
        steps=sum(one.steps for one in every),
        s3_puts=sum((one.s3_puts for one in every), Quantity()),
        s3_gets=sum((one.s3_gets for one in every), Quantity()),
        worker_sqs=sum((one.worker_sqs for one in every), Quantity()),
        orchestrator_sqs=sum((one.orchestrator_sqs for one in every), Quantity()),
        downloaded_bytes=sum(one.downloaded_bytes for one in every),
        uploaded_bytes=sum(one.uploaded_bytes for one in every),
        stored_bytes=sum(one.stored_bytes for one in every),
        executor_ns=sum(one.executor_ns for one in every),
        executions=sum(one.executions for one in every),
        workers=len({worker for file in files for worker in _polling_workers(file)}),
        executors_per_worker=told.pop() if len(told) == 1 else None,
    )


def planned(steps: int, object_bytes: int, part_bytes: int, channel: Traits) -> Usage:
    """What a run would call that goes well and sends nothing in batches: all of it estimated, no time of executors."""
    of_step = _sqs_of_step(steps_queue=channel.steps_queue, results_queue=channel.results_queue)
    written_bytes = (steps + 1) * object_bytes
    return Usage(
        steps=steps,
        s3_puts=Quantity(estimated=(steps + 1) * puts_of(object_bytes, part_bytes) + CALLS_OF_A_RUN),
        s3_gets=Quantity(estimated=steps * gets_of(object_bytes, part_bytes)),
        worker_sqs=Quantity(estimated=steps * of_step.worker),
        orchestrator_sqs=Quantity(estimated=steps * of_step.orchestrator + (CALLS_OF_A_RUN if channel.queues else 0)),
        downloaded_bytes=steps * object_bytes,
        uploaded_bytes=written_bytes,
        stored_bytes=written_bytes,
        executor_ns=0,
        executions=steps,
        workers=int(channel.steps_queue),
        executors_per_worker=None,
    )


class _SqsOfStep(NamedTuple):
    """Requests, where nothing is sent in batches."""

    worker: int
    orchestrator: int


def _sqs_of_step(*, steps_queue: bool, results_queue: bool) -> _SqsOfStep:
    """Of each message one side sends, and the other receives and deletes."""
    return _SqsOfStep(worker=2 * steps_queue + results_queue, orchestrator=steps_queue + 2 * results_queue)


def _sqs_of_step_in(file: MetricsFile) -> _SqsOfStep:
    plan = file.run.plan
    return _sqs_of_step(steps_queue=plan.steps_queue_url is not None, results_queue=plan.results_queue_url is not None)


def puts_of(object_bytes: int, part_bytes: int) -> int:
    """Requests that write an object: one, or the parts with what begins and completes their upload."""
    return 1 if object_bytes <= part_bytes else -(-object_bytes // part_bytes) + 2


def gets_of(object_bytes: int, part_bytes: int) -> int:
    """Requests that read an object: one, or one for each part and a HEAD."""
    return 1 if object_bytes <= part_bytes else -(-object_bytes // part_bytes) + 1


def _of_file(file: MetricsFile) -> Usage:
    samples = (*file.warmups, *file.samples)
    part_bytes = int(float(file.run.settings.get("S3_PART_MB") or DEFAULT_PART_MB) * 1e6)
    first_bytes = _first_bytes(file)
    puts, gets = _of_attempts_without_sample(file, first_bytes, part_bytes)
    puts += Quantity(estimated=puts_of(first_bytes, part_bytes) if first_bytes else 0)
    puts = sum((_known_or(s.s3.put.requests, puts_of(s.bytes_out, part_bytes)) for s in samples), puts)
    gets = sum((_known_or(s.s3.get.requests, gets_of(s.bytes_in, part_bytes)) for s in samples), gets)
    executors = file.run.settings.get("EXECUTORS")
    uploaded_bytes = sum(sample.bytes_out for sample in samples)
    return Usage(
        steps=len(file.samples),
        s3_puts=puts,
        s3_gets=gets,
        worker_sqs=_worker_sqs(samples, file),
        orchestrator_sqs=_orchestrator_sqs(file),
        downloaded_bytes=sum(sample.bytes_in for sample in samples),
        uploaded_bytes=uploaded_bytes,
        stored_bytes=0 if file.run.settings.get("CLEANUP") is True else first_bytes + uploaded_bytes,
        executor_ns=sum(max(0, sample.done_at_ns - sample.begun_at_ns) for sample in samples),
        executions=len(samples),
        workers=len(_polling_workers(file)),
        executors_per_worker=executors if type(executors) is int and executors > 0 else None,
    )


def _polling_workers(file: MetricsFile) -> set[str]:
    if file.run.plan.steps_queue_url is None:
        return set()
    return {sample.worker for sample in (*file.samples, *file.warmups)}


def _first_bytes(file: MetricsFile) -> int:
    return next((event.payload.object_bytes for event in file.events if event.payload is not None), 0)


def _known_or(known: int | None, estimated: int) -> Quantity:
    return Quantity(estimated=estimated) if known is None else Quantity(counted=known)


def _of_attempts_without_sample(file: MetricsFile, object_bytes: int, part_bytes: int) -> tuple[Quantity, Quantity]:
    """Failed attempts up to the phase they failed in; what was lost or done twice as if it had gone through."""
    whole = sum(event.event in ("lost", "duplicate") for event in file.events)
    failures = [failure for failure in file.failures if failure.error_class != "StepLost"]
    wrote = whole + sum(failure.phase in ("upload", None) for failure in failures)
    read = whole + len(failures)
    return (
        Quantity(estimated=wrote * puts_of(object_bytes, part_bytes)),
        Quantity(estimated=read * gets_of(object_bytes, part_bytes)),
    )


def _worker_sqs(samples: Iterable[Sample], file: MetricsFile) -> Quantity:
    answers: list[Sample | Failure] = [*samples, *(failure for failure in file.failures if failure.worker is not None)]
    of_step = _sqs_of_step_in(file).worker
    return sum((_known_or(answer.sqs_requests, of_step) for answer in answers), Quantity())


def _orchestrator_sqs(file: MetricsFile) -> Quantity:
    """Each incarnation tells when it ends; one that was killed did not."""
    if file.run.plan.steps_queue_url is None and file.run.plan.results_queue_url is None:
        return Quantity()
    told: dict[int, int] = {}
    dispatches: dict[int, int] = defaultdict(int)
    incarnation = 0
    for line in file.lines:
        if not isinstance(line, Event):
            continue
        incarnation += line.event == "resumed"
        dispatches[incarnation] += line.event == "dispatching"
        if line.sqs_requests is not None:
            told[incarnation] = told.get(incarnation, 0) + line.sqs_requests
    untold = sum(count for number, count in dispatches.items() if number not in told)
    return Quantity(counted=sum(told.values()), estimated=untold * _sqs_of_step_in(file).orchestrator)
