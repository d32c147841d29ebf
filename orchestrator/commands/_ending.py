"""How a run's end is told, and with which exit code."""

from __future__ import annotations

import sys

from orchestrator.report.summary import Summary
from orchestrator.report.terminal import show
from orchestrator.run.closing import Ending
from orchestrator.run.plan import Plan
from stepbench import streams
from stepbench.errors import EnvironmentRefused

EXIT_CHAIN_FAILED = 1


def tell(ending: Ending, as_json: bool) -> int:
    """Prints the figures; exit code. Raises EnvironmentRefused, after them, for what could not be done at the end."""
    _print(ending.summary, as_json)
    if ending.refused:
        raise EnvironmentRefused("\n".join(ending.refused))
    return EXIT_CHAIN_FAILED if ending.summary.counts.chains_failed else 0


def interrupted(plan: Plan, *, own_stack: bool) -> str:
    """What becomes of a run after Ctrl-C."""
    kept = f"Interrupted. What was measured is in {plan.metrics_file}: python -m orchestrator report {plan.run_id}"
    if own_stack:
        return f"{kept}\nThe run cannot be resumed: its queue and its payloads were on the embedded stack."
    return f"{kept}\nTo go on with it: python -m orchestrator resume {plan.run_id}"


def _print(summary: Summary, as_json: bool) -> None:
    try:
        if as_json:
            print(summary.model_dump_json(), flush=True)
        else:
            show(summary, sys.stdout)
            sys.stdout.flush()
    except BrokenPipeError:  # `| head`; whether all chains are done is still to be told by the exit code
        streams.reader_is_gone(sys.stdout)
