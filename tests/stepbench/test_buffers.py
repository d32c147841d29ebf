from __future__ import annotations

import io
import tracemalloc
from array import array
from collections.abc import Callable
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from stepbench.buffers import BufferFile

DATA = bytes(range(256)) * 4

SIZES = st.none() | st.integers(-2, 1500)
PLACES = st.integers(-1500, 1500)
CALLS = st.lists(
    st.tuples(st.just("read"), SIZES)
    | st.tuples(st.just("seek"), PLACES, st.sampled_from([io.SEEK_SET, io.SEEK_CUR, io.SEEK_END]))
    | st.tuples(st.just("tell"))
)


@given(data=st.binary(max_size=1100), calls=CALLS)
def test_it_reads_and_seeks_as_a_file_of_bytes_does(data: bytes, calls: list[tuple[Any, ...]]) -> None:
    file, model = BufferFile(bytearray(data)), io.BytesIO(data)
    for name, *arguments in calls:
        # What io.BytesIO makes of a place before the start depends on where it is counted from: it is left out.
        if name == "seek" and arguments[0] + {0: 0, 1: model.tell(), 2: len(data)}[arguments[1]] < 0:
            with pytest.raises(ValueError, match="no byte"):
                file.seek(*arguments)
            continue
        assert getattr(file, name)(*arguments) == getattr(model, name)(*arguments)


def test_it_is_a_seekable_file_to_read_from() -> None:
    file = BufferFile(b"data")
    assert (file.readable(), file.seekable(), file.writable()) == (True, True, False)
    assert b"".join(io.BufferedReader(BufferFile(DATA), 100)) == DATA


@pytest.mark.parametrize("form", [bytes, bytearray, memoryview, lambda data: memoryview(array("Q", data))])
def test_any_buffer_is_read_by_its_bytes(form: Callable[[bytes], Any]) -> None:
    file = BufferFile(form(DATA))
    assert file.readall() == DATA
    assert file.read() == b""
    file.seek(0)
    room = bytearray(len(DATA) + 1)
    assert file.readinto(room) == len(DATA)
    assert room[:-1] == DATA


def test_reading_takes_the_part_that_is_read_and_no_more() -> None:
    size, part = 20_000_000, 1_000_000
    data = bytearray(size)
    tracemalloc.start()
    try:
        file = BufferFile(data)
        read = sum(len(chunk) for chunk in iter(lambda: file.read(part), b""))
        _, peak_bytes = tracemalloc.get_traced_memory()
    finally:
        tracemalloc.stop()
    assert read == size
    assert peak_bytes < 2.5 * part
