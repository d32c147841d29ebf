"""The price file: strictly what `prices.toml` shows, so that a slip of a key or a digit is no cheaper bill."""

from __future__ import annotations

import datetime as dt
import tomllib
from decimal import Decimal
from functools import cached_property
from pathlib import Path
from typing import Annotated, Any, Literal

from pydantic import BaseModel, BeforeValidator, ConfigDict, Field, ValidationError, model_validator

from stepbench.errors import UsageError
from stepbench.names import shown

SHIPPED = Path(__file__).with_name("prices.toml")

Processor = Literal["x86_64", "arm64"]


def _exact(value: Any) -> Any:
    if isinstance(value, bool) or not isinstance(value, int | Decimal):
        raise ValueError("a price is a number")  # noqa: TRY004 # pydantic words this one
    return Decimal(value)


Usd = Annotated[Decimal, BeforeValidator(_exact), Field(ge=0, le=1_000_000, allow_inf_nan=False)]
Positive = Annotated[Decimal, BeforeValidator(_exact), Field(gt=0, le=1_000_000, allow_inf_nan=False)]
Section = Literal["s3", "sqs", "transfer", "fargate", "lambda", "ec2"]


class Strict(BaseModel):
    model_config = ConfigDict(frozen=True, extra="forbid")


class S3(Strict):
    put_copy_post_list_per_1000: Usd
    get_and_others_per_1000: Usd
    storage_gb_month: Usd


class Tier(Strict):
    up_to: Annotated[int, Field(gt=0, strict=True)] | None = None
    """Of the requests of a month; null: all that are left."""
    usd: Usd


class Sqs(Strict):
    per_million: Annotated[tuple[Tier, ...], Field(min_length=1)]

    @model_validator(mode="after")
    def _tiers_go_on(self) -> Sqs:
        ends = [tier.up_to for tier in self.per_million]
        known = [end for end in ends if end is not None]
        if ends != [*known, None] or known != sorted(set(known)):
            raise ValueError("the tiers must rise, and only the last has no `up_to`")
        return self


class Transfer(Strict):
    s3_in_region_gb: Usd
    internet_out_gb: Usd
    nat_gateway_hour: Usd
    nat_gateway_gb: Usd
    interface_endpoint_hour: Usd
    interface_endpoint_gb: Usd


class FargateRates(Strict):
    vcpu_hour: Usd
    gb_hour: Usd


class Fargate(Strict):
    x86_64: FargateRates
    arm64: FargateRates


class Lambda(Strict):
    x86_64_gb_second: Usd
    arm64_gb_second: Usd
    requests_per_million: Usd


class Region(Strict):
    checked: tuple[Section, ...]
    s3: S3
    sqs: Sqs
    transfer: Transfer
    fargate: Fargate
    lambda_: Annotated[Lambda, Field(alias="lambda")]
    ec2: dict[str, Usd]
    """An hour of a family's `large`, or of a single type."""


class Family(Strict):
    gib_per_vcpu: Positive
    processor: Processor


class Ec2Type(Strict):
    vcpus: Annotated[int, Field(gt=0, strict=True)]
    gib: Positive
    processor: Processor


class Prices(Strict):
    version: Literal[1]
    as_of: dt.date
    sources: dict[str, str]
    ec2_families: dict[str, Family]
    ec2_sizes: dict[str, Annotated[int, Field(gt=0, strict=True)]]
    ec2_types: dict[str, Ec2Type]
    regions: Annotated[dict[str, Region], Field(min_length=1)]

    @model_validator(mode="after")
    def _machines_are_known(self) -> Prices:
        known = {*self.ec2_families, *self.ec2_types}
        for name, region in self.regions.items():
            if unknown := sorted(set(region.ec2) - known):
                raise ValueError(f"{name} has a price for {unknown[0]}, which is in neither ec2_families nor ec2_types")
        return self

    @cached_property
    def first_region(self) -> str:
        return next(iter(self.regions))


def read(path: Path = SHIPPED) -> Prices:
    """The prices of a file. Raises UsageError, with the place in the file that is wrong."""
    try:
        return Prices.model_validate(tomllib.loads(path.read_text(encoding="utf-8"), parse_float=Decimal))
    except OSError as error:
        raise UsageError(f"--prices: cannot read {shown(path)}: {error.strerror}") from error
    except ValidationError as error:
        raise UsageError([f"--prices: {shown(path)}: {_worded(problem)}" for problem in error.errors()]) from error
    except (tomllib.TOMLDecodeError, UnicodeDecodeError) as error:
        raise UsageError(f"--prices: {shown(path)} is no TOML: {error}") from error


def _worded(problem: Any) -> str:
    where = ".".join(str(part) for part in problem["loc"])
    return f"{where}: {problem['msg']}" if where else str(problem["msg"])
