"""One account for all tests of a process, and in it a place for each."""

from __future__ import annotations

import itertools
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.emulator import Account, enforcing
from tests.policies.place import BUCKET, Place, new_queues

NUMBERS = itertools.count()


@pytest.fixture(scope="session")
def account() -> Iterator[Account]:
    with enforcing() as running:
        running.client("s3").create_bucket(Bucket=BUCKET)
        yield running


@pytest.fixture
def number() -> int:
    """For the names of this test's own."""
    return next(NUMBERS)


@pytest.fixture
def place(account: Account, number: int, tmp_path: Path) -> Place:
    settings, dead_letters_url = new_queues(account, number)
    users = account.user(f"worker-{number}"), account.user(f"orchestrator-{number}")
    return Place(account, settings, *users, tmp_path, dead_letters_url)
