"""`python -m scripts.quotas`, called by scripts/check-service-quotas: is there room for what a stack may start?"""

from __future__ import annotations

import argparse
import os
import sys
from collections import defaultdict
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from scripts.quotas import account
from scripts.quotas.catalogue import FARGATE, FARGATE_SPOT, LAMBDA, LAMBDA_UNRESERVED, Quota, of_instance_type
from scripts.quotas.fleets import Fleet, Unreadable, fleets_of, function_max_of

ROOMY, TOO_LOW, WRONG_USAGE, REFUSED = 0, 1, 2, 3
ORCHESTRATOR = "the orchestrator's task"

Needs = dict[Quota, dict[str, float]]
"""What is wanted at most, by quota and by whom."""


def needs_of(fleets: Mapping[str, Fleet], vcpus: Mapping[str, int], function_max: int) -> tuple[Needs, list[str]]:
    """What all could have running at once, and the instance types whose quota is not known here."""
    needs: Needs = defaultdict(dict)
    # `scripts/run-on-aws` starts it beside the workers, with one vCPU.
    needs[FARGATE][ORCHESTRATOR] = 1
    if function_max:
        needs[LAMBDA] = {"the function": function_max, "what AWS keeps for others": LAMBDA_UNRESERVED}
    unknown = []
    for name, fleet in fleets.items():
        spot = bool(fleet.get("spot"))
        if fleet["launch"] == "fargate":
            needs[FARGATE_SPOT if spot else FARGATE][name] = fleet["max"] * fleet["cpu"] / 1024
        elif (quota := of_instance_type(fleet["instance_type"], spot=spot)) is None:
            unknown.append(fleet["instance_type"])
        else:
            needs[quota][name] = float(fleet["max"] * vcpus[fleet["instance_type"]])
    return needs, unknown


def report(needs: Needs, may_run: Mapping[Quota, float], region: str) -> list[str]:
    """A line for each quota, and where it is too low a second one with the link to ask for more."""
    lines = []
    for quota, by_whom in sorted(needs.items()):
        wanted = sum(by_whom.values())
        enough = wanted <= may_run[quota]
        allowed = f"{may_run[quota]:g} {quota.unit}, up to {wanted:g} wanted"
        said = f"{quota.code} {quota.name}: {allowed} ({', '.join(by_whom)})"
        lines.append(f"{'ok     ' if enough else 'TOO LOW'} {said}")
        if not enough:
            lines.append(f"        ask for more: {quota.link(region)}")
    return lines


def main(arguments: list[str]) -> int:
    """0 where there is room for all, 1 where a quota is too low, 2 wrong usage, 3 where AWS cannot be asked."""
    parser = _parser()
    asked = parser.parse_args(arguments)
    try:
        fleets, function_max = fleets_of(asked.var_file), function_max_of(asked.var_file)
    except Unreadable as error:
        return _say(str(error), WRONG_USAGE)
    try:
        import boto3
        from botocore.exceptions import BotoCoreError, ClientError
    except ModuleNotFoundError:
        return _say("the package boto3 is not installed: make run sets up .venv with it", REFUSED)
    try:
        session: Any = boto3.Session(region_name=asked.region or os.environ.get("AWS_REGION"))
        return check(fleets, session, function_max)
    except (BotoCoreError, ClientError) as error:
        reason = str(error).removesuffix(".")
        return _say(f"AWS cannot be asked: {reason}; see AWS_PROFILE or the credentials, and --region", REFUSED)


def check(fleets: Mapping[str, Fleet], session: Any, function_max: int = 0) -> int:
    """Asks AWS through `session` and prints what it says; exit code as of `main`."""
    types = [fleet["instance_type"] for fleet in fleets.values() if fleet["launch"] == "ec2"]
    vcpus = account.vcpus(session.client("ec2"), types) if types else {}
    needs, unknown = needs_of(fleets, vcpus, function_max)
    service_quotas = session.client("service-quotas")
    may_run = {quota: account.allowed(service_quotas, quota) for quota in needs}
    print("\n".join(report(needs, may_run, session.region_name)))
    for instance_type in unknown:
        print(f"?       the quota of {instance_type} is not known here: look for it under Service Quotas, Amazon EC2")
    print("What else runs in this account and region counts too.")
    too_low = any(sum(by_whom.values()) > may_run[quota] for quota, by_whom in needs.items())
    return TOO_LOW if too_low else ROOMY


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(
        prog="scripts/check-service-quotas",
        description="Compares AWS's quotas of running vCPUs, and of Lambda's executions, with what the fleets and the "
        "function could have running at once. "
        "Exit codes: 0 there is room for all, 1 a quota is too low, 2 wrong usage, 3 AWS cannot be asked. Wants "
        "servicequotas:GetServiceQuota, servicequotas:GetAWSDefaultServiceQuota and ec2:DescribeInstanceTypes.",
    )
    parser.add_argument(
        "--var-file",
        type=Path,
        help="terraform's values, such as infra/examples/several-fleets/terraform.tfvars; where not given "
        "infra/terraform.tfvars, or the defaults of infra/variables.tf",
    )
    parser.add_argument("--region", help="where not given, what the SDK is configured for (AWS_REGION)")
    return parser


def _say(sentence: str, code: int) -> int:
    print(f"check-service-quotas: {sentence}", file=sys.stderr)
    return code


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
