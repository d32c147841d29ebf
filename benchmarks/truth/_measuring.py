"""Measures one case against itself: in each round as many ordinary runs of it as there are arms, on one stack.

The arms differ in nothing but their place in the round. What is found between them is what the machine makes of two
runs of the same thing, which is what a verdict has to see through.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from pathlib import Path

from benchmarks._arms import empty_bucket
from benchmarks._report import progress
from benchmarks._stack import emulators, scratch, surroundings, worker
from benchmarks.truth._rounds_file import Steps
from orchestrator.local.stack import Stack
from orchestrator.report import metrics_file
from orchestrator.report.audit import parts_of_total
from orchestrator.run import first_payload, journal, plan, results_queue
from orchestrator.run.execution import execute
from orchestrator.run.site import Site
from stepbench.samples import Sample
from stepbench.settings import Settings

ARMS = 4
STEPS = 20
PAYLOAD_MB = 1.0
CASE = f"one chain of {STEPS} steps, {PAYLOAD_MB:g} MB json, boto3, one worker with one executor"


def measured(rounds: int) -> Iterator[list[Steps]]:
    """The steps of every arm, round by round; a first run that is in no figure warms the stack up."""
    with emulators() as stack, worker(stack, executors=1):
        _run(stack)
        for number in range(rounds):
            yield [_run(stack) for _ in range(ARMS)]
            progress(f"round {number + 1} of {rounds}")


def _run(stack: Stack) -> Steps:
    """An ordinary run by the program's own loop, with a metrics file of its own, and what that says afterwards."""
    with scratch() as folder:
        samples = _samples(stack, folder)
        empty_bucket(stack)
    walls = {name: [_part_ns(sample, name) for sample in samples] for name in ("total", *parts_of_total(samples[0]))}
    return walls | {f"cpu of {name}": [sample.cpu_ns[name] for sample in samples] for name in samples[0].cpu_ns}


def _samples(stack: Stack, folder: Path) -> Sequence[Sample]:
    settings = _settings(stack, folder)
    place = Site(settings, stack.clients(), "embedded", own_stack=True, check=stack.check)
    now = plan.utc_now()
    run_id = plan.new_run_id(now)
    path = journal.path_of(folder, run_id)
    made = plan.make(settings, environment="embedded", run_id=run_id, date=f"{now:%Y-%m-%d}", metrics_file=path)
    with first_payload.making(first_payload.Recipe.of(settings), surroundings(stack)) as payload:
        payload.wait_until_made()
        log = journal.begin(path, made, settings)
        execute(made, place, payload, log, lambda _lines, _in_flight: None).close()
        log.close()
    results_queue.delete(place.clients.sqs, made.results_queue_url)
    return metrics_file.read(path).samples


def _settings(stack: Stack, folder: Path) -> Settings:
    case = {"steps": STEPS, "warmup": 1, "payload_mb": PAYLOAD_MB, "serializer": "json", "metrics_dir": folder}
    return stack.settings.model_copy(update=case)


def _part_ns(sample: Sample, name: str) -> int:
    found = sample.total_ns if name == "total" else parts_of_total(sample)[name]
    assert found is not None  # nothing was interrupted
    return found
