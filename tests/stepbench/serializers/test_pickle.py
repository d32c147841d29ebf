from __future__ import annotations

import io
import pickle
import pickletools
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from stepbench.compression import Compression
from stepbench.errors import PayloadDamaged, PayloadRefused
from stepbench.serializers.pickle import SERIALIZER

HEAD = b"\x80\x05"


class Calls:
    """Pickles as a call of `function`."""

    def __init__(self, function: Callable[..., Any], *arguments: Any) -> None:
        self._call = (function, arguments)

    def __reduce__(self) -> tuple[Callable[..., Any], tuple[Any, ...]]:
        return self._call


def hostile(marker: Path) -> dict[str, bytes]:
    shell = f"touch {marker}"
    call = f"__import__('os').system({shell!r})"
    built = {
        "system": Calls(__import__("os").system, shell),
        "eval": Calls(eval, call),
        "exec": Calls(exec, call),
        "getattr": Calls(getattr, "", "join"),
        "import": Calls(__import__, "os"),
        "open": Calls(open, str(marker), "w"),
        "path": Calls(marker.touch),
        "class": marker,
        "function": len,
        "type": int,
    }
    wrapped: dict[str, bytes] = {}
    for name, thing in built.items():
        wrapped[name] = pickle.dumps(thing, 5)
        wrapped[f"nested {name}"] = pickle.dumps([{"fine": 1}, {"deep": [{"er": (thing,)}]}], 5)
        wrapped[f"key {name}"] = pickle.dumps([{"fine": {1: [thing]}}], 5)
    command = shell.encode()
    wrapped["global opcode"] = HEAD + b"cos\nsystem\n(S'" + command + b"'\ntR."
    wrapped["inst opcode"] = HEAD + b"(S'" + command + b"'\nios\nsystem\n."
    wrapped["obj opcode"] = HEAD + b"(cos\nsystem\nS'" + command + b"'\no."
    wrapped["stack global opcode"] = HEAD + b"\x8c\x02os\x8c\x06system\x93(S'" + command + b"'\ntR."
    wrapped["extension opcode"] = HEAD + b"\x82\x01."
    wrapped["persistent id"] = HEAD + b"Pwhatever\n."
    wrapped["binary persistent id"] = HEAD + b"K\x01Q."
    wrapped["out of band buffer"] = HEAD + b"\x97."
    wrapped["build on a list"] = HEAD + b"]}b."
    wrapped["reduce text"] = HEAD + b"\x8c\x02os)R."
    return wrapped


@pytest.mark.parametrize("name", hostile(Path("marker")))
def test_a_hostile_pickle_is_damage_and_nothing_of_it_runs(name: str, tmp_path: Path) -> None:
    marker = tmp_path / "ran"
    with pytest.raises(PayloadDamaged):
        SERIALIZER.decode(hostile(marker)[name])
    assert not marker.exists()


def test_the_hostile_pickles_of_this_test_would_run_without_us(tmp_path: Path) -> None:
    marker = tmp_path / "ran"
    pickle.loads(hostile(marker)["nested eval"])
    assert marker.exists()


class Trusting(pickle.Unpickler):
    """Takes what a pickle asks for from outside."""

    def persistent_load(self, identifier: Any, /) -> Any:
        return identifier


@pytest.mark.parametrize("asking", [b"Pwhatever\n", b"K\x01Q"], ids=["text", "binary"])
def test_an_object_from_outside_is_refused_even_where_plain_records_would_come_of_it(asking: bytes) -> None:
    data = HEAD + b"]}\x8c\x01a" + asking + b"sa."
    assert len(Trusting(io.BytesIO(data)).load()) == 1
    with pytest.raises(PayloadDamaged, match="from outside"):
        SERIALIZER.decode(data)


def test_what_is_refused_is_named() -> None:
    with pytest.raises(PayloadDamaged, match=r"builtins\.eval"):
        SERIALIZER.decode(pickle.dumps([Calls(eval, "1")], 5))


@pytest.mark.parametrize("protocol", [0, 1, 2, 3, 4])
def test_only_our_protocol_is_read(protocol: int) -> None:
    with pytest.raises(PayloadDamaged, match="protocol 5"):
        SERIALIZER.decode(pickle.dumps([{"a": 1}], protocol))


def test_what_would_not_load_is_not_written() -> None:
    for thing in (Calls(eval, "1"), len, int, Path("x"), 1j):
        with pytest.raises(PayloadRefused, match="row 1, column 'a'"):
            SERIALIZER.encode([{"a": [thing]}], Compression())


def test_payloads_are_plain_opcodes_of_protocol_5() -> None:
    data = bytes(SERIALIZER.encode([{"a": [1, 0.5, None, True, "x", {"b": []}]}] * 3, Compression()))
    names = {opcode.name for opcode, _, _ in pickletools.genops(data)}
    assert data.startswith(HEAD)
    assert not names & {"GLOBAL", "STACK_GLOBAL", "REDUCE", "BUILD", "INST", "OBJ", "NEWOBJ", "NEWOBJ_EX", "PERSID"}


def test_a_length_beyond_the_payload_is_damage() -> None:
    for opcode in (b"\x8d", b"\x8e", b"\x96"):  # Text, bytes and bytearray with lengths of 8 bytes.
        with pytest.raises(PayloadDamaged):
            SERIALIZER.decode(HEAD + opcode + (2**62).to_bytes(8, "little") + b"x.")


@pytest.mark.skipif(sys.platform != "linux", reason="only Linux tells how large a process is")
@pytest.mark.parametrize("index", [2**26, 2**28, 2**31, 2**32 - 1])
def test_a_memo_that_is_asked_to_grow_beyond_what_a_payload_can_fill_is_damage(index: int) -> None:
    asking = b"]r" + index.to_bytes(4, "little") + b"."
    assert len(pickle.loads(HEAD + asking.replace(index.to_bytes(4, "little"), b"\xff\xff\0\0"))) == 0
    with pytest.raises(PayloadDamaged, match="MemoryError"):
        SERIALIZER.decode(HEAD + asking)


def test_a_reason_does_not_repeat_the_payload() -> None:
    with pytest.raises(PayloadDamaged) as refusal:
        SERIALIZER.decode(HEAD + b"c" + b"m" * 10_000 + b"\nname\n.")
    assert len(str(refusal.value)) < 300


def test_lists_nested_beyond_recursion_are_refused_when_written() -> None:
    value: list[Any] = []
    for _ in range(100_000):
        value = [value]
    with pytest.raises(PayloadRefused):
        SERIALIZER.encode([{"a": value}], Compression())
