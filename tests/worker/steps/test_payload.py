from __future__ import annotations

import gc
import weakref
from typing import Any

import pytest

from stepbench import payload
from stepbench.compression import Compression
from stepbench.errors import ChecksumMismatch, UsageError
from stepbench.s3_clients import Encryption
from stepbench.samples import PHASES, S3Requests
from stepbench.timing import PhaseTimer
from tests.factories import make_message, make_output_spec, make_ref
from worker import steps
from worker.steps import Tools
from worker.steps.payload import Prepared, prepare, run

DATA = b"content"


class Watch:
    """Which forms of a payload are alive, and in which order the work was done."""

    def __init__(self) -> None:
        self.alive: dict[str, weakref.ref[Any]] = {}
        self.seen: list[tuple[str, list[str]]] = []
        """(what was done, what was still alive when it began)."""

    def born(self, name: str, form: Any) -> Any:
        self.alive[name] = weakref.ref(form)
        return form

    def does(self, what: str) -> None:
        self.seen.append((what, [name for name, form in self.alive.items() if form() is not None]))


class Form(bytearray):
    """Bytes that can be watched."""


class Rows(list[Any]):
    """Rows that can be watched."""


class Doubles:
    """Client, reader, writer and transform in one."""

    name = "double"
    suffix = "json"

    def __init__(self, watch: Watch) -> None:
        self.watch = watch
        self.put_with: list[tuple[str, str, Encryption, bool]] = []

    def get(self, bucket: str, key: str, size_bytes: int) -> tuple[Any, S3Requests]:
        self.watch.does("get")
        return self.watch.born("object", Form(DATA)), S3Requests(requests=1)

    def decompress(self, data: Any, serialized_bytes: int) -> Any:
        self.watch.does("decompress")
        return self.watch.born("serialized", Form(data))

    def deserialize(self, data: Any) -> Any:
        self.watch.does("deserialize")
        return self.watch.born("value", Rows([1, 2, 3]))

    def apply(self, value: Any, parameters: Any) -> Any:
        self.watch.does("transform")
        return self.watch.born("transformed", Rows(value))

    def serialize(self, value: Any) -> Any:
        self.watch.does("serialize")
        return self.watch.born("serialized again", Form(DATA))

    def serialized_bytes(self, data: Any) -> int:
        return len(data) * 2

    def compress(self, data: Any) -> Any:
        self.watch.does("compress")
        return self.watch.born("compressed", Form(data))

    def put(self, bucket: str, key: str, data: Any, encryption: Encryption, *, tagged: bool = False) -> S3Requests:
        self.watch.does("put")
        self.put_with.append((bucket, key, encryption, tagged))
        return S3Requests(requests=2)


def prepared(doubles: Any, **changes: Any) -> Prepared:
    source = make_ref(object_bytes=len(DATA), checksum=payload.checksum(DATA))
    return Prepared(
        message=make_message(input=source, **changes),
        client=doubles,
        reader=doubles,
        writer=doubles,
        transform=doubles,
        output_uri="s3://bucket/out/key.json",
    )


def test_each_form_of_the_payload_is_let_go_as_soon_as_the_next_one_exists() -> None:
    watch = Watch()
    gc.disable()  # what is let go goes at once, and not when the collector happens to come by
    try:
        run(prepared(Doubles(watch)), PhaseTimer())
    finally:
        gc.enable()
    assert watch.seen == [
        ("get", []),
        ("decompress", ["object"]),
        ("deserialize", ["serialized"]),
        ("transform", ["value"]),
        ("serialize", ["transformed"]),
        ("compress", ["serialized again"]),
        ("put", ["compressed"]),
    ]


class DamagedOnItsWay(Doubles):
    """A client whose first reads bring something else than the object."""

    def __init__(self, watch: Watch, times: int) -> None:
        super().__init__(watch)
        self._times = times

    def get(self, bucket: str, key: str, size_bytes: int) -> tuple[Any, S3Requests]:
        data, requests = super().get(bucket, key, size_bytes)
        if self._times > 0:
            self._times -= 1
            data[0] ^= 1
        return data, requests


def test_a_payload_that_is_not_as_announced_is_read_again_with_nothing_kept_of_the_first_read() -> None:
    watch = Watch()
    gc.disable()
    try:
        outcome = run(prepared(DamagedOnItsWay(watch, times=1)), PhaseTimer())
    finally:
        gc.enable()
    assert watch.seen[:3] == [("get", []), ("get", []), ("decompress", ["object"])]
    assert (outcome.s3.get.requests, outcome.s3.get.retries) == (2, None)


def test_a_payload_that_is_twice_not_as_announced_is_damaged_where_it_lies() -> None:
    watch, timer = Watch(), PhaseTimer()
    with pytest.raises(ChecksumMismatch):
        run(prepared(DamagedOnItsWay(watch, times=2)), timer)
    assert [what for what, _ in watch.seen] == ["get", "get"]
    assert timer.current == "checksum"


def test_the_outcome_tells_what_was_written() -> None:
    doubles = Doubles(Watch())
    output = make_output_spec(serializer="jsonl", compression="gzip:6", sse="kms", kms_key_id="alias/k", tagged=True)
    outcome = run(prepared(doubles, output=output), PhaseTimer())
    assert doubles.put_with == [("bucket", "out/key.json", Encryption(sse="kms", kms_key_id="alias/k"), True)]
    assert outcome.output == make_ref(
        uri="s3://bucket/out/key.json",
        object_bytes=len(DATA),
        serialized_bytes=2 * len(DATA),
        checksum=payload.checksum(DATA),
        serializer="jsonl",
        compression="gzip:6",
    )
    assert (outcome.records, outcome.s3_client) == (3, "double")
    assert (outcome.s3.get.requests, outcome.s3.put.requests) == (1, 2)


def test_every_phase_is_entered_in_its_turn() -> None:
    entered: list[Any] = []
    run(prepared(Doubles(Watch())), PhaseTimer(entering=entered.append))
    assert [phase for phase in entered if phase is not None] == [
        "download",
        "checksum",
        "decompress",
        "deserialize",
        "transform",
        "serialize",
        "compress",
        "checksum",
        "upload",
    ]
    assert set(entered) - {None} == set(PHASES)


def test_preparing_names_a_new_key_below_the_prefix_with_the_formats_ending() -> None:
    doubles: Any = Doubles(Watch())
    tools = Tools(s3_client=lambda name: doubles, new_key=lambda prefix, suffix: f"{prefix}NEW.{suffix}")
    output = make_output_spec(key_prefix="s3://bucket/p/chain1-", serializer="jsonl", compression="gzip")
    step = prepare(make_message(output=output, transform="cpu", transform_parameters={"transform_cpu_ms": 1.0}), tools)
    assert step.output_uri == "s3://bucket/p/chain1-NEW.jsonl.gz"
    assert (step.reader.serializer_name, step.writer.serializer_name) == ("json", "jsonl")
    assert step.writer.compression == Compression.parse("gzip")


def test_a_transform_whose_parameters_the_message_lacks_is_refused() -> None:
    doubles: Any = Doubles(Watch())
    message = make_message(transform="cpu", transform_parameters={})
    with pytest.raises(UsageError, match="transform cpu and lacks its transform_cpu_ms"):
        prepare(message, Tools(s3_client=lambda name: doubles, new_key=lambda prefix, suffix: "k"))


@pytest.mark.parametrize(
    "changes",
    [
        {"transform": "os"},
        {"input": make_ref(serializer="marshal")},
        {"input": make_ref(serializer="__init__")},
        {"input": make_ref(serializer="../json")},
        {"output": make_output_spec(serializer="_made_up")},
        {"output": make_output_spec(compression="zip")},
    ],
)
def test_names_that_are_no_choice_are_refused_before_anything_is_imported(changes: dict[str, Any]) -> None:
    doubles: Any = Doubles(Watch())
    with pytest.raises(UsageError):
        prepare(make_message(**changes), Tools(s3_client=lambda name: doubles, new_key=lambda prefix, suffix: "k"))


def test_step_kinds_are_files_and_nothing_else() -> None:
    assert steps.load("payload") is not None
    for name in ("os", "..payload", "__init__", ""):
        with pytest.raises(UsageError):
            steps.load(name)
