from __future__ import annotations

import hashlib
import json

import pytest

from stepbench.compression import Compression
from stepbench.noise import BLOCK_BYTES, Letters
from stepbench.records import generate, raw_bytes
from stepbench.rows import Rows

SETTINGS = (0.0, 0.25, 0.5, 0.75, 1.0)
ZSTD = Compression("zstd")


def as_json(records: Rows) -> bytes:
    return json.dumps(records, ensure_ascii=False, separators=(",", ":")).encode()


@pytest.mark.parametrize("payload_bytes", [1_000, 10_000, 100_003, 2_000_000])
@pytest.mark.parametrize("compressibility", [0.0, 0.5, 1.0])
def test_the_size_as_json_is_the_stated_one_within_one_record(payload_bytes: int, compressibility: float) -> None:
    records = generate(payload_bytes, 1, compressibility)
    size, record = len(as_json(records)), max(len(as_json([one])) for one in records)
    assert payload_bytes - 1.5 * record < size <= payload_bytes


@pytest.mark.parametrize("payload_bytes", [1, 10, 200])
def test_a_tiny_payload_has_one_record(payload_bytes: int) -> None:
    assert len(generate(payload_bytes, 1, 0.5)) == 1


def test_the_same_seed_makes_the_same_records_everywhere() -> None:
    """The sums were made once: another platform or Python that gives others has broken the promise."""
    sums = {seed: hashlib.sha256(as_json(generate(100_000, seed, 0.5))).hexdigest()[:16] for seed in (0, 1, 2**63 - 1)}
    assert sums == {0: "82560df675c7682d", 1: "7e0144b0a71d1d68", 2**63 - 1: "0dd72c98a832a1f2"}
    assert hashlib.sha256(raw_bytes(500_000, 1, 0.5)).hexdigest()[:16] == "f4fbdfec19669ec1"


def test_another_seed_makes_other_records() -> None:
    assert generate(5_000, 1, 0.5) != generate(5_000, 2, 0.5)
    assert raw_bytes(5_000, 1, 0.5) != raw_bytes(5_000, 2, 0.5)


def test_a_longer_payload_begins_as_the_shorter_one_does() -> None:
    short, long = generate(5_000, 1, 0.5), generate(50_000, 1, 0.5)
    assert long[: len(short)] == short


def test_columns_are_of_one_type_each_with_nulls_nesting_and_text_beyond_ascii() -> None:
    records = generate(300_000, 1, 0.5)
    kinds = {name: {type(record[name]) for record in records} for name in records[0]}
    none = type(None)
    assert kinds.pop("note") == {str, none}
    assert kinds.pop("humidity") == {float, none}
    assert {name: next(iter(kind)) for name, kind in kinds.items()} == {
        "id": int,
        "created_at": str,
        "serial": str,
        "category": str,
        "active": bool,
        "count": int,
        "price": float,
        "temperature": float,
        "place": dict,
        "tags": list,
        "readings": list,
    }
    assert all(len(kind) == 1 for kind in kinds.values())
    assert not as_json(records).isascii()


def test_ids_are_unique_and_exact_in_a_double() -> None:
    ids = [record["id"] for record in generate(300_000, 1, 0.0)]
    assert len(set(ids)) == len(ids)
    assert all(int(float(one)) == one for one in ids)


def test_compressibility_raises_the_ratio_of_records_steadily() -> None:
    sizes = [len(ZSTD.compress(as_json(generate(1_000_000, 1, setting)))) for setting in SETTINGS]
    assert sizes == sorted(sizes, reverse=True)
    assert sizes[0] > 400_000
    assert sizes[-1] < 100_000


def test_compressibility_is_the_share_of_raw_bytes_that_repeats() -> None:
    for setting in SETTINGS:
        size = len(ZSTD.compress(raw_bytes(1_000_000, 1, setting)))
        assert size == pytest.approx(1_000_000 * (1 - setting), abs=5_000)


@pytest.mark.parametrize("size", [0, 1, 1023, 1024, BLOCK_BYTES, BLOCK_BYTES + 1, 1_000_000])
def test_raw_bytes_are_as_many_as_asked_for(size: int) -> None:
    assert len(raw_bytes(size, 1, 0.3)) == size


def test_letters_join_without_gaps_or_repeats_across_blocks() -> None:
    letters, whole = Letters(1), Letters(1)
    pieces = "".join(letters.take(count) for count in [7, 0, 200_000, 100_000, 3])
    assert pieces == whole.take(150_000) + whole.take(150_010)
