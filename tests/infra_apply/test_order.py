"""What goes before what: at `destroy`, and when one fleet of several is left out."""

from __future__ import annotations

import json
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from tests.infra_apply.gaps import ZONES_WITH_ENDPOINTS
from tests.infra_apply.stack import Stack, inventory, stack_of

pytestmark = pytest.mark.infra

WAYS = {f"module.network.aws_{kind}" for kind in ("vpc_endpoint.interface", "vpc_endpoint.s3")} | {
    "module.network.aws_route_table_association.tasks",
    "module.network.aws_vpc_security_group_egress_rule.endpoints",
    "module.network.aws_vpc_security_group_egress_rule.s3",
    "module.network.aws_vpc_security_group_ingress_rule.endpoints",
}
RIGHTS = {f"module.iam.aws_iam_role_policy.{role}" for role in ("worker", "execution")}
HOSTS_RIGHTS = {"module.iam.aws_iam_role_policy.hosts"}


@pytest.fixture(scope="module")
def stack(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Stack]:
    with stack_of("several-fleets", tmp_path_factory.mktemp("order")) as made:
        apply(made, made.values)
        yield made


def test_what_ends_a_task_goes_after_the_service_and_the_hosts(stack: Stack) -> None:
    """An agent without a way to ECS, or without rights, ends no task, and `destroy` waits for the service in vain."""
    assert comes_after(stack, "aws_ecs_service", "worker") >= WAYS | RIGHTS | HOSTS_RIGHTS
    assert comes_after(stack, "aws_autoscaling_group", "hosts") >= WAYS | HOSTS_RIGHTS
    assert comes_after(stack, "aws_ecs_task_definition", "orchestrator") >= {
        "module.iam.aws_iam_role_policy_attachment.orchestrator"
    }


def test_the_subnets_are_in_a_zone_that_has_all_endpoints(stack: Stack) -> None:
    subnets = stack.account.client("ec2").describe_subnets()["Subnets"]
    zones = {subnet["AvailabilityZone"] for subnet in subnets if ours(subnet)}
    assert zones == {f"us-east-1{ZONES_WITH_ENDPOINTS[0]}"}


def test_a_fleet_that_is_left_out_goes_and_the_others_stay(stack: Stack, tmp_path: Path) -> None:
    before = inventory(stack.account)
    fewer = tmp_path / "fewer.tfvars"
    lines = stack.example.read_text(encoding="utf-8").splitlines(keepends=True)
    fewer.write_text("".join(line for line in lines if not line.lstrip().startswith("c7g ")), encoding="utf-8")

    apply(stack, f"-var-file={fewer}")

    gone = before["groups of hosts"] - inventory(stack.account)["groups of hosts"]
    assert [arn.rpartition("/")[2] for arn in gone] == ["compare-c7g"]
    providers = stack.account.client("ecs").describe_clusters(clusters=["compare"])["clusters"][0]["capacityProviders"]
    assert sorted(providers) == ["FARGATE", "FARGATE_SPOT", "compare-m7i"]
    stack.destroy()


def apply(stack: Stack, values: str) -> None:
    done = stack.terraform("apply", "-auto-approve", "-no-color", values)
    assert done.returncode == 0, done.stdout + done.stderr


def comes_after(stack: Stack, kind: str, name: str) -> set[str]:
    """What terraform destroys only when all resources of that name are gone."""
    state = json.loads(stack.terraform("state", "pull").stdout)
    found = [each for each in state["resources"] if each["type"] == kind and each["name"] == name]
    (resource,) = found
    return set.intersection(*(set(instance["dependencies"]) for instance in resource["instances"]))


def ours(subnet: dict[str, Any]) -> bool:
    """An account comes with subnets of its own."""
    return any(tag["Key"] == "stepbench" for tag in subnet.get("Tags", ()))
