"""json, jsonl, csv and msgpack that nobody wrote by accident: deep, wide, repeated, of odd numbers and odd text."""

from __future__ import annotations

import json
from random import Random

import msgpack

from tests.chaos.inputs import json_texts, payloads
from tests.chaos.inputs.kind import Kind
from tests.chaos.inputs.mutation import NUMBERS, damaged
from tests.chaos.inputs.payloads import Stored

_MANY = (10, 1_000, 30_000)
_CSV_PIECES = (
    b",", b"\r\n", b"\n", b"\r", b'"', b'""', b"a", b"\x00", b"\xff", b"\xe2\x80\xa8", b"x" * 5_000, b"=1+1", b"'",
    b"\xef\xbb\xbf",
)  # fmt: skip # a line for each would be a page


def _json(random: Random) -> Stored:
    many = random.choice(_MANY)
    piece = random.choice(("{}", "[]", '{"a":{}}', '{"a":[]}', "1.5", '"x"', '{"":null}', '{"a":1,"a":2}', "-1e5"))
    text = random.choice(
        (
            "[" + ",".join([piece] * many) + "]",
            '[{"a":' + "[" * many + "]" * many + "}]",
            '[{"a":' * many + "1" + "}]" * many,
            '[{"a":' + random.choice(json_texts.NUMBERS + json_texts.TEXTS) + "}]",
            json.dumps([{str(key): key for key in range(many)}]),
        )
    )
    data = text.encode("utf-8", "surrogatepass")
    name = random.choice(("json", "jsonl"))
    if name == "jsonl":
        data = random.choice((data[1:-1], data[1:-1].replace(b"},", b"}\n"))) + b"\n"
    return _stored(name, data, random)


def _csv(random: Random) -> Stored:
    head = random.choice((b"a,b\r\n", b"a\r\n", b"", b"a,a\r\n", b"," * 5_000 + b"\r\n"))
    rows = b"".join(random.choice(_CSV_PIECES) for _ in range(random.randint(0, 40))) * random.choice((1, 1, 100))
    narrow = random.choice((b"1,2\r\n", b"1\r\n", b"\r\n")) * random.choice(_MANY)
    return _stored("csv", head + random.choice((rows, narrow)) + random.choice((b"\r\n", b"")), random)


def _msgpack(random: Random) -> Stored:
    many = random.choice(_MANY)
    piece = random.choice(
        (b"\x80", b"\x90", b"\xc0", b"\x81\xa0\xc0", b"\xd4\x01x", b"\xc7\x00\xff", b"\xc1", b"\xa1\xff")
    )
    marks = [bytes([random.choice((0xDC, 0xDD, 0xDE, 0xDF, 0xC4, 0xC6, 0xDB, 0xC9, 0xCF))]) + random.choice(NUMBERS)]
    data = random.choice(
        (
            msgpack.packb([{}] * many)[:3] + piece * many,
            b"\xdd" + many.to_bytes(4, "big") + piece * many,
            b"\x91" * many + b"\x80",
            b"\x91\x81\xa1a" * many + b"\xc0",
            b"\x91" + marks[0] + piece * 20,
            b"\x91\x81" + marks[0] + piece,
            msgpack.packb([{"t": msgpack.Timestamp(2**33, 1)}]),
        )
    )
    return _stored("msgpack", data, random)


def _stored(serializer: str, data: bytes, random: Random) -> Stored:
    if random.random() < 0.3:
        data = damaged(data, random)
    return Stored(serializer, "none", "native", len(data), data)


KINDS = tuple(
    Kind(name, make, payloads.take, payloads.most_bytes, payloads.FORESEEN)
    for name, make in (("JSON texts", _json), ("CSV texts", _csv), ("MessagePack", _msgpack))
)
