"""Whether the lines of a metrics file can all be true: each is held against those before it.

No run writes what is refused here. It is found in files that were edited, cut and put together again, or that two
programs wrote to. Sums are `orchestrator.report.audit`'s.
"""

from __future__ import annotations

from pydantic import ValidationError

from orchestrator.run.lines import Event, Failure, Line, RunLine, SummaryLine
from orchestrator.run.plan import Plan
from stepbench.samples import Sample
from stepbench.settings import of_values

_NOT_OF_A_STEP_OF_OURS = {"duplicate"}
"""Events about what came in, which may be anything."""


def contradiction_in(run: RunLine) -> str | None:
    """Why no run has begun with this line, as the end of a sentence; null if one may have."""
    if run.plan.run_id != run.run_id:
        return f"is of run {run.run_id}, and its plan of run {run.plan.run_id}"
    plan = run.plan
    sizes = {
        "CHAINS": plan.chains,
        "STEPS": plan.steps,
        "CONCURRENCY": plan.concurrency,
        "WARMUP": plan.warmup_steps,
        "MAX_ATTEMPTS": plan.max_attempts,
    }
    try:
        of_values(sizes)
    except ValidationError as error:
        name = error.errors()[0]["loc"][0]
        return f"has a plan that no run can have: {name} {sizes.get(str(name))}"
    return None


class LineChecks:
    """Holds every line against those before it; what is remembered does not grow with the steps of a chain.

    Warm-up chains count in no figure: of them only the number is looked at.
    """

    def __init__(self, plan: Plan) -> None:
        self._plan = plan
        self._announced: dict[int, int] = {}
        """The step of each chain that was dispatched last."""
        self._done: dict[int, int] = {}
        """The last step of each chain that has a sample."""
        self._samples = 0
        self._resumed = False
        """From then on a file need not tell of everything: a run may be gone on with from a copy that lagged behind."""

    def contradiction(self, line: Line) -> str | None:
        """Why `line` cannot stand where it stands, as the end of a sentence; null if it can."""
        if isinstance(line, Sample):
            return self._of_place(line.chain, line.step, line.attempt) or self._of_sample(line)
        if isinstance(line, Failure):
            return self._of_place(line.chain, line.step, line.attempt)
        if isinstance(line, SummaryLine):
            return self._of_summary(line)
        if isinstance(line, Event) and line.event not in _NOT_OF_A_STEP_OF_OURS:
            return self._of_place(line.chain, line.step, line.attempt) or self._of_event(line)
        return None

    def _of_place(self, chain: int | None, step: int | None, attempt: int | None) -> str | None:
        plan = self._plan
        warmups = plan.concurrency if plan.warmup_steps else 0
        if chain is not None and not (1 <= chain <= plan.chains or -warmups <= chain <= -1):
            return f"is about chain {chain}, and the run has chains 1 to {plan.chains}"
        if chain is not None and chain > 0 and step is not None and not 1 <= step <= plan.steps:
            return f"is about step {step} of chain {chain}, and the run's chains have {plan.steps}"
        if attempt is not None and (attempt < 1 or (attempt > plan.max_attempts and not self._resumed)):
            return f"is about attempt {attempt}, and the run's steps have {plan.max_attempts} (MAX_ATTEMPTS)"
        return None

    def _of_sample(self, line: Sample) -> str | None:
        if (line.kind == "warmup") != (line.chain < 0):
            return f"is a {line.kind} of chain {line.chain}; warm-up chains are those below 0"
        if line.kind == "warmup":
            return None
        wrong = self._out_of_order(line.chain, line.step)
        self._done[line.chain] = line.step
        self._samples += 1
        return wrong

    def _out_of_order(self, chain: int, step: int) -> str | None:
        name, before = f"chain {chain} step {step}", self._done.get(chain, 0)
        if step == before:
            return f"is a second sample of {name}"
        if step < before:
            return f"is a sample of {name}, after one of step {before}"
        if not self._resumed and step != self._announced.get(chain):
            return f"is a sample of {name}, which was never dispatched"
        if not self._resumed and step != before + 1:
            return f"is a sample of {name}, and step {step - 1} has none"
        return None

    def _of_event(self, line: Event) -> str | None:
        self._resumed = self._resumed or line.event == "resumed"
        if line.chain is None or line.chain < 0:
            return None
        if line.event == "dispatching" and line.step is not None:
            self._announced[line.chain] = line.step
        done, steps = self._done.get(line.chain, 0), self._plan.steps
        if line.event == "chain_finished" and line.ok and done != steps:
            return f"tells that chain {line.chain} is done, and its samples end at step {done} of {steps}"
        return None

    def _of_summary(self, line: SummaryLine) -> str | None:
        counts = (line.model_extra or {}).get("counts")
        told = counts.get("samples") if isinstance(counts, dict) else None
        if told is None or told == self._samples:
            return None
        return f"is a summary of {told} samples, and {self._samples} stand before it"
