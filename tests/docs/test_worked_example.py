from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest

from scripts.docs import markdown
from stepbench.compression import Compression
from stepbench.errors import PayloadDamaged, PayloadRefused

CONTRIBUTING = Path(__file__).resolve().parents[2] / "CONTRIBUTING.md"
RECORDS = [{"a": 1, "b": None, "c": [1.5, {"d": "é"}]}, {"a": 2**70, "b": True, "c": []}]


@pytest.fixture(scope="module")
def example() -> Any:
    lines = markdown.lines(CONTRIBUTING.read_text(encoding="utf-8"))
    source = "\n".join(line.text for line in lines if line.fence == "python")
    namespace: dict[str, Any] = {"__name__": "example"}
    exec(compile(source, str(CONTRIBUTING), "exec"), namespace)  # noqa: S102 - the text is our own
    return namespace["SERIALIZER"]


def test_the_example_gives_back_what_it_was_given(example: Any) -> None:
    data = example.encode(RECORDS, Compression.parse("none"))
    assert example.decode(data) == RECORDS
    assert example.serialized_bytes(data) == len(data)


def test_the_example_names_what_it_cannot_carry(example: Any) -> None:
    with pytest.raises(PayloadRefused, match="row 2, column 'b'"):
        example.encode([{"a": 1}, {"a": 1, "b": object()}], Compression.parse("none"))


@pytest.mark.parametrize(
    "damage", [lambda data: data[:-1], lambda data: data + b"\0", lambda _: b"\xff", lambda _: b""]
)
def test_the_example_tells_damaged_payloads(example: Any, damage: Any) -> None:
    with pytest.raises(PayloadDamaged):
        example.decode(damage(example.encode(RECORDS, Compression.parse("none"))))
