from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import pytest

from orchestrator.local.environment import CREDENTIALS
from orchestrator.local.stack import REGION
from stepbench import payload, registry, s3_clients
from stepbench.aws import AwsConfig
from stepbench.errors import ChecksumMismatch
from stepbench.failures import is_retryable
from stepbench.s3_clients import TransferOptions
from stepbench.timing import PhaseTimer
from tests.embedded import clients_at, emulated
from tests.factories import BUCKET, make_message, make_output_spec, make_ref
from tests.interference import Interference, interfering
from worker import steps
from worker.steps import Outcome, Tools

PART_BYTES = 5 * 1024 * 1024
SIZES = [1_000, PART_BYTES + 100]
INPUT_KEY = "orchestration-bench/runs/r1/payloads/first.bin"


@pytest.fixture(scope="module")
def way() -> Iterator[Interference]:
    with emulated("s3") as endpoint, interfering(endpoint) as interference, pytest.MonkeyPatch.context() as patch:
        for name, value in CREDENTIALS.items():
            patch.setenv(name, value)
        clients_at(endpoint).s3.create_bucket(Bucket=BUCKET)
        yield interference


def step_over(way: Interference, client: str, data: bytes, *faults: Any) -> Outcome:
    """A step of raw bytes whose download meets `faults`."""
    clients_at(way.endpoint).s3.put_object(Bucket=BUCKET, Key=INPUT_KEY, Body=data)
    config = AwsConfig(region=REGION, endpoint_url=way.endpoint, max_attempts=3)
    made = s3_clients.make(client, config, TransferOptions(part_bytes=PART_BYTES, part_concurrency=2))
    source = make_ref(
        uri=f"s3://{BUCKET}/{INPUT_KEY}",
        object_bytes=len(data),
        serialized_bytes=len(data),
        checksum=payload.checksum(data),
        serializer="raw",
    )
    message = make_message(input=source, output=make_output_spec(serializer="raw"), transform="noop")
    kind: Any = steps.load("payload")
    prepared = kind.prepare(message, Tools(s3_client=lambda _: made, new_key=lambda prefix, suffix: f"{prefix}x"))
    way.forget()
    way.faults.extend(faults)
    outcome: Outcome = kind.run(prepared, PhaseTimer())
    return outcome


def outcome_of(way: Interference, client: str, data: bytes, *faults: Any) -> Any:
    try:
        return step_over(way, client, data, *faults).output.checksum
    except Exception as error:  # noqa: BLE001 # which one is the library's affair
        return error


@pytest.mark.parametrize("size_bytes", SIZES)
@pytest.mark.parametrize("fault", ["flip", "break off"])
@pytest.mark.parametrize("client", registry.choices("stepbench.s3_clients"))
def test_damage_on_the_way_is_got_over_or_worth_another_try_and_never_handed_on(
    way: Interference, client: str, fault: str, size_bytes: int
) -> None:
    data = bytes(size_bytes)
    outcome = outcome_of(way, client, data, fault)
    assert outcome == payload.checksum(data) or is_retryable(outcome), repr(outcome)
    assert not way.faults


@pytest.mark.parametrize("client", registry.choices("stepbench.s3_clients"))
def test_damage_that_does_not_go_away_is_no_sample(way: Interference, client: str) -> None:
    outcome = outcome_of(way, client, bytes(1_000), *["flip"] * 10)
    assert isinstance(outcome, ChecksumMismatch) or is_retryable(outcome), repr(outcome)
