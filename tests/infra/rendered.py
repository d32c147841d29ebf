"""What terraform makes of infra/ for given variables, against stand-ins for AWS: every resource with its values."""

from __future__ import annotations

import json
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from tests.infra import terraform

ACCOUNT = "123456789012"
REGION = "eu-west-1"

_TEST = """
mock_provider "aws" {
  source = "./tests/mocks"
}

run "rendered" {}
"""


@dataclass(frozen=True)
class Rendered:
    """Outputs by name, and values of resources by address, such as `module.fleets.aws_ecs_service.worker["small"]`."""

    outputs: dict[str, Any]
    resources: dict[str, dict[str, Any]]

    def of_type(self, kind: str) -> dict[str, dict[str, Any]]:
        return {at: values for at, values in self.resources.items() if f"{kind}." in at}


def rendered(infra: Path, folder: Path, **variables: Any) -> Rendered:
    """`folder` is for the values; `infra` is an initialized copy. Fails where terraform refuses the variables."""
    values = folder / "values.tfvars.json"
    values.write_text(json.dumps(variables), encoding="utf-8")
    test = infra / "tests" / "rendered.tftest.hcl"
    test.write_text(_TEST, encoding="utf-8")
    done = terraform.run(
        infra, "test", "-json", "-verbose", f"-var-file={values}", f"-filter={test.relative_to(infra)}"
    )
    messages = terraform.lines_of(done)
    assert done.returncode == 0, [line["diagnostic"] for line in messages if "diagnostic" in line]
    state = next(line["test_state"] for line in messages if line["type"] == "test_state")
    return Rendered(
        {name: output["value"] for name, output in state["outputs"].items()},
        {resource["address"]: resource["values"] for resource in _resources(state["root_module"])},
    )


def _resources(module: dict[str, Any]) -> Iterator[dict[str, Any]]:
    yield from module.get("resources", [])
    for child in module.get("child_modules", []):
        yield from _resources(child)
