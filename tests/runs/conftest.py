"""One emulated stack for all tests of a process, with a fleet of its own for each test that needs one."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest

from orchestrator.local.stack import Stack, embedded_stack
from stepbench.aws import Clients
from stepbench.settings import Settings
from tests.runs.fleet import Fleet
from tests.runs.saboteur import Saboteur


@pytest.fixture(scope="session")
def stack() -> Iterator[Stack]:
    with embedded_stack(Settings()) as running:
        yield running


@pytest.fixture(scope="session")
def clients(stack: Stack) -> Clients:
    return stack.clients()


@pytest.fixture
def fleet(stack: Stack, clients: Clients, tmp_path: Path) -> Iterator[Fleet]:
    """A fleet without a worker."""
    made = Fleet(stack, clients, tmp_path)
    yield made
    made.close()


@pytest.fixture
def saboteur(tmp_path: Path) -> Saboteur:
    """For workers whose executors break on order."""
    return Saboteur(tmp_path)


@pytest.fixture(scope="session")
def session_fleet(stack: Stack, clients: Clients, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Fleet]:
    made = Fleet(stack, clients, tmp_path_factory.mktemp("shared-fleet"))
    yield made
    made.close()


@pytest.fixture
def shared_fleet(session_fleet: Fleet) -> Fleet:
    """A fleet with one worker of one executor, for tests that only need their steps done."""
    if not session_fleet.has_worker():
        session_fleet.worker()
    return session_fleet
