"""A chain as it is drawn: its steps one behind the other, each with its waits, its executions on workers' tracks."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import Literal

from orchestrator.run.plan import Plan
from orchestrator.trace import attributes, layout
from orchestrator.trace.executions import Execution, executions_of
from orchestrator.trace.frames import Attempt, Chain, Step
from orchestrator.trace.layout import Piece
from orchestrator.trace.model import CHAINS, RUN, Arrow, Mark, Path, Problem, Span, Track, Value
from stepbench.samples import Sample

UNTOLD = Problem("ChainFailed", "the file does not tell why")


class Drawing:
    """Collects what is drawn, chain after chain."""

    def __init__(self, plan: Plan, chains: Iterable[Chain]) -> None:
        self._plan = plan
        self._executions = executions_of(chains, by_function=plan.lambda_function is not None)
        self.spans: list[Span] = []
        self.marks: list[Mark] = []
        self.arrows: list[Arrow] = []

    def chain(self, chain: Chain) -> None:
        steps = sorted(chain.steps.values(), key=lambda step: step.number)
        if not steps:
            return
        path, track = path_of_chain(chain.number), track_of_chain(chain.number)
        self.spans.append(
            Span(
                path=path,
                name=path[-1],
                kind="chain",
                track=track,
                begin_ns=steps[0].begin_ns - steps[0].turnaround_ns,
                end_ns=steps[-1].end_ns,
                attributes=attributes.own(chain=chain.number, ok=chain.ok),
                problem=(chain.last_problem or UNTOLD) if chain.ok is False else None,
                unfinished=chain.ok is None,
            )
        )
        for step in steps:
            self._step(path, track, step)

    def _step(self, above: Path, track: Track, step: Step) -> None:
        path, sample = (*above, f"step {step.number}"), step.sample
        if step.turnaround_ns:
            begin_ns = step.begin_ns - step.turnaround_ns
            name = f"turnaround before step {step.number}"
            self.spans.append(Span((*above, name), "turnaround", "wait", track, begin_ns, step.begin_ns))
        named = attributes.own(chain=step.chain, step=step.number, attempt=sample.attempt if sample else None)
        self.spans.append(
            Span(
                path=path,
                name=path[-1],
                kind="step",
                track=track,
                begin_ns=step.begin_ns,
                end_ns=step.end_ns,
                attributes=named | (attributes.of_step(sample) if sample else {}),
                problem=step.last_problem if sample is None else None,
                unfinished=not step.ended,
            )
        )
        self._attempts(path, track, step)
        if sample is not None:
            self._accepted(path, track, step, sample, named)

    def _attempts(self, above: Path, track: Track, step: Step) -> None:
        """Those that came to nothing, as far as their lines place them before the one that was accepted."""
        free_from_ns = step.begin_ns
        accepted = step.sample.attempt if step.sample else None
        for number, attempt in sorted(step.attempts.items()):
            told = attributes.own(chain=step.chain, step=step.number, attempt=number)
            if attempt.dispatched_ns is not None and number != accepted:
                self.marks.append(Mark(above, "dispatch", track, attempt.dispatched_ns, told))
            if attempt.problem is not None and attempt.ended_ns is not None:
                self._failed(above, track, attempt, told)
                begin_ns = max(free_from_ns, attempt.dispatched_ns or 0)
                end_ns = min(step.dispatched_ns, attempt.ended_ns)
                if end_ns > begin_ns:
                    path = (*above, f"attempt {number}")
                    span = Span(path, path[-1], "attempt", track, begin_ns, end_ns, told, problem=attempt.problem)
                    self.spans.append(span)
                    free_from_ns = end_ns

    def _failed(self, above: Path, track: Track, attempt: Attempt, told: Mapping[str, Value]) -> None:
        if attempt.lost or attempt.problem is None or attempt.ended_ns is None:
            return  # a mark of its own tells that it was lost
        worded = {"exception.type": attempt.problem.error_class, "exception.message": attempt.problem.message}
        self.marks.append(Mark(above, "failure", track, attempt.ended_ns, {**told, **worded}))

    def _accepted(self, above: Path, track: Track, step: Step, sample: Sample, named: Mapping[str, Value]) -> None:
        execution = self._executions[step.chain, step.number]
        sent = self._sent(above, track, step, sample, named)
        self._waits(above, track, layout.before(sample, step.dispatched_ns, execution.begin_ns))
        self._executed(above, track, step, sample, execution, named, sent)
        behind = layout.behind(sample, execution.end_ns, step.end_ns)
        self._waits(above, track, behind)
        back_at_ns = behind[0].begin_ns if behind else step.end_ns
        self.arrows.append(Arrow(step.dispatched_ns, execution.begin_ns, back_at_ns, track, execution.track))

    def _sent(self, above: Path, track: Track, step: Step, sample: Sample, named: Mapping[str, Value]) -> Path | None:
        """The dispatch call. It overlaps the queue wait, so on a track it is a mark and not a slice."""
        announced_ns = step.attempt(sample.attempt).dispatched_ns
        at_ns = announced_ns if sample.dispatched_at_ns is None else step.dispatched_ns
        if at_ns is not None:
            self.marks.append(Mark(above, "dispatch", track, at_ns, named))
        if sample.dispatch_call_ns is None:
            return None
        path = (*above, "send")
        message = attributes.of_message("send", self._plan.run_id, self._plan.steps_queue_url)
        end_ns = step.dispatched_ns + max(0, sample.dispatch_call_ns)
        self.spans.append(Span(path, "send", "send", track, step.dispatched_ns, end_ns, {**message, **named}))
        return path

    def _executed(
        self,
        above: Path,
        track: Track,
        step: Step,
        sample: Sample,
        execution: Execution,
        named: Mapping[str, Value],
        sent: Path | None,
    ) -> None:
        path = (*above, "execution")
        message = attributes.of_message("process", self._plan.run_id, self._plan.steps_queue_url)
        self.spans.append(
            Span(
                path=path,
                name=f"chain {step.chain} step {step.number}",
                kind="execution",
                track=execution.track,
                begin_ns=execution.begin_ns,
                end_ns=execution.end_ns,
                attributes={**message, **named, **attributes.of_execution(sample)},
                also=track,
                follows=sent,
            )
        )
        for piece in layout.within(sample, execution.begin_ns, execution.end_ns):
            told = _cut(piece) | attributes.of_phase(sample, piece.name)
            self.spans.append(_span(path, piece, "phase", execution.track, told))

    def _waits(self, above: Path, track: Track, pieces: Iterable[Piece]) -> None:
        self.spans += (_span(above, piece, "wait", track, _cut(piece)) for piece in pieces)


def path_of_chain(number: int) -> Path:
    return (*RUN, f"chain {number}" if number > 0 else f"warm-up chain {-number}")


def track_of_chain(number: int) -> Track:
    return Track(CHAINS, path_of_chain(number)[-1])


def _span(above: Path, piece: Piece, kind: Literal["wait", "phase"], track: Track, told: Mapping[str, Value]) -> Span:
    return Span((*above, piece.name), piece.name, kind, track, piece.begin_ns, piece.end_ns, told)


def _cut(piece: Piece) -> dict[str, Value]:
    """Durations are exact; where one is drawn shorter, it is told."""
    return attributes.own(measured_ns=piece.measured_ns) if piece.is_cut else {}
