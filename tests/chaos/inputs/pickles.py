"""Pickles that would run code, and programs for the unpickler that no pickler would write."""

from __future__ import annotations

import functools
import operator
import os
import pickle
import tempfile
from collections.abc import Callable
from pathlib import Path
from random import Random
from typing import Any

from tests.chaos.figures import PromiseBroken
from tests.chaos.inputs import payloads
from tests.chaos.inputs.kind import Kind
from tests.chaos.inputs.mutation import NUMBERS, damaged
from tests.chaos.inputs.payloads import Stored

HEAD = b"\x80\x05"
MARKER = Path(tempfile.gettempdir()) / f"stepbench-canary-{os.getpid()}"
"""A pickle that is obeyed makes this file."""


class _Calls:
    """Pickles as a call."""

    def __init__(self, function: Callable[..., Any], *arguments: Any) -> None:
        self._call = (function, arguments)

    def __reduce__(self) -> tuple[Callable[..., Any], tuple[Any, ...]]:
        return self._call


class _Restores:
    """Pickles as an object whose state is handed to it."""

    def __getstate__(self) -> dict[str, Any]:
        return {"marker": MARKER}


def _things() -> tuple[Any, ...]:
    """Made at each use, because the marker is the process's own."""
    open_it = f"open({str(MARKER)!r}, 'w')"
    return (
        _Calls(MARKER.touch),
        _Calls(eval, open_it),
        _Calls(exec, open_it),
        _Calls(open, str(MARKER), "w"),
        _Calls(__import__, "this"),
        _Calls(getattr, MARKER, "touch"),
        _Calls(functools.partial, MARKER.touch),
        _Calls(operator.methodcaller, "touch"),
        _Calls(bytearray, 10**12),
        _Restores(),
        MARKER,
        len,
        int,
        functools.partial(MARKER.touch),
        ValueError("x"),
        range(10**9),
        1j,
        Ellipsis,
    )


def _make(random: Random) -> Stored:
    data = random.choice((_of_a_thing, _program, _program))(random)
    if random.random() < 0.3:
        data = HEAD + damaged(data[2:], random)
    return Stored("pickle", "none", "native", len(data), data)


def _of_a_thing(random: Random) -> bytes:
    thing = random.choice(_things())
    wrapped = random.choice((thing, [thing], [{"a": thing}], [{"a": 1}, {"b": [{"c": (thing,)}]}], [{1: {2: [thing]}}]))
    return pickle.dumps(wrapped, 5)


def _number(random: Random, width: int) -> bytes:
    fitting = [number for number in NUMBERS if len(number) == width]
    return random.choice(
        (random.choice(fitting), random.randrange(40).to_bytes(width, "little"), random.randbytes(width))
    )


def _text(random: Random) -> bytes:
    return random.choice((b"os", b"system", b"builtins", b"eval", b"a", b"", b"\xff", b"\xed\xa0\x80", b"x" * 300))


def _short(opcode: bytes) -> Callable[[Random], bytes]:
    def make(random: Random) -> bytes:
        text = _text(random)[:255]
        return opcode + random.choice((bytes([len(text)]), _number(random, 1))) + text

    return make


def _long(opcode: bytes, width: int) -> Callable[[Random], bytes]:
    def make(random: Random) -> bytes:
        text = _text(random)
        return opcode + random.choice((len(text).to_bytes(width, "little"), _number(random, width))) + text

    return make


def _line(opcode: bytes, lines: int = 1) -> Callable[[Random], bytes]:
    def make(random: Random) -> bytes:
        said = [random.choice((b"1", b"-1", b"9" * 5_000, b"99999999", b"'x'", b"nan", b"1e400", _text(random)))]
        return opcode + b"".join(line + b"\n" for line in said * lines)

    return make


def _numbered(opcode: bytes, width: int) -> Callable[[Random], bytes]:
    return lambda random: opcode + _number(random, width)


def _alone(opcodes: bytes) -> tuple[Callable[[Random], bytes], ...]:
    return tuple(lambda _random, opcode=bytes([code]): opcode for code in opcodes)


_PLAIN = _alone(b"()]})\x8fN\x88\x89\x94tlds\x85\x86\x87aeu\x90\x91012")
"""Containers, constants, the stack and the memo: what a pickle of plain data is made of."""
_OTHERS = (
    *_alone(b"\x93Rbo\x81\x92Q\x97\x98."),
    *map(_line, (b"I", b"L", b"F", b"S", b"V", b"P", b"p", b"g")),
    _line(b"c", 2),
    _line(b"i", 2),
    *map(_short, (b"\x8c", b"C", b"U", b"\x8a")),
    *(_long(opcode, 4) for opcode in (b"X", b"B", b"T", b"\x8b")),
    *(_long(opcode, 8) for opcode in (b"\x8d", b"\x8e", b"\x96", b"\x95")),
    *(_numbered(opcode, 1) for opcode in (b"K", b"q", b"h", b"\x82", b"\x80")),
    *(_numbered(opcode, 2) for opcode in (b"M", b"\x83")),
    *(_numbered(opcode, 4) for opcode in (b"J", b"r", b"j", b"\x84")),
    _numbered(b"G", 8),
)


def _program(random: Random) -> bytes:
    """Something that gets far: it begins with values on the stack, and ends as a list of records would."""
    opcodes = [random.choice(random.choice((_PLAIN, _PLAIN, _OTHERS)))(random) for _ in range(random.randint(1, 30))]
    body = b"".join(opcodes)
    body *= random.choice((1, 1, 1, 50, 5_000)) if len(body) < 200 else 1
    begin = random.choice((b"", b"(]}N" * 20, b"(]}N" * 20, b"](]}", b"]\x94}\x94", b"\x8c\x02os\x8c\x06system"))
    end = random.choice((b".", b"e.", b"}a.", b"0].", b""))
    return HEAD + begin + body + end


def _take(stored: Stored) -> None:
    try:
        payloads.take(stored)
    finally:
        if MARKER.exists():
            MARKER.unlink()
            raise PromiseBroken("other promises broken", "what a pickle says was obeyed")


KINDS = (Kind("pickles", _make, _take, payloads.most_bytes, payloads.FORESEEN),)
