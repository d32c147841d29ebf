"""Steps whose messages end among the dead letters, and runs that find them there."""

from __future__ import annotations

import signal
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import pytest

from orchestrator.local.stack import Stack
from orchestrator.run import loop
from stepbench.aws import Clients
from tests.runs.fleet import Fleet
from tests.runs.saboteur import Saboteur
from tests.runs.sums import check_sums

NEVER = "7200"


@pytest.fixture
def fleet(stack: Stack, clients: Clients, tmp_path: Path) -> Iterator[Fleet]:
    """Buries what was received once, so that one worker has to be killed and not five."""
    made = Fleet(stack, clients, tmp_path, max_receive_count=1)
    yield made
    made.close()


def test_a_step_that_killed_its_workers_until_it_was_dead_lettered_is_dispatched_again_before_any_stall(
    fleet: Fleet, saboteur: Saboteur, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(loop, "LOOK_AFTER_SECONDS", 1.0)
    killed = fleet.worker(**saboteur.variables, VISIBILITY_TIMEOUT="2")
    saboteur.order("hold", "transform")

    def kill_and_replace() -> None:
        saboteur.until_obeyed()
        killed.send(signal.SIGKILL)
        fleet.worker(VISIBILITY_TIMEOUT="2")

    with ThreadPoolExecutor(1) as aside:
        killing = aside.submit(kill_and_replace)
        outcome = fleet.run("--steps=2", "--json", STALL_TIMEOUT=NEVER)
        killing.result()

    assert outcome.exit_code == 0, outcome.stderr
    [lost] = outcome.events("lost")
    assert (lost["step"], lost["attempt"]) == (1, 1)
    assert "dead-letter queue" in lost["message"]
    assert [(sample["step"], sample["attempt"], sample["late"]) for sample in outcome.samples] == [
        (1, 2, False),
        (2, 1, False),
    ]
    assert outcome.failures == []
    assert outcome.summary["counts"]["lost"] == 1
    assert '"event": "step given up as lost"' in outcome.stderr
    fleet.until_depth((1, 0), fleet.dead_letters_url)
    check_sums(outcome.lines)
