"""Quotas of running vCPUs, one of each family of instances, on demand and spot, and two of Fargate; and Lambda's.

https://docs.aws.amazon.com/AWSEC2/latest/UserGuide/ec2-on-demand-instances.html#ec2-on-demand-instances-limits
https://docs.aws.amazon.com/AWSEC2/latest/UserGuide/using-spot-limits.html
https://docs.aws.amazon.com/AmazonECS/latest/developerguide/service-quotas.html
https://docs.aws.amazon.com/lambda/latest/dg/gettingstarted-limits.html
"""

from __future__ import annotations

import re
from dataclasses import dataclass

_LETTERS = re.compile(r"[a-z]+-?")


@dataclass(frozen=True, order=True)
class Quota:
    """One of AWS's quotas, by which a request names it."""

    service: str
    code: str
    name: str
    unit: str = "vCPUs"

    def link(self, region: str) -> str:
        """Where more is asked for."""
        return f"https://{region}.console.aws.amazon.com/servicequotas/home/services/{self.service}/quotas/{self.code}"


FARGATE = Quota("fargate", "L-3032A538", "Fargate On-Demand vCPU resource count")
FARGATE_SPOT = Quota("fargate", "L-36FBB829", "Fargate Spot vCPU resource count")
LAMBDA = Quota("lambda", "L-B99A9384", "Lambda concurrent executions", "at once")
LAMBDA_UNRESERVED = 100
"""Executions at once that AWS lets nobody keep for one function alone.

https://docs.aws.amazon.com/lambda/latest/dg/configuration-concurrency.html
"""


def _on_demand(code: str, families: str) -> Quota:
    return Quota("ec2", code, f"Running On-Demand {families} instances")


def _spot(code: str, families: str) -> Quota:
    return Quota("ec2", code, f"All {families} Spot Instance Requests")


_STANDARD = "Standard (A, C, D, H, I, M, R, T, Z)"
_G = _on_demand("L-DB2E81BA", "G and VT"), _spot("L-3819A6DF", "G and VT")

# By the letters that an instance type begins with; those that are longer than one letter are quotas of their own.
_OF_LETTERS: dict[str, tuple[Quota, Quota | None]] = {
    "dl": (_on_demand("L-6E869C2A", "DL"), _spot("L-85EED4F7", "DL")),
    "f": (_on_demand("L-74FC7D96", "F"), _spot("L-88CF9481", "F")),
    "g": _G,
    "gr": _G,
    "hpc": (_on_demand("L-F7808C92", "HPC"), None),
    "inf": (_on_demand("L-1945791B", "Inf"), _spot("L-B5D1601B", "Inf")),
    "p": (_on_demand("L-417A185B", "P"), _spot("L-7212CCBC", "P")),
    "trn": (_on_demand("L-2C3B7624", "Trn"), _spot("L-6B0D517C", "Trn")),
    "u-": (_on_demand("L-43DA4232", "High Memory"), None),
    "vt": _G,
    "x": (_on_demand("L-7295265B", "X"), _spot("L-E3A00192", "X")),
}
_STANDARD_LETTERS = {*"acdhimrtz", "im", "is"}


def of_instance_type(instance_type: str, *, spot: bool) -> Quota | None:
    """The quota that an instance such as `c7g.4xlarge` counts against; null for a family that is not known here."""
    match = _LETTERS.match(instance_type)
    letters = match[0] if match else ""
    if letters in _STANDARD_LETTERS:
        return _spot("L-34B43A08", _STANDARD) if spot else _on_demand("L-1216C47A", _STANDARD)
    return _OF_LETTERS.get(letters, (None, None))[spot]
