"""Watches what the orchestrator does while it does it, and tells when that breaks a promise."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Iterator, Sequence
from contextlib import suppress
from dataclasses import dataclass, field

from orchestrator.run.history import BEFORE_ANY_RESUME
from orchestrator.run.lines import Event, Failure, Line
from orchestrator.run.plan import Plan
from stepbench.errors import MessageRefused
from stepbench.messages import Completion, StepMessage, parse
from stepbench.queues import Depth, Outgoing
from stepbench.samples import Sample
from tests.chaos.figures import PromiseBroken
from tests.chaos.schedules.clock import Clock
from tests.chaos.schedules.objects import Objects
from tests.chaos.schedules.queues import BadQueue

LOOKS = 2
Step = tuple[int, int]
"""(chain, step)"""
Attempt = tuple[int, int, int]
"""(chain, step, attempt)"""


def broken(sentence: str) -> PromiseBroken:
    return PromiseBroken("other promises broken", sentence)


@dataclass
class OnDisk:
    """What the metrics file tells."""

    samples: dict[Step, Sample] = field(default_factory=dict)
    answered: set[Attempt] = field(default_factory=set)
    """Those of which a completion is told, accepted or not."""
    failed: set[Attempt] = field(default_factory=set)
    lost: set[Attempt] = field(default_factory=set)
    announced: dict[Attempt, int] = field(default_factory=dict)
    """With the epoch of the newest announcement."""
    attempts: Counter[Step] = field(default_factory=Counter)
    """An attempt that is announced again, because it may never have been sent, counts once."""
    ended: dict[int, bool] = field(default_factory=dict)

    def begun(self) -> set[int]:
        return {chain for chain, _, _ in self.announced}


class Witness:
    """Of a whole run, through all lives of its orchestrator."""

    def __init__(self, plan: Plan, clock: Clock, objects: Objects, results: BadQueue) -> None:
        self._plan = plan
        self._clock = clock
        self._objects = objects
        self._results = results
        self._disk = OnDisk()
        self._epoch = BEFORE_ANY_RESUME
        """Of the newest life, whatever older copy of the metrics file it had."""
        self._sent_at_ns: dict[Attempt, int] = {}
        """By this life."""
        self._sent: set[tuple[Attempt, int]] = set()
        """By any life, with its epoch."""
        self._sets_of_attempts = 1
        self._heard_at = clock.monotonic()
        self._found_empty = 0
        """How often in a row this life found the steps queue so, since a completion came last."""
        self._received_nothing = False
        """When this life received last."""
        self.lagged = False
        """Some life had only an older copy of the metrics file, and may do again what was done."""

    @property
    def sent_anything(self) -> bool:
        return bool(self._sent)

    @property
    def most_attempts(self) -> int:
        return self._plan.max_attempts * self._sets_of_attempts

    def takes_up(self, lines: Iterable[Line], *, retry_failed: bool) -> None:
        """A life begins, with what these lines tell."""
        self._disk, self._sent_at_ns = OnDisk(), {}
        for line in lines:
            self._tell(line)
        self._heard_at, self._found_empty = self._clock.monotonic(), 0
        if retry_failed:
            self._sets_of_attempts += 1
            self._disk.ended = {chain: ok for chain, ok in self._disk.ended.items() if ok}

    def wrote(self, lines: Sequence[Line]) -> None:
        for line in lines:
            self._judge(line)
            self._tell(line)

    def sends(self, messages: Sequence[Outgoing]) -> None:
        for message in messages:
            self._judge_message(parse(StepMessage, message.body))
        self._heard_at = self._clock.monotonic()

    def receives(self, bodies: Sequence[str]) -> None:
        self._received_nothing = not bodies
        if any(self._completions(bodies)):
            self._heard_at, self._found_empty = self._clock.monotonic(), 0

    def looks(self, steps: Depth) -> None:
        self._found_empty = self._found_empty + 1 if steps.empty else 0

    def deletes(self, bodies: Sequence[str]) -> None:
        """These completions will never come again."""
        for completion in self._completions(bodies):
            self._judge_deletion(completion)

    def _completions(self, bodies: Sequence[str]) -> Iterator[Completion]:
        """Those of this run."""
        for body in bodies:
            with suppress(MessageRefused):
                completion = parse(Completion, body)
                if completion.run == self._plan.run_id:
                    yield completion

    def _tell(self, line: Line) -> None:
        disk = self._disk
        match line:
            case Sample():
                disk.samples[line.chain, line.step] = line
                disk.answered.add((line.chain, line.step, line.attempt))
            case Failure():
                disk.failed.add((line.chain, line.step, line.attempt))
                disk.answered.add((line.chain, line.step, line.attempt))
            case Event(event="duplicate", chain=int(chain), step=int(step), attempt=int(attempt)):
                disk.answered.add((chain, step, attempt))
            case Event(event="lost", chain=int(chain), step=int(step), attempt=int(attempt)):
                disk.lost.add((chain, step, attempt))
            case Event(event="dispatching", chain=int(chain), step=int(step), attempt=int(attempt), epoch=int(epoch)):
                disk.attempts[chain, step] += (chain, step, attempt) not in disk.announced
                disk.announced[chain, step, attempt] = epoch
                disk.ended.pop(chain, None)
            case Event(event="reopened", chain=int(chain)):
                disk.ended.pop(chain, None)
            case Event(event="chain_finished", chain=int(chain), ok=bool(ok)):
                disk.ended[chain] = ok

    def _judge(self, line: Line) -> None:
        match line:
            case Sample():
                self._judge_sample(line)
            case Event(event="dispatching", chain=int(chain), step=int(step), attempt=int(attempt)):
                self._judge_announcement((chain, step), (chain, step, attempt))
            case Failure():
                self._judge_failure((line.chain, line.step, line.attempt))
            case Event(event="lost", chain=int(chain), step=int(step), attempt=int(attempt)):
                if (chain, step, attempt) not in self._sent_at_ns:
                    raise broken(f"{chain, step, attempt} is given up as lost, and this life never sent it")
                self._judge_loss((chain, step, attempt))
            case Event(event="chain_finished", chain=chain) if chain in self._disk.ended:
                raise broken(f"chain {chain} ended twice")
            case Event(event="resumed", epoch=int(epoch)):
                self._judge_epoch(epoch)

    def _judge_epoch(self, epoch: int) -> None:
        if epoch <= self._epoch:
            raise broken(f"epoch {epoch} follows {self._epoch}")
        self._epoch = epoch

    def _judge_announcement(self, step: Step, attempt: Attempt) -> None:
        if step[0] in self._disk.ended:
            raise broken(f"{step} is dispatched, and its chain has ended")
        if attempt in self._disk.announced and not self.lagged:
            self._judge_loss(attempt)
        elif not self.lagged and self._disk.attempts[step] >= self.most_attempts:
            raise broken(f"{step} is dispatched beyond its {self.most_attempts} attempts")
        in_flight = (self._disk.begun() | {step[0]}) - set(self._disk.ended)
        if not self.lagged and self._sets_of_attempts == 1 and len(in_flight) > self._plan.concurrency:
            raise broken(f"chains {in_flight} are in flight together")

    def _judge_failure(self, attempt: Attempt) -> None:
        newest = max((known for known in self._disk.announced if known[:2] == attempt[:2]), default=None)
        if attempt in self._disk.failed or (attempt != newest and not self.lagged):
            raise broken(f"a failure of {attempt} counts, and counted before or is not of the newest attempt, {newest}")

    def _judge_loss(self, attempt: Attempt) -> None:
        silent_seconds = self._clock.monotonic() - self._heard_at
        if silent_seconds < self._plan.stall_timeout_seconds:
            raise broken(f"{attempt} is given up after {silent_seconds:.1f} s of silence")
        if self._found_empty < LOOKS:
            raise broken(f"{attempt} is given up, and the steps queue was not found empty {LOOKS} times")
        answered = {(done.chain, done.step, done.attempt) for done in self._completions(self._results.received())}
        # A receive may bring other runs' messages and leave ours for the next one.
        if self._received_nothing and attempt in answered - self._disk.answered:
            raise PromiseBroken("samples lost", f"{attempt} is given up, and its completion was received before")

    def _judge_message(self, message: StepMessage) -> None:
        attempt = (message.chain, message.step, message.attempt)
        if self._disk.announced.get(attempt) != message.epoch or message.epoch != self._epoch:
            raise broken(f"{attempt} is sent with epoch {message.epoch}, and not announced so")
        if message.step > 1 and (message.chain, message.step - 1) not in self._disk.samples:
            raise broken(f"{attempt} is sent before the sample that it follows from is on disk")
        if message.chain in self._disk.ended:
            raise broken(f"{attempt} is sent, and its chain has ended")
        if (attempt, self._epoch) in self._sent:
            raise broken(f"{attempt} is sent twice")
        if not self._objects.holds(message.input):
            raise broken(f"{attempt} is sent with an input that nobody wrote: {message.input}")
        self._sent.add((attempt, self._epoch))
        self._sent_at_ns[attempt] = self._clock.monotonic_ns()

    def _judge_deletion(self, completion: Completion) -> None:
        attempt = (completion.chain, completion.step, completion.attempt)
        if attempt not in self._disk.answered:
            raise PromiseBroken("samples lost", f"the completion of {attempt} is deleted and in no line")
        if completion.ok and attempt[:2] not in self._disk.samples and not self.lagged:
            raise PromiseBroken("samples lost", f"the completion of {attempt} is deleted and its step has no sample")

    def _judge_sample(self, sample: Sample) -> None:
        attempt = (sample.chain, sample.step, sample.attempt)
        if attempt[:2] in self._disk.samples:
            raise PromiseBroken("samples counted twice", f"a second sample of {attempt[:2]} is written")
        self._judge_stamps(sample)
        if self.lagged:
            return
        if sample.late != (attempt in self._disk.lost):
            raise broken(f"{attempt} is {'' if sample.late else 'not '}flagged late")
        before = self._disk.samples.get((sample.chain, sample.step - 1))
        if before is not None and sample.input_uri != before.output_uri:
            raise broken(f"{attempt} is of another input than the step before it has written")

    def _judge_stamps(self, sample: Sample) -> None:
        """What an earlier life sent has none, be it by the same number of an attempt."""
        own = sample.epoch == self._epoch
        sent_at_ns = self._sent_at_ns.get((sample.chain, sample.step, sample.attempt)) if own else None
        if own != (sent_at_ns is not None) or own == sample.interrupted or sample.dispatched_at_ns != sent_at_ns:
            raise broken(
                f"chain {sample.chain} step {sample.step}, sent with epoch {sample.epoch} at {sent_at_ns} and accepted "
                f"with epoch {self._epoch}, is told as sent at {sample.dispatched_at_ns}, "
                f"{'' if sample.interrupted else 'not '}interrupted"
            )
