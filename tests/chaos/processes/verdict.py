"""What must hold when a run of real programs has ended, however often they were killed."""

from __future__ import annotations

from collections import Counter
from pathlib import Path
from typing import Any

from orchestrator.report import metrics_file
from orchestrator.report.metrics_file import MetricsFile
from stepbench.s3_uris import bucket_and_key
from tests.chaos.figures import PromiseBroken
from tests.chaos.schedules import verdict
from tests.runs.fleet import Fleet
from tests.runs.programs import Outcome

FEW_ATTEMPTS = 2
"""With no more than these a chain may fail of what befalls its steps."""


def judge(fleet: Fleet, folder: Path, outcome: Outcome, max_attempts: int, *, closed: bool) -> None:
    """Raises PromiseBroken for the first thing that is wrong.

    `closed`: the last life of the orchestrator came to its end by itself. Another one died after its summary was
    written, and left to `cleanup` what it had not done by then.
    """
    [path] = (folder / "out").glob("metrics-*.jsonl")
    file = metrics_file.read(path)
    verdict.judge(file, lagged=False)
    _judge_attempts(file, max_attempts)
    _judge_end(file, outcome)
    _judge_objects(fleet, file)
    _judge_losses(fleet, file)
    if closed and fleet.results_queues(file.run.run_id):
        raise _broken(f"the results queue of run {file.run.run_id} is still there")


def judge_words(stderr: str) -> None:
    """Of a program that has ended, in whatever way."""
    if "Traceback" in stderr or "Error in sitecustomize" in stderr:
        raise _broken(f"a program ended with a traceback:\n{stderr}")


def _judge_attempts(file: MetricsFile, max_attempts: int) -> None:
    dispatches = [event for event in file.events if event.event == "dispatching"]
    made = Counter((chain, step) for chain, step, _ in {_attempt(event) for event in dispatches})
    for step, count in made.items():
        if count > max_attempts:
            raise _broken(f"{step} had {count} attempts, and may have {max_attempts}")
    by_one_life = Counter((*_attempt(event), event.epoch) for event in dispatches)
    twice = [dispatched for dispatched, count in by_one_life.items() if count > 1]
    if twice:
        raise _broken(f"dispatched twice: {twice}")


def _judge_end(file: MetricsFile, outcome: Outcome) -> None:
    """Chains fail only where their attempts were few; with enough of them every chain is done."""
    failed = [chain for chain, end in file.ends.items() if not end.ok]
    for_good = [failure.message for failure in file.failures if not failure.retryable]
    if file.summary is None:
        raise _broken("the run has ended, and its metrics file has no summary")
    if for_good or (failed and file.run.plan.max_attempts > FEW_ATTEMPTS):
        raise _broken(f"chains {failed} failed, with attempts enough; for good: {for_good}")
    if outcome.exit_code != int(bool(failed)) and outcome.stdout:
        raise _broken(f"exit code {outcome.exit_code}, and failed chains: {failed}")


def _judge_objects(fleet: Fleet, file: MetricsFile) -> None:
    """Asks the store, which keeps every version of every key: what was written, and how often."""
    pages = fleet.clients.s3.get_paginator("list_object_versions").paginate(
        Bucket=fleet.bucket, Prefix=file.run.plan.payloads_prefix
    )
    versions = [version for page in pages for version in page.get("Versions", ())]
    written = Counter(version["Key"] for version in versions)
    twice = {key: count for key, count in written.items() if count > 1}
    if twice:
        raise PromiseBroken("keys written twice", f"in S3, with the number of their versions: {twice}")
    for sample in (*file.samples, *file.warmups):
        if bucket_and_key(sample.output_uri)[1] not in written:
            raise PromiseBroken("samples lost", f"the output of an accepted sample was never written: {sample}")


def _judge_losses(fleet: Fleet, file: MetricsFile) -> None:
    """Nothing is given up here that is not dead-lettered.

    Until a step's message is deleted it is seen in its queue, and from then on its completion is in the other one.
    """
    dead = fleet.dead_letters()
    for event in file.events:
        if event.event == "lost" and _attempt(event) not in dead:
            raise PromiseBroken("samples lost", f"{_attempt(event)} was given up, and was not dead-lettered")


def _attempt(line: Any) -> tuple[int, int, int]:
    return line.chain, line.step, line.attempt


def _broken(sentence: str) -> PromiseBroken:
    return PromiseBroken("other promises broken", sentence)
