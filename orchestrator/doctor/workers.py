"""The workers that answered, judged."""

from __future__ import annotations

from collections.abc import Iterator, Sequence

from orchestrator.doctor.findings import AnsweringWorker, Check, note, ok, wrong
from orchestrator.report import units
from orchestrator.report.doubts import plural
from stepbench.probes import WorkerState

NAME, EACH = "Workers", "Worker"
WHERE_TO_LOOK = (
    "start a worker on this queue, or see why it does not answer: its log must say `worker ready`; it needs the "
    "ORCH_BUCKET, ORCH_PREFIX and ORCH_RESULTS_QUEUE_PREFIX of here (`terraform output -raw dotenv`) and what `policy "
    "--role worker` prints; while all its executors are busy, or a fleet starts from zero, only a longer --wait helps"
)


def judged(
    workers: Sequence[AnsweringWorker],
    *,
    version: str,
    wait_seconds: float,
    wanted: int | None,
    beside: str,
    unanswered: int,
    mend: str = WHERE_TO_LOOK,
) -> Iterator[Check]:
    """`version` is ours, `beside` what else is known in words, `unanswered` counts probes, `mend` is where to look."""
    waited = units.clock(wait_seconds)
    if not workers:
        yield wrong(NAME, f"none answered in {waited}{beside}", mend)
        return
    rest = f"; {plural(unanswered, 'probe')} not answered yet" if unanswered else ""
    if wanted is not None and len(workers) < wanted:
        yield wrong(NAME, f"{len(workers)} of {wanted} answered in {waited}{beside}", mend)
    else:
        yield ok(NAME, f"{len(workers)} answered{'' if wanted else f' in {waited}'}{rest}")
    for worker in workers:
        yield _each(worker, version)


def _each(worker: AnsweringWorker, version: str) -> Check:
    answer = worker.answer
    if answer is None:
        older = "'probe' is not one of" in (worker.error or "")
        if older:
            return note(
                EACH, f"{worker.worker}: it is of a version that knows no probes", "build and deploy its image again"
            )
        found, _, mend = (worker.error or "").partition("; ")
        return wrong(EACH, f"{worker.worker}: {found}", mend or None)
    text = f"{worker.worker}: {_doing(answer.state)}; stepbench {answer.version}, {plural(answer.cores, 'core')}, "
    text += units.size(answer.memory_bytes)
    if answer.version != version:
        return note(EACH, f"{text}; here it is stepbench {version}", "the same version on both sides")
    return ok(EACH, text)


def _doing(state: WorkerState | None) -> str:
    if state is None:
        return "does not say what it does"
    up = f"up {units.clock(state.up_seconds)}"
    executors = plural(state.executors, "executor")
    if not state.held_steps:
        return f"{executors}, idle, {up}"
    runs = ", ".join(state.runs)
    return f"{executors}, {state.busy_executors} busy, {plural(state.held_steps, 'step')} held of {runs}, {up}"
