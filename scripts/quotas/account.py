"""What AWS says of an account: its quotas, and how many vCPUs an instance type has."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any

from scripts.quotas.catalogue import Quota


def vcpus(ec2: Any, instance_types: Iterable[str]) -> dict[str, int]:
    """vCPUs of each instance type. Raises botocore's ClientError for one that the region does not have."""
    wanted = sorted(set(instance_types))
    if not wanted:
        return {}
    answer = ec2.describe_instance_types(InstanceTypes=wanted)
    return {found["InstanceType"]: found["VCpuInfo"]["DefaultVCpus"] for found in answer["InstanceTypes"]}


def allowed(service_quotas: Any, quota: Quota) -> float:
    """What the account may have running. One that was never changed may be known as AWS's default alone."""
    names = {"ServiceCode": quota.service, "QuotaCode": quota.code}
    try:
        answer = service_quotas.get_service_quota(**names)
    except service_quotas.exceptions.NoSuchResourceException:
        answer = service_quotas.get_aws_default_service_quota(**names)
    return float(answer["Quota"]["Value"])
