"""terraform's own judgement of infra/, with stand-ins for AWS: nothing is applied anywhere."""

from __future__ import annotations

from pathlib import Path

import pytest

from tests.infra import terraform

pytestmark = pytest.mark.infra

TESTS = sorted(path.name for path in (terraform.INFRA / "tests").glob("*.tftest.hcl"))
MODULES = sorted(path.name for path in (terraform.INFRA / "modules").iterdir())
EXAMPLES = sorted(path.name for path in (terraform.INFRA / "examples").iterdir())


def test_every_file_is_formatted(infra: Path) -> None:
    done = terraform.run(infra, "fmt", "-check", "-recursive", "-diff", "-no-color")
    assert done.returncode == 0, done.stdout


def test_the_configuration_is_valid(infra: Path) -> None:
    done = terraform.run(infra, "validate", "-no-color")
    assert done.returncode == 0, done.stderr


@pytest.mark.parametrize("name", TESTS)
def test_the_tests_beside_the_modules_pass(infra: Path, name: str) -> None:
    example = name.removesuffix(".tftest.hcl").removeprefix("example_")
    values = [f"-var-file=examples/{example}/terraform.tfvars"] if example in EXAMPLES else []
    done = terraform.run(infra, "test", "-no-color", *values, f"-filter=tests/{name}")
    assert done.returncode == 0, done.stdout + done.stderr
    assert "0 passed" not in done.stdout


def test_every_module_and_every_example_has_a_test() -> None:
    tested = {name.removesuffix(".tftest.hcl") for name in TESTS}
    assert tested >= {*MODULES, *(f"example_{name}" for name in EXAMPLES)}
