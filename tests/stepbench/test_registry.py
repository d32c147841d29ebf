from __future__ import annotations

import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

from stepbench import registry
from stepbench.errors import UsageError


@pytest.fixture
def package(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Path]:
    """An empty package `plugins`, importable for the length of a test."""
    folder = tmp_path / "plugins"
    folder.mkdir()
    (folder / "__init__.py").touch()
    monkeypatch.syspath_prepend(tmp_path)
    registry.choices.cache_clear()
    registry.load.cache_clear()
    yield folder
    registry.choices.cache_clear()
    registry.load.cache_clear()
    for name in [name for name in sys.modules if name.partition(".")[0] == "plugins"]:
        del sys.modules[name]


def test_the_choices_are_the_files_sorted_and_none_of_them_is_imported(package: Path) -> None:
    for name in ("zeta", "alpha", "_helper"):
        (package / f"{name}.py").write_text("raise RuntimeError('imported')\n")

    assert registry.choices("plugins") == ("alpha", "zeta")


def test_the_package_of_the_choices_is_not_imported_either(package: Path) -> None:
    below = package / "below"
    below.mkdir()
    for folder in (package, below):
        (folder / "__init__.py").write_text("raise RuntimeError('imported')\n")
    (below / "alpha.py").touch()

    assert registry.choices("plugins.below") == ("alpha",)


@pytest.mark.parametrize("name", ["plugins.gone", "plugins.alpha", "no_such_package_at_all.plugins"])
def test_a_package_that_is_none_fails_loudly(name: str, package: Path) -> None:
    (package / "alpha.py").touch()

    with pytest.raises(ModuleNotFoundError, match="no package"):
        registry.choices(name)


def test_reading_the_settings_imports_neither_program() -> None:
    program = (
        "import sys; from stepbench import configuration, settings_table; configuration.load({'TRANSFORM': 'cpu'}); "
        "settings_table.table(); print([name for name in ('worker', 'orchestrator') if name in sys.modules])"
    )
    answer = subprocess.run([sys.executable, "-c", program], capture_output=True, text=True, check=True)
    assert answer.stdout == "[]\n"


def test_a_users_own_module_called_as_our_package_does_not_hide_its_choices() -> None:
    Path("worker.py").write_text("raise RuntimeError('not ours')\n")
    program = "from stepbench import registry; assert 'noop' in registry.choices('worker.transforms')"

    subprocess.run([sys.executable, "-c", program], check=True)


@pytest.mark.parametrize("package_name", ["stepbench.serializers", "stepbench.s3_clients", "worker.transforms"])
def test_listing_our_own_choices_imports_nothing_heavy(package_name: str) -> None:
    program = (
        "import sys; from stepbench import registry; "
        f"assert registry.choices({package_name!r}); "
        "print([name for name in ('pyarrow', 'boto3', 'botocore', 'msgpack') if name in sys.modules])"
    )
    answer = subprocess.run([sys.executable, "-c", program], capture_output=True, text=True, check=True)
    assert answer.stdout == "[]\n"


def test_a_new_file_can_be_loaded_by_its_name(package: Path) -> None:
    (package / "new.py").write_text("ANSWER = 42\n")

    assert registry.load("plugins", "new").ANSWER == 42


def test_a_name_that_is_none_is_told_with_all_that_are_and_the_nearest() -> None:
    with pytest.raises(UsageError) as refusal:
        registry.load("stepbench.serializers", "parket")
    assert "'parket' is not one of arrow, csv, json" in str(refusal.value)
    assert str(refusal.value).endswith("did you mean parquet?")


@pytest.mark.parametrize(("typed", "known", "meant"), [("JSON", "json", "json"), ("parket", "PARQUET", "PARQUET")])
def test_case_does_not_keep_a_name_from_being_near(typed: str, known: str, meant: str) -> None:
    assert registry.unknown_choice(typed, ("csv", known)).endswith(f"; did you mean {meant}?")


def test_where_nothing_is_near_nothing_is_suggested() -> None:
    assert registry.unknown_choice("xxxxxx", ("json", "csv")) == "'xxxxxx' is not one of json, csv"


def test_a_missing_dependency_names_the_extra_that_installs_it(package: Path) -> None:
    (package / "fancy.py").write_text("import no_such_package_at_all\n")

    with pytest.raises(UsageError) as refusal:
        registry.load("plugins", "fancy")
    assert "no_such_package_at_all" in str(refusal.value)
    assert "pip install 'stepbench[fancy]'" in str(refusal.value)


@pytest.mark.parametrize("line", ["import plugins.gone", "raise RuntimeError('a bug')"])
def test_a_broken_choice_fails_loudly(line: str, package: Path) -> None:
    (package / "broken.py").write_text(f"{line}\n")

    with pytest.raises((ModuleNotFoundError, RuntimeError)):
        registry.load("plugins", "broken")
