"""A step that touches nothing: its executor tells what it runs on, and its worker adds what it is doing."""

from __future__ import annotations

from stepbench import machine
from stepbench.messages import StepMessage
from stepbench.probes import ProbeAnswer
from stepbench.timing import PhaseTimer
from worker.steps import Tools


def prepare(_message: StepMessage, _tools: Tools) -> ProbeAnswer:
    """Needs neither of them."""
    facts, versions = machine.facts(), machine.versions()
    return ProbeAnswer(
        version=versions.get("stepbench", "unknown"),
        python=versions["python"],
        platform=str(facts["platform"]),
        cores=int(facts["cores"]),
        memory_bytes=int(facts["memory_bytes"]),
    )


def run(prepared: ProbeAnswer, _timer: PhaseTimer) -> ProbeAnswer:
    """Has no phases."""
    return prepared
