from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import pytest
from tenacity import wait_none

from tests.worker.stage import Running, Stage, Start


@pytest.fixture
def no_pauses(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("stepbench.patience.wait_random_exponential", lambda max: wait_none())  # noqa: A006 # its name


@pytest.fixture
def stage(no_pauses: None) -> Stage:
    return Stage()


@pytest.fixture
def running(stage: Stage) -> Iterator[Start]:
    """Starts workers, and ends what still runs."""
    started: list[Running] = []

    def start(**options: Any) -> Running:
        started.append(Running(stage.worker(**options)))
        return started[-1]

    yield start
    for each in started:
        each.end()
