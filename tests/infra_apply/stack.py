"""A stack of infra/ in the emulated account: applied by terraform, and seen through AWS's own calls."""

from __future__ import annotations

import functools
import json
import os
import shutil
import subprocess
import sys
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from types import MappingProxyType
from typing import Any, NamedTuple

from scripts.docs.tree import ROOT
from tests.emulator import ACCOUNT, REGION, ROOT_KEYS, Account, User, enforcing
from tests.infra import terraform

EMULATOR = Path(__file__).with_name("emulator.py")

# An emulator on this machine has no names for buckets' hosts.
_OVERRIDE = """
provider "aws" {
  s3_use_path_style = true
}
"""


@dataclass(frozen=True)
class Stack:
    """An account, and terraform in a folder of its own that builds one example there."""

    account: Account
    infra: Path
    example: Path
    """Its values."""

    @property
    def values(self) -> str:
        """The flag that names them."""
        return f"-var-file={self.example}"

    @property
    def variables(self) -> dict[str, str]:
        """What whoever applies it has in the environment."""
        return {
            "AWS_ACCESS_KEY_ID": ROOT_KEYS[0],
            "AWS_SECRET_ACCESS_KEY": ROOT_KEYS[1],
            "AWS_REGION": REGION,
            "AWS_ENDPOINT_URL": self.account.endpoint,
        }

    def terraform(self, *arguments: str) -> subprocess.CompletedProcess[str]:
        return terraform.run(self.infra, *arguments, **self.variables)

    @functools.cache  # noqa: B019 # a stack lives as long as its test
    def outputs(self) -> dict[str, Any]:
        """By name; asked for once, after it was applied."""
        done = self.terraform("output", "-json")
        assert done.returncode == 0, done.stderr
        return {name: output["value"] for name, output in json.loads(done.stdout).items()}

    def script(self, name: str, *arguments: str, **variables: str) -> subprocess.CompletedProcess[str]:
        """One of scripts/, beside this stack's infra/; those in Python take this interpreter."""
        path = f"{Path(sys.executable).parent}{os.pathsep}{os.environ['PATH']}"
        return subprocess.run(
            [str(self.infra.parent / "scripts" / name), *arguments],
            env=terraform.environment(PATH=path, **self.variables, **variables),
            stdin=subprocess.DEVNULL,
            capture_output=True,
            text=True,
            check=False,
        )

    def deploy(self, env_file: Path) -> subprocess.CompletedProcess[str]:
        """`scripts/deploy`, as a user calls it who has seen the plan."""
        mirror = terraform.plugin_dir()
        from_mirror = {"TF_CLI_ARGS_init": f"-plugin-dir={mirror}"} if mirror else {}
        files = ("--var-file", str(self.example), "--env-file", str(env_file))
        return self.script("deploy", "--yes", *files, **from_mirror)

    def changes(self) -> list[str]:
        """What another apply would change: each resource's address and what would be done to it."""
        planned = self.terraform("plan", "-json", "-detailed-exitcode", self.values)
        assert planned.returncode in {0, 2}, planned.stdout
        lines = [line["change"] for line in terraform.lines_of(planned) if line["type"] == "planned_change"]
        changes = [f"{change['action']} {change['resource']['addr']}" for change in lines]
        assert bool(changes) == (planned.returncode == 2), planned.stdout
        return changes

    def destroy(self) -> None:
        done = self.terraform("destroy", "-auto-approve", "-no-color", self.values)
        assert done.returncode == 0, done.stdout + done.stderr
        assert self.terraform("state", "list").stdout == ""

    def task(self, what: str) -> tuple[User, dict[str, str]]:
        """Who a task of a fleet, or of the orchestrator, is, and the environment of its one container."""
        definition = f"{self.outputs()['cluster_name']}-{what}"
        described = self.account.client("ecs").describe_task_definition(taskDefinition=definition)["taskDefinition"]
        (container,) = described["containerDefinitions"]
        told = {entry["name"]: entry["value"] for entry in container["environment"]}
        return self.account.role(described["taskRoleArn"]), told


@contextmanager
def stack_of(example: str, folder: Path) -> Iterator[Stack]:
    """Nothing is applied yet. The account is gone when the block ends."""
    infra = terraform.copy_of_infra(folder / "infra")
    shutil.copytree(ROOT / "scripts", folder / "scripts")
    (infra / "emulated_override.tf").write_text(_OVERRIDE, encoding="utf-8")
    with enforcing(str(EMULATOR)) as account:
        yield Stack(account, infra, infra / "examples" / example / "terraform.tfvars")


def inventory(account: Account) -> dict[str, set[str]]:
    """What there is in the account, by kind."""
    return {kind: listing.of(account) for kind, listing in _KINDS.items()}


class _Listing(NamedTuple):
    """A call that lists things: where they are in its answer, and what each is known by."""

    service: str
    operation: str
    where: str
    known_by: str = ""
    """Itself, where it is no record."""
    arguments: Mapping[str, Any] = MappingProxyType({})

    def of(self, account: Account) -> set[str]:
        answer = getattr(account.client(self.service), self.operation)(**self.arguments)
        found = answer.get(self.where) or ()
        # What was deleted may be told for a while.
        return {each[self.known_by] if self.known_by else each for each in found if _state(each) != "deleted"}


def _state(thing: Any) -> Any:
    return thing.get("State") if isinstance(thing, dict) else None


_OF_ECS = {"ServiceNamespace": "ecs"}
_SCALING = "application-autoscaling"
_KINDS = {
    "queues": _Listing("sqs", "list_queues", "QueueUrls"),
    "buckets": _Listing("s3", "list_buckets", "Buckets", "Name"),
    "roles": _Listing("iam", "list_roles", "Roles", "Arn"),
    "policies": _Listing("iam", "list_policies", "Policies", "Arn", {"Scope": "Local"}),
    "instance profiles": _Listing("iam", "list_instance_profiles", "InstanceProfiles", "Arn"),
    "VPCs": _Listing("ec2", "describe_vpcs", "Vpcs", "VpcId"),
    "subnets": _Listing("ec2", "describe_subnets", "Subnets", "SubnetId"),
    "route tables": _Listing("ec2", "describe_route_tables", "RouteTables", "RouteTableId"),
    "endpoints": _Listing("ec2", "describe_vpc_endpoints", "VpcEndpoints", "VpcEndpointId"),
    "security groups": _Listing("ec2", "describe_security_groups", "SecurityGroups", "GroupId"),
    "launch templates": _Listing("ec2", "describe_launch_templates", "LaunchTemplates", "LaunchTemplateId"),
    "groups of hosts": _Listing(
        "autoscaling", "describe_auto_scaling_groups", "AutoScalingGroups", "AutoScalingGroupARN"
    ),
    "clusters": _Listing("ecs", "list_clusters", "clusterArns"),
    "task definitions": _Listing("ecs", "list_task_definitions", "taskDefinitionArns", "", {"status": "ACTIVE"}),
    "functions": _Listing("lambda", "list_functions", "Functions", "FunctionArn"),
    "repositories": _Listing("ecr", "describe_repositories", "repositories", "repositoryArn"),
    "scalable targets": _Listing(_SCALING, "describe_scalable_targets", "ScalableTargets", "ResourceId", _OF_ECS),
    "scaling policies": _Listing(_SCALING, "describe_scaling_policies", "ScalingPolicies", "PolicyARN", _OF_ECS),
    "log groups": _Listing("logs", "describe_log_groups", "logGroups", "arn"),
    "metric filters": _Listing("logs", "describe_metric_filters", "metricFilters", "filterName"),
    "alarms": _Listing("cloudwatch", "describe_alarms", "MetricAlarms", "AlarmArn"),
    "dashboards": _Listing("cloudwatch", "list_dashboards", "DashboardEntries", "DashboardArn"),
    "topics": _Listing("sns", "list_topics", "Topics", "TopicArn"),
    "budgets": _Listing("budgets", "describe_budgets", "Budgets", "BudgetName", {"AccountId": ACCOUNT}),
}
