"""Measures one case against itself: in each round as many ordinary runs of it as there are arms, on one stack.

The arms differ in nothing but their place in the round. What is found between them is what the machine makes of two
runs of the same thing, which is what a verdict has to see through.

`python -m benchmarks.truth._measuring ROUNDS` measures the rounds anew that are kept beside this file.
"""

from __future__ import annotations

import os
import sys
from collections.abc import Sequence
from pathlib import Path

from benchmarks._arms import empty_bucket
from benchmarks._machine import machine_seconds
from benchmarks._processes import cpu_seconds, with_descendants
from benchmarks._report import progress
from benchmarks._stack import emulators, scratch, surroundings, worker
from benchmarks.truth._rounds_file import CPU, KEPT, Measured, Round, Steps, write
from orchestrator.local.stack import Stack
from orchestrator.report import metrics_file
from orchestrator.run import journal, plan, results_queue
from orchestrator.run.execution import execute
from orchestrator.run.first_payload import Maker, Recipe
from orchestrator.run.site import Site
from stepbench import machine
from stepbench.samples import Phase, Sample
from stepbench.settings import Settings

ARMS = 3
STEPS = 5
PAYLOAD_MB = 1.0
PHASES_KEPT: tuple[Phase, ...] = ("download", "deserialize", "serialize", "checksum", "upload")
"""Those that take long enough for 5 % of it to be something."""
CASE = f"{ARMS} runs a round, each one chain of {STEPS} steps of {PAYLOAD_MB:g} MB json, one worker with one executor"


def measured(rounds: int) -> Measured:
    """So many rounds of this machine."""
    with emulators() as stack, worker(stack, executors=1), Maker(surroundings(stack)) as payloads:
        _run(stack, payloads)  # connections are opened and first times happen here
        found = [_telling(number, rounds, _round(stack, payloads)) for number in range(1, rounds + 1)]
    facts = machine.facts()
    return Measured(f"{CASE}; {machine.cores()} cores of {facts['processor']}", found)


def _telling(number: int, rounds: int, found: Round) -> Round:
    progress(f"round {number} of {rounds}; other programs took {found.others_share:.0%} of all cores meanwhile")
    return found


def _round(stack: Stack, payloads: Maker) -> Round:
    before = _busy_own_all()
    arms = [_run(stack, payloads) for _ in range(ARMS)]
    busy, own, every = (now - then for now, then in zip(_busy_own_all(), before, strict=True))
    return Round(round(max(0.0, busy - own) / max(every, 1e-9), 3), arms)


def _busy_own_all() -> tuple[float, float, float]:
    """CPU seconds so far: of all programs, of this one with all that it started, and of all cores, idle or not."""
    ended = os.times()
    own = cpu_seconds(with_descendants(os.getpid())) + ended.children_user + ended.children_system
    busy, every = machine_seconds()
    return busy, own, every


def _run(stack: Stack, payloads: Maker) -> Steps:
    """An ordinary run by the program's own loop, with a metrics file of its own, and what that says afterwards."""
    with scratch() as folder:
        samples = _samples(stack, payloads, folder)
        empty_bucket(stack)
    walls: Steps = {"total": [(sample.total_ns or 0) // 1000 for sample in samples]}
    walls |= {phase: [sample.phases_ns[phase] // 1000 for sample in samples] for phase in PHASES_KEPT}
    return walls | {f"{CPU}{phase}": [sample.cpu_ns[phase] // 1000 for sample in samples] for phase in PHASES_KEPT}


def _samples(stack: Stack, payloads: Maker, folder: Path) -> Sequence[Sample]:
    settings = _settings(stack, folder)
    place = Site(settings, stack.clients(), "embedded", own_stack=True, check=stack.check)
    now = plan.utc_now()
    run_id = plan.new_run_id(now)
    path = journal.path_of(folder, run_id)
    made = plan.make(settings, environment="embedded", run_id=run_id, date=f"{now:%Y-%m-%d}", metrics_file=path)
    with payloads.making(Recipe.of(settings)) as payload:
        payload.wait_until_made()
        log = journal.begin(path, made, settings)
        execute(made, place, payload, log, lambda _lines, _in_flight: None).close()
        log.close()
    assert made.results_queue_url is not None
    results_queue.delete(place.clients.sqs, made.results_queue_url)
    return metrics_file.read(path).samples


def _settings(stack: Stack, folder: Path) -> Settings:
    case = {"steps": STEPS, "payload_mb": PAYLOAD_MB, "serializer": "json", "metrics_dir": folder}
    return stack.settings.model_copy(update=case)


if __name__ == "__main__":
    write(KEPT, measured(int(sys.argv[1])))
