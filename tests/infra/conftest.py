from __future__ import annotations

from pathlib import Path

import pytest

from tests.infra import terraform


@pytest.fixture(scope="session")
def infra(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A copy of infra/ that terraform has initialized."""
    return terraform.copy_of_infra(tmp_path_factory.mktemp("terraform") / "infra")
