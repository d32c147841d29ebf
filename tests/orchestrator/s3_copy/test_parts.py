from __future__ import annotations

import io
from dataclasses import dataclass

import pytest
from hypothesis import given
from hypothesis import strategies as st

from orchestrator.s3_copy.parts import CopyDamaged, Names, Part, copied_bytes, lay, lineage

NAMES = Names("runs/2031-02-03/r1/", "r1")


Bucket = dict[Part, bytes]


def composed(bucket: Bucket, whole: bytes = b"", whole_epoch: int = 0) -> bytes:
    file = io.BytesIO(whole)
    for part in lineage(bucket, whole_epoch):
        lay(file, part.offset, bucket[part])
    return file.getvalue()


@dataclass
class Incarnation:
    """An orchestrator with a file of its own, which puts what it has not put yet."""

    epoch: int
    parent: int = 0
    file: bytes = b""
    put_bytes: int = 0

    @classmethod
    def taking_over(cls, epoch: int, bucket: Bucket) -> Incarnation:
        parts = lineage(bucket)
        length = copied_bytes(parts, None)
        assert length is not None
        return cls(epoch, parts[-1].epoch if parts else 0, composed(bucket), length)

    def write(self, lines: int) -> None:
        for _ in range(lines):
            self.file += f"epoch {self.epoch} line {len(self.file)}\n".encode()

    def put(self, bucket: Bucket) -> None:
        data = self.file[self.put_bytes :]
        if data:
            bucket[Part(self.epoch, self.put_bytes, len(data), self.parent)] = data
            self.put_bytes = len(self.file)


def live(data: st.DataObject, newest: Incarnation, bucket: Bucket) -> None:
    for _ in range(data.draw(st.integers(0, 3))):
        newest.write(data.draw(st.integers(0, 3)))
        newest.put(bucket)


@given(data=st.data())
def test_the_newest_orchestrator_wins_whenever_parts_of_older_ones_come_in(data: st.DataObject) -> None:
    bucket: Bucket = {}
    older: list[Incarnation] = []
    newest = Incarnation(1)
    newest.write(1)
    for epoch in range(2, data.draw(st.integers(2, 6))):
        live(data, newest, bucket)
        for late in older:  # they were thought to be dead
            live(data, late, bucket)
        older.append(newest)
        newest = Incarnation.taking_over(epoch, bucket)
        newest.write(1)
    newest.put(bucket)
    for late in older:
        live(data, late, bucket)

    assert composed(bucket) == newest.file
    assert copied_bytes(lineage(bucket), None) == len(newest.file)
    assert composed(bucket, newest.file, newest.epoch) == newest.file


def test_a_part_that_is_missing_is_told() -> None:
    bucket = {Part(1, 0, 4, 0): b"one\n", Part(1, 8, 6, 0): b"three\n"}
    with pytest.raises(CopyDamaged, match="bytes 4 to 8 are missing"):
        composed(bucket)
    assert copied_bytes(lineage(bucket), None) is None


def test_what_says_something_new_is_told_by_where_it_begins() -> None:
    file = io.BytesIO(b"one\ntwo\n")
    assert lay(file, 0, b"one\ntwo\n") == 8
    assert lay(file, 4, b"two\nthree\n") == 8
    assert lay(file, 4, b"other\n") == 4
    assert file.getvalue() == b"one\nother\n"


def test_names_list_in_the_order_in_which_parts_are_laid() -> None:
    parts = [Part(1, 0, 7, 0), Part(1, 900, 7, 0), Part(1, 1_000, 7, 0), Part(2, 5, 7, 1), Part(1_800_000_000, 0, 7, 2)]
    keys = [NAMES.part(part.epoch, part.parent, part.offset) for part in parts]
    assert keys == sorted(keys)
    assert [NAMES.part_at(key, 7) for key in keys] == parts == sorted(parts)


@pytest.mark.parametrize("key", [NAMES.whole, NAMES.lease, NAMES.parts, NAMES.parts + "1-2.jsonl", "elsewhere/1-2"])
def test_other_keys_are_no_parts(key: str) -> None:
    assert NAMES.part_at(key, 7) is None
