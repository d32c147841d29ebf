from __future__ import annotations

import os
from pathlib import Path

import pytest

from stepbench import machine


@pytest.fixture
def eight_cores(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(os, "sched_getaffinity", lambda _: set(range(8)), raising=False)


def files(folder: Path, **texts: str) -> Path:
    """A cgroup: `cpu__max` is the file cpu.max, `cpu___cpu__cfs_quota_us` is cpu/cpu.cfs_quota_us."""
    for name, text in texts.items():
        path = folder / name.replace("___", "/").replace("__", ".")
        path.parent.mkdir(exist_ok=True)
        path.write_text(text + "\n")
    return folder


@pytest.mark.parametrize(
    ("cpu_max", "cores"),
    [
        ("max 100000", 8),
        ("100000 100000", 1),
        ("150000 100000", 2),
        ("400000 100000", 4),
        ("10000 100000", 1),
        ("9900000 100000", 8),
        ("", 8),
        ("nonsense", 8),
    ],
)
def test_cores_are_those_of_a_quota_of_cgroup_v2_rounded_up(
    cpu_max: str, cores: int, eight_cores: None, tmp_path: Path
) -> None:
    assert machine.cores(files(tmp_path, cpu__max=cpu_max)) == cores


@pytest.mark.parametrize(("quota", "cores"), [("-1", 8), ("0", 8), ("100000", 1), ("250000", 3), ("x", 8)])
def test_cores_are_those_of_a_quota_of_cgroup_v1_rounded_up(
    quota: str, cores: int, eight_cores: None, tmp_path: Path
) -> None:
    cgroup = files(tmp_path, cpu___cpu__cfs_quota_us=quota, cpu___cpu__cfs_period_us="100000")
    assert machine.cores(cgroup) == cores


def test_without_a_cgroup_the_schedulers_affinity_counts(eight_cores: None, tmp_path: Path) -> None:
    assert machine.cores(tmp_path) == 8


def test_where_there_is_no_affinity_all_cores_count(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.delattr(os, "sched_getaffinity", raising=False)
    monkeypatch.setattr(os, "cpu_count", lambda: 6)
    assert machine.cores(tmp_path) == 6
    monkeypatch.setattr(os, "cpu_count", lambda: None)
    assert machine.cores(tmp_path) == 1


@pytest.mark.parametrize("name", ["memory__max", "memory___memory__limit_in_bytes"])
def test_a_limit_of_memory_counts_where_it_is_below_the_machines(name: str, tmp_path: Path) -> None:
    assert machine.memory_limit_bytes(files(tmp_path, **{name: "1000000"})) == 1_000_000


@pytest.mark.parametrize(
    "texts",
    [{}, {"memory__max": "max"}, {"memory___memory__limit_in_bytes": str(2**63 - 4096)}, {"memory__max": "nonsense"}],
)
def test_without_a_limit_the_machines_memory_counts(texts: dict[str, str], tmp_path: Path) -> None:
    physical = os.sysconf("SC_PAGE_SIZE") * os.sysconf("SC_PHYS_PAGES")
    assert machine.memory_limit_bytes(files(tmp_path, **texts)) == physical


def test_the_facts_name_the_machine() -> None:
    facts = machine.facts()
    assert set(facts) == {"host", "platform", "processor", "cores", "memory_bytes"}
    assert all(facts.values())


def test_the_versions_are_those_of_what_is_installed(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(machine, "REPORTED_PACKAGES", ("boto3", "no-such-package"))
    assert set(machine.versions()) == {"python", "boto3"}
