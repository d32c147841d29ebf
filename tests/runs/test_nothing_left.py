from __future__ import annotations

import os
import signal
import subprocess
from pathlib import Path

import pytest

from orchestrator.local import environment
from tests.processes import alive_in_group, wait_until
from tests.runs.programs import RunProgram
from tests.runs.saboteur import Saboteur
from tests.runs.waiting import DEADLINE_SECONDS


def children_of(pid: int) -> list[int]:
    found = subprocess.run(["pgrep", "-P", str(pid)], capture_output=True, text=True, check=False)
    return [int(child) for child in found.stdout.split()]


@pytest.mark.parametrize("end", [signal.SIGKILL, signal.SIGINT, signal.SIGTERM])
def test_nothing_of_the_embedded_stack_outlives_a_run_that_is_ended_in_its_midst(
    end: signal.Signals, saboteur: Saboteur, tmp_path: Path
) -> None:
    scratch = tmp_path / "scratch"
    scratch.mkdir()
    surroundings = {**environment.cleaned(os.environ), **saboteur.variables, "TMPDIR": str(scratch)}
    saboteur.order("hold", "transform")
    run = RunProgram(["orchestrator", "start", "--payload-mb=0.05"], tmp_path / "run", surroundings)
    try:
        saboteur.until_obeyed()
        groups = [run.process.pid, *children_of(run.process.pid)]
        # Two emulators, the worker, and what made the first payload. Executors are in their worker's group.
        assert len(groups) == 5

        run.send(end)
        outcome = run.outcome()
    finally:
        run.kill()

    assert outcome.exit_code == (-signal.SIGKILL if end is signal.SIGKILL else 130)
    for group in groups:
        wait_until(lambda: not alive_in_group(group), f"group {group} is empty", DEADLINE_SECONDS)  # noqa: B023 # called at once
    assert list(scratch.iterdir()) == []
    if end is not signal.SIGKILL:
        assert outcome.lines[-1]["event"] == "interrupted"
        assert "cannot be resumed" in outcome.stderr
        assert "Traceback" not in outcome.stderr
