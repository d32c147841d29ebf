from __future__ import annotations

import functools
from collections.abc import Callable
from pathlib import Path

import pytest

from stepbench import payload_file, records, registry, s3_clients
from stepbench.compression import LEVELS, Compression
from stepbench.payload import PayloadFormat
from stepbench.rows import Rows
from stepbench.s3_uris import bucket_and_key
from tests.runs.fleet import SMALL_PAYLOAD_MB, Fleet
from tests.runs.programs import Outcome
from tests.runs.sums import check_sums

SERIALIZERS = registry.choices("stepbench.serializers")
GENERATED_BYTES = int(float(SMALL_PAYLOAD_MB) * 1e6)


def pairs() -> list[tuple[str, str]]:
    """Every serializer plain and with a compression, each compression with one; all with all take no runs."""
    plain, *others = sorted(LEVELS, key=lambda name: name != "none")
    return [
        (serializer, compression)
        for place, serializer in enumerate(SERIALIZERS)
        for compression in (plain, others[place % len(others)])
    ]


@pytest.mark.parametrize(("serializer", "compression"), pairs())
def test_a_chain_runs_to_its_end_and_hands_the_same_records_on(
    serializer: str, compression: str, shared_fleet: Fleet
) -> None:
    outcome = shared_fleet.run("--steps=2", f"--serializer={serializer}", f"--compression={compression}")

    assert outcome.exit_code == 0, outcome.stderr
    assert [sample["step"] for sample in outcome.samples] == [1, 2]
    assert {(sample["serializer"], sample["compression"]) for sample in outcome.samples} == {
        (serializer, str(Compression.parse(compression)))
    }
    check_sums(outcome.lines)
    assert_handed_on(shared_fleet, outcome, generated(serializer))


@pytest.mark.parametrize("client", registry.choices("stepbench.s3_clients"))
def test_a_chain_runs_to_its_end_with_every_s3_client(client: str, shared_fleet: Fleet) -> None:
    able = s3_clients.abilities(client)
    tagged = str(able.tags).lower()

    outcome = shared_fleet.run("--steps=2", f"--s3-client={client}", f"--payload-tag={tagged}", "--payload-mb=6")

    assert outcome.exit_code == 0, outcome.stderr
    assert [sample["step"] for sample in outcome.samples] == [1, 2]
    assert {sample["s3_client"] for sample in outcome.samples} == {client}
    # boto3 is what executors are ready with, and what other runs of this fleet have used.
    assert outcome.samples[0]["cold"] or client == "boto3"
    check_sums(outcome.lines)


@pytest.mark.parametrize(
    ("serializer", "file"), [*((each, "weather.csv") for each in SERIALIZERS), ("arrow", "cars.json")]
)
def test_real_data_runs_through_a_chain_with_every_serializer(
    serializer: str,
    file: str,
    shared_fleet: Fleet,
    real_path: Callable[[str], Path],
    content: Callable[[Path, str], Rows | bytes],
) -> None:
    path = real_path(file)

    outcome = shared_fleet.run(f"--payload-file={path}", "--steps=1", f"--serializer={serializer}")

    assert outcome.exit_code == 0, outcome.stderr
    assert len(outcome.samples) == 1
    assert_handed_on(shared_fleet, outcome, content(path, serializer))


def test_a_third_of_a_million_flights_run_through_a_chain(
    shared_fleet: Fleet, real_path: Callable[[str], Path]
) -> None:
    path = real_path("flights.csv")

    outcome = shared_fleet.run(f"--payload-file={path}", "--steps=1", "--serializer=msgpack")

    assert outcome.exit_code == 0, outcome.stderr
    assert [sample["records"] for sample in outcome.samples] == [336_776]
    sample = outcome.samples[0]
    # The checksum is of the bytes: what came out is what the first payload was, and that is what the file holds.
    assert sample["checksum_out"] == sample["checksum_in"]


def generated(serializer: str) -> Rows | bytes:
    if serializer == "raw":
        return bytes(records.raw_bytes(GENERATED_BYTES, 1, 0.5))
    return records.generate(GENERATED_BYTES, 1, 0.5)


def assert_handed_on(fleet: Fleet, outcome: Outcome, sent: Rows | bytes) -> None:
    """What the last step wrote decodes to what was sent; with csv, which loses types, to what the first one read."""
    last, first = outcome.samples[-1], outcome.samples[0]
    read = decoded(fleet, first, first["input_uri"], first["serialized_bytes_in"])
    back = decoded(fleet, last, last["output_uri"], last["serialized_bytes_out"])
    assert back == read
    assert len(back) == len(sent)
    if last["serializer"] != "csv":
        assert back == sent


def decoded(fleet: Fleet, sample: dict[str, object], uri: object, serialized_bytes: object) -> Rows | bytes:
    form = PayloadFormat(str(sample["serializer"]), Compression.parse(str(sample["compression"])), "rows")
    bucket, key = bucket_and_key(str(uri))
    data = fleet.clients.s3.get_object(Bucket=bucket, Key=key)["Body"].read()
    assert isinstance(serialized_bytes, int)
    value: Rows | bytes = form.deserialize(form.decompress(data, serialized_bytes))
    return value


@pytest.fixture(scope="session")
def content() -> Callable[[Path, str], Rows | bytes]:
    """A file's bytes for raw, its records for all others, read once."""
    read = functools.cache(payload_file.load)
    return lambda path, serializer: read(path, "raw" if serializer == "raw" else "json")


@pytest.fixture(scope="session")
def real_path(real_file: Callable[[str], Path]) -> Callable[[str], Path]:
    """airports.csv is the one of vega_datasets, where cars.json is."""
    return lambda name: real_file("cars.json").with_name(name) if name == "airports.csv" else real_file(name)
