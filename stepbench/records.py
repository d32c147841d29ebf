"""Generated payloads: records with realistic columns, or bytes, of a stated size and a chosen compressibility.

The same arguments make the same payload on every platform and every Python: randomness comes from `random.Random(seed)`
through its method `random()` alone (the one that the documentation promises to keep) and from SHAKE-128; floats are
made by multiplication and `round`, which IEEE 754 fixes, and never by functions of the C library.

COMPRESSIBILITY is the share of what repeats. At 0 texts, ids and measurements are fresh in every record; at 1 they come
from small pools and ids count up; between, each text is repeated in that share of its letters and each number is taken
from its pool with that probability. What JSON itself repeats (the names of the columns) compresses at any setting.
"""

from __future__ import annotations

import json
from datetime import UTC, datetime, timedelta
from random import Random
from typing import Any

from stepbench.noise import Letters, blocks
from stepbench.rows import Rows

START = datetime(2024, 1, 1, tzinfo=UTC)
CATEGORIES = ("sensor", "gateway", "camera", "meter", "valve", "pump", "relay", "beacon")
CITIES = ("Zürich", "Genève", "Málaga", "Porto", "Köln", "Århus", "Oslo", "Lyon", "Gent", "Graz")
TAGS = ("indoor", "outdoor", "leased", "retired", "spare", "critical")
SENTENCES = (
    "Replaced the seal after the pressure fell below its limit twice within one shift; no leak was found afterwards. ",
    "Firmware was brought up to date during the night and the device came back by itself within a minute. ",
    "The reading drifts when the door to the yard stands open, so it was moved to the other side of the hall. ",
    "Battery at a third of its charge; the next inspection is due before the end of the month. ",
    "Nothing unusual to report since the last visit; cleaned the lens and tightened two of the screws. ",
    "Lost its connection for a short while when the switch was restarted, and sent all of its backlog later. ",
)
NOTE_LETTERS = 160
SERIAL_LETTERS = 22
POOL = 16
"""Values in each pool of numbers that repeat."""

_encode = json.JSONEncoder(ensure_ascii=False, separators=(",", ":")).encode


def generate(payload_bytes: int, seed: int, compressibility: float) -> Rows:
    """Records whose size as compact JSON is at most `payload_bytes` and less than one record short of it.

    At least one record, however small `payload_bytes` is. `compressibility` is 0 to 1. Values are of JSON's own types,
    every record has all columns, and every column is of one type beside null, so that all serializers can carry them.
    """
    records: Rows = []
    maker = _Maker(seed, compressibility)
    size = 1  # The closing bracket; the opening one and the commas are counted with the records that follow them.
    while True:
        record = maker.record(len(records))
        size += len(_encode(record).encode()) + 1
        if size > payload_bytes and records:
            return records
        records.append(record)


class _Maker:
    """Makes one record after the other. Locals and pools are bound once: 50 MB are some 100,000 records."""

    def __init__(self, seed: int, compressibility: float) -> None:
        self._random = Random(seed).random
        self._letters = Letters(seed)
        self._repeats = compressibility
        self._note_letters = round(NOTE_LETTERS * (1 - compressibility))
        self._serial_letters = round(SERIAL_LETTERS * (1 - compressibility))
        self._numbers = [self._random() for _ in range(POOL)]
        self._notes = [(sentence * 2)[: NOTE_LETTERS - self._note_letters] for sentence in SENTENCES]
        self._serial = "SN-0000-0000-0000-0000"[: SERIAL_LETTERS - self._serial_letters]

    def record(self, number: int) -> dict[str, Any]:
        random, numbers = self._random, self._numbers
        choice, chance = random(), random()

        def value() -> float:
            return numbers[int(random() * POOL)] if random() < self._repeats else random()

        fresh = random() >= self._repeats
        return {
            "id": (number << 20) + int(random() * 2**20) if fresh else number,
            "created_at": _timestamp(number * 1000 + (int(random() * 1000) if fresh else 0)),
            "serial": self._serial + self._letters.take(self._serial_letters),
            "category": CATEGORIES[int(choice * len(CATEGORIES))],
            "active": chance < 0.8,
            "count": int(value() * 1000),
            "price": round(value() * 1000, 2),
            "temperature": value() * 60 - 20,
            "humidity": value() if chance < 0.9 else None,
            "note": self._note(choice) if chance > 0.1 else None,
            "place": {"city": CITIES[int(choice * len(CITIES))], "lat": value() * 180 - 90, "lon": value() * 360 - 180},
            "tags": list(TAGS[: int(choice * 4)]),
            "readings": [int(value() * 4096), int(value() * 4096), int(value() * 4096)],
        }

    def _note(self, choice: float) -> str:
        return self._notes[int(choice * len(self._notes))] + self._letters.take(self._note_letters)


def _timestamp(milliseconds: int) -> str:
    return (START + timedelta(milliseconds=milliseconds)).isoformat(timespec="milliseconds").replace("+00:00", "Z")


def raw_bytes(size: int, seed: int, compressibility: float) -> bytes:
    """`size` bytes, the share `compressibility` of which repeats: pieces of fresh bytes with a pattern between them."""
    piece = 1024
    fresh = round(piece * (1 - compressibility))
    pattern = bytes(piece - fresh)
    payload = bytearray()
    for block in blocks(seed):
        for at in range(0, len(block) - piece + 1, piece):
            payload += block[at : at + fresh]
            payload += pattern
        if len(payload) >= size:
            del payload[size:]
            return bytes(payload)
    raise AssertionError("blocks never end")
