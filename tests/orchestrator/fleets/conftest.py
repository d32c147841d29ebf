from __future__ import annotations

from collections.abc import Iterator

import pytest

from tests.emulator import Account, enforcing


@pytest.fixture(scope="package")
def account() -> Iterator[Account]:
    """Emulated ECS that refuses nothing to root."""
    with enforcing() as running:
        yield running


@pytest.fixture(autouse=True)
def as_root(account: Account, monkeypatch: pytest.MonkeyPatch) -> None:
    for name, value in account.root.environment.items():
        monkeypatch.setenv(name, value)
