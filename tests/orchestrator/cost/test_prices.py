from __future__ import annotations

import datetime as dt
from decimal import Decimal
from pathlib import Path

import pytest

from orchestrator.cost import prices
from orchestrator.cost.machines import machine
from stepbench.errors import UsageError

SHIPPED = prices.SHIPPED.read_text()


def changed(folder: Path, old: str, new: str) -> Path:
    assert old in SHIPPED
    path = folder / "mine.toml"
    path.write_text(SHIPPED.replace(old, new, 1))
    return path


def test_the_shipped_file_has_a_date_sources_and_the_regions_that_are_asked_for() -> None:
    found = prices.read()
    assert found.as_of > dt.date(2025, 1, 1)
    assert {"us-east-1", "us-west-2", "eu-west-1", "eu-central-1"} <= set(found.regions)
    assert all(page.startswith("https://aws.amazon.com/") for page in found.sources.values())
    for region in found.regions.values():
        assert set(region.ec2) == set(found.ec2_families) | set(found.ec2_types)


def test_a_price_is_the_decimal_that_is_written() -> None:
    assert prices.read().regions["us-east-1"].s3.get_and_others_per_1000 == Decimal("0.0004")


@pytest.mark.parametrize(
    ("old", "new", "told"),
    [
        ("storage_gb_month = 0.023", "storage_gb_month = -0.023", "storage_gb_month"),
        ("storage_gb_month = 0.023", 'storage_gb_month = "0.023"', "a price is a number"),
        ("storage_gb_month = 0.023", "storage_gb_month = nan", "storage_gb_month"),
        ("storage_gb_month = 0.023", "storage_gb_month = true", "a price is a number"),
        ("storage_gb_month = 0.023", "storage_gb_moth = 0.023", "storage_gb_moth"),
        ("version = 1", "version = 2", "version"),
        ("as_of = 2026-07-20", 'as_of = "soon"', "as_of"),
        ("c7g = 0.0725", "c9z = 0.0725", "c9z"),
        ("{ up_to = 200_000_000_000, usd = 0.30 }", "{ up_to = 2, usd = 0.30 }", "tiers must rise"),
        ("    { usd = 0.24 },\n", "", "tiers must rise"),
        ("version = 1", "version == 1", "is no TOML"),
    ],
)
def test_a_slip_in_a_price_file_is_told_with_its_place(old: str, new: str, told: str, tmp_path: Path) -> None:
    path = changed(tmp_path, old, new)
    with pytest.raises(UsageError, match=told) as refused:
        prices.read(path)
    assert all(problem.startswith(f"--prices: {path}") for problem in refused.value.problems)


def test_a_price_file_that_is_not_there_is_a_sentence(tmp_path: Path) -> None:
    with pytest.raises(UsageError, match="--prices: cannot read"):
        prices.read(tmp_path / "none.toml")


@pytest.mark.parametrize(
    ("text", "hour_usd", "executors"),
    [
        ("c7g.large", "0.0725", 2),
        ("c7g.4xlarge", "0.58", 16),
        ("t4g.micro", "0.0084", 2),
        ("fargate:1:2", "0.04937", 1),  # 0.04048 + 2 x 0.004445
        ("fargate:4:8:arm64", "0.158", 4),  # 4 x 0.03238 + 8 x 0.00356
        ("lambda:2048:arm64", "0.09600048", 1),  # 2 x 0.0000133334 x 3600
    ],
)
def test_an_hour_of_a_machine(text: str, hour_usd: str, executors: int) -> None:
    found = machine(text, prices.read(), "us-east-1")
    assert (found.hour_usd, found.executors) == (Decimal(hour_usd), executors)


@pytest.mark.parametrize(
    ("text", "told"),
    [
        ("c7g.lrge", "did you mean c7g.large"),
        ("zzz", "it is a type of EC2 such as c7g.large"),
        ("fargate:0:2", "no vCPU"),
        ("fargate:1", "is not a type of EC2"),
        ("lambda:2048:risc", "neither x86_64 nor arm64"),
    ],
)
def test_what_is_no_machine_is_told_with_what_is(text: str, told: str) -> None:
    with pytest.raises(UsageError, match=told):
        machine(text, prices.read(), "us-east-1")
