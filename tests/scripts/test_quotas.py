"""scripts/check-service-quotas: which quotas a stack's fleets count against, and what is said of them."""

from __future__ import annotations

import os
import subprocess
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import boto3
import pytest
from botocore.stub import Stubber

from scripts.docs.tree import ROOT
from scripts.quotas.__main__ import REFUSED, ROOMY, TOO_LOW, WRONG_USAGE, check, main
from scripts.quotas.catalogue import of_instance_type
from scripts.quotas.fleets import Unreadable, fleets_of, function_max_of

REGION = "eu-west-1"
ON_DEMAND_FARGATE, SPOT_FARGATE = "L-3032A538", "L-36FBB829"
LAMBDA = "L-B99A9384"
ON_DEMAND_STANDARD, SPOT_STANDARD = "L-1216C47A", "L-34B43A08"
SEVERAL = ROOT / "infra" / "examples" / "several-fleets" / "terraform.tfvars"


class Account:
    """Stands for boto3's session: an account with these quotas, by code; of the others AWS knows a default."""

    region_name = REGION

    def __init__(self, quotas: Mapping[str, float], default: float = 0, **vcpus: int) -> None:
        self.quotas, self.default, self.vcpus = quotas, default, vcpus

    def client(self, service: str) -> Any:
        client: Any = boto3.client(service, region_name=REGION, aws_access_key_id="x", aws_secret_access_key="x")  # type: ignore[call-overload] # its stubs are not installed
        return self.quotas_of(client) if service == "service-quotas" else self.instances_of(client)

    def instances_of(self, client: Any) -> Any:
        stub = Stubber(client)
        types = {name.replace("_", "."): count for name, count in self.vcpus.items()}
        known = [{"InstanceType": name, "VCpuInfo": {"DefaultVCpus": count}} for name, count in types.items()]
        stub.add_response("describe_instance_types", {"InstanceTypes": known}, {"InstanceTypes": sorted(types)})
        stub.activate()
        return client

    def quotas_of(self, client: Any) -> Any:
        """Answered one by one: a stub wants to know the order of calls."""
        get, default = client.get_service_quota, client.get_aws_default_service_quota

        def get_service_quota(**names: str) -> Any:
            with Stubber(client) as stub:
                if names["QuotaCode"] in self.quotas:
                    answer = {"Quota": {"Value": self.quotas[names["QuotaCode"]]}}
                    stub.add_response("get_service_quota", answer, names)
                else:
                    stub.add_client_error("get_service_quota", "NoSuchResourceException")
                return get(**names)

        def get_aws_default_service_quota(**names: str) -> Any:
            with Stubber(client) as stub:
                stub.add_response("get_aws_default_service_quota", {"Quota": {"Value": self.default}}, names)
                return default(**names)

        client.get_service_quota = get_service_quota
        client.get_aws_default_service_quota = get_aws_default_service_quota
        return client


def test_every_fleet_counts_against_its_own_quota(capsys: pytest.CaptureFixture[str]) -> None:
    enough = {ON_DEMAND_FARGATE: 11, SPOT_FARGATE: 16, ON_DEMAND_STANDARD: 16, SPOT_STANDARD: 32}

    assert check(fleets_of(SEVERAL), Account(enough, c7g_4xlarge=16, m7i_2xlarge=8)) == ROOMY

    said = capsys.readouterr().out
    assert f"{ON_DEMAND_FARGATE} Fargate On-Demand vCPU resource count: 11 vCPUs, up to 11 wanted" in said
    assert f"{SPOT_FARGATE} Fargate Spot vCPU resource count: 16 vCPUs, up to 16 wanted (arm)" in said
    assert "16 vCPUs, up to 16 wanted (m7i)" in said
    assert "32 vCPUs, up to 32 wanted (c7g)" in said
    assert "TOO LOW" not in said


@pytest.mark.parametrize("code", [ON_DEMAND_FARGATE, SPOT_FARGATE, ON_DEMAND_STANDARD, SPOT_STANDARD])
def test_a_quota_that_is_one_vcpu_too_low_is_told_with_the_link_to_ask_for_more(
    code: str, capsys: pytest.CaptureFixture[str]
) -> None:
    enough = {ON_DEMAND_FARGATE: 11, SPOT_FARGATE: 16, ON_DEMAND_STANDARD: 16, SPOT_STANDARD: 32}
    account = Account({**enough, code: enough[code] - 1}, c7g_4xlarge=16, m7i_2xlarge=8)

    assert check(fleets_of(SEVERAL), account) == TOO_LOW

    lines = capsys.readouterr().out.splitlines()
    (at,) = [number for number, line in enumerate(lines) if line.startswith("TOO LOW")]
    assert code in lines[at]
    service = "fargate" if "Fargate" in lines[at] else "ec2"
    link = f"https://{REGION}.console.aws.amazon.com/servicequotas/home/services/{service}/quotas/{code}"
    assert lines[at + 1].endswith(link)


@pytest.mark.parametrize(("allowed", "code"), [(104, ROOMY), (103, TOO_LOW)])
def test_a_function_keeps_executions_and_aws_keeps_a_hundred_for_others(
    allowed: int, code: int, capsys: pytest.CaptureFixture[str]
) -> None:
    values = ROOT / "infra" / "examples" / "with-a-function" / "terraform.tfvars"
    account = Account({ON_DEMAND_FARGATE: 11, LAMBDA: allowed})

    assert check(fleets_of(values), account, function_max_of(values)) == code

    said = capsys.readouterr().out
    assert f"{allowed} at once, up to 104 wanted (the function, what AWS keeps for others)" in said
    assert ("/services/lambda/quotas/L-B99A9384" in said) == (code == TOO_LOW)


def test_without_a_function_lambda_is_not_asked(capsys: pytest.CaptureFixture[str]) -> None:
    assert function_max_of(SEVERAL) == 0
    check(fleets_of(SEVERAL), Account({}, c7g_4xlarge=16, m7i_2xlarge=8), function_max_of(SEVERAL))
    assert LAMBDA not in capsys.readouterr().out


@pytest.mark.parametrize("function", ["{ memory = 512 }", '{ max = "2" }', "{ max = 0 }", "3", "{ max = lower(x) }"])
def test_a_function_that_says_no_max_is_told(function: str, tmp_path: Path) -> None:
    file = tmp_path / "mine.tfvars"
    file.write_text(f"function = {function}\n")
    with pytest.raises(Unreadable, match="function"):
        function_max_of(file)


def test_a_quota_that_was_never_changed_is_awss_default(capsys: pytest.CaptureFixture[str]) -> None:
    assert check(fleets_of(None), Account({}, default=6)) == TOO_LOW
    assert "6 vCPUs, up to 11 wanted (the orchestrator's task, small)" in capsys.readouterr().out


def test_a_family_without_a_known_quota_is_told(capsys: pytest.CaptureFixture[str]) -> None:
    fleets = {"mac": {"launch": "ec2", "instance_type": "mac2.metal", "max": 1}}
    assert check(fleets, Account({}, default=6, mac2_metal=8)) == ROOMY
    assert "the quota of mac2.metal is not known here" in capsys.readouterr().out


@pytest.mark.parametrize(
    ("instance_type", "on_demand", "spot"),
    [
        ("c7g.4xlarge", ON_DEMAND_STANDARD, SPOT_STANDARD),
        ("t4g.micro", ON_DEMAND_STANDARD, SPOT_STANDARD),
        ("im4gn.large", ON_DEMAND_STANDARD, SPOT_STANDARD),
        ("g5.xlarge", "L-DB2E81BA", "L-3819A6DF"),
        ("inf2.xlarge", "L-1945791B", "L-B5D1601B"),
        ("trn1.2xlarge", "L-2C3B7624", "L-6B0D517C"),
        ("x2gd.large", "L-7295265B", "L-E3A00192"),
        ("u-6tb1.metal", "L-43DA4232", None),
        ("hpc7g.4xlarge", "L-F7808C92", None),
        ("mac2.metal", None, None),
    ],
)
def test_the_quota_follows_the_letters_of_the_instance_type(
    instance_type: str, on_demand: str | None, spot: str | None
) -> None:
    found = [of_instance_type(instance_type, spot=on_spot) for on_spot in (False, True)]
    assert [quota and quota.code for quota in found] == [on_demand, spot]


@pytest.mark.parametrize("example", sorted((ROOT / "infra" / "examples").iterdir()), ids=lambda path: path.name)
def test_the_fleets_of_every_example_are_read(example: Path) -> None:
    assert fleets_of(example / "terraform.tfvars")


@pytest.mark.parametrize(
    "text",
    [
        "fleets = { small = { launch = upper(x), max = 1 } }",
        'fleets = { small = { launch = "fargate", max = 1 } }',
        'fleets = { small = { launch = "ec2", cpu = 1, max = 1 } }',
        'fleets = { small = { launch = "fargate", cpu = 1024 } }',
        "fleets = 3",
    ],
)
def test_values_that_say_no_fleets_are_refused_with_the_files_name(
    text: str, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    file = tmp_path / "mine.tfvars"
    file.write_text(text)
    assert main(["--var-file", str(file)]) == WRONG_USAGE
    assert str(file) in capsys.readouterr().err


@pytest.mark.parametrize("most", ['"2"', "0", "-1", "true"])
def test_a_fleet_that_terraform_would_refuse_or_that_is_not_read_here_is_told_by_its_name(
    most: str, tmp_path: Path
) -> None:
    file = tmp_path / "mine.tfvars"
    good, bad = (f'{{ launch = "fargate", cpu = 256, max = {each} }}' for each in ("1", most))
    file.write_text(f"fleets = {{ good = {good}, bad = {bad} }}")
    with pytest.raises(Unreadable, match=r"the fleet bad needs .* without quotes"):
        fleets_of(file)


def test_a_json_file_is_read_too(tmp_path: Path) -> None:
    file = tmp_path / "mine.tfvars.json"
    file.write_text('{"fleets": {"a": {"launch": "fargate", "cpu": 256, "max": 1}}}')
    assert list(fleets_of(file)) == ["a"]


def test_without_credentials_one_line_says_so() -> None:
    done = subprocess.run(
        [str(ROOT / "scripts" / "check-service-quotas"), "--region", REGION],
        env={**os.environ, "AWS_ENDPOINT_URL": "http://127.0.0.1:9"},
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.returncode == REFUSED
    (line,) = done.stderr.splitlines()
    assert "credentials" in line
