from __future__ import annotations

import gc
import json
import re
from collections.abc import Callable, Iterator
from typing import Any

import pytest
import structlog

from stepbench import logs, payload
from stepbench.aws import AwsConfig
from stepbench.errors import SizeMismatch
from stepbench.executors.handshake import ExecutorConfig
from stepbench.executors.phase_board import PhaseBoard
from stepbench.messages import Completion, PayloadRef, StepMessage, parse
from stepbench.s3_clients import Encryption, TransferOptions
from stepbench.samples import PHASES, S3Requests
from tests.doubles import outage, refused
from tests.factories import BUCKET, make_message, make_output_spec, make_ref
from worker.executor import Executor

ROWS = [{"id": number, "name": f"n{number}"} for number in range(5)]
DATA = json.dumps(ROWS).encode()


class MemoryS3:
    """An S3 client over a dict, which fails where it is told to."""

    name = "memory, whatever was asked for"

    def __init__(self) -> None:
        self.objects: dict[tuple[str, str], bytes] = {}
        self.connected: list[tuple[str, str]] = []
        self.on_get: Callable[[], None] = lambda: None
        self.on_put: Callable[[], None] = lambda: None

    def connect(self, bucket: str, key: str) -> None:
        self.connected.append((bucket, key))

    def get(self, bucket: str, key: str, size_bytes: int) -> tuple[bytes, S3Requests]:
        self.on_get()
        if (bucket, key) not in self.objects:
            raise refused("NoSuchKey", "GetObject", 404)
        data = self.objects[bucket, key]
        if len(data) != size_bytes:
            raise SizeMismatch("another size")
        return data, S3Requests(requests=1)

    def put(self, bucket: str, key: str, data: Any, encryption: Encryption, *, tagged: bool = False) -> S3Requests:
        self.on_put()
        assert (bucket, key) not in self.objects, "no key is ever written twice"
        self.objects[bucket, key] = bytes(data)
        return S3Requests(requests=1)


class Desk:
    """An executor in this process, with its client."""

    def __init__(self, monkeypatch: pytest.MonkeyPatch) -> None:
        self.s3 = MemoryS3()
        self.made: list[str] = []
        self.board = PhaseBoard.create()
        config = ExecutorConfig(
            executor="w1-e1",
            bucket=BUCKET,
            connect_key="p/connect",
            aws=AwsConfig(),
            transfer=TransferOptions(part_bytes=1, part_concurrency=1),
            log_level="warning",
            log_format="json",
        )
        monkeypatch.setattr("worker.executor.s3_clients.make", self._make)
        self.executor = Executor(config, self.board)

    def _make(self, name: str, config: AwsConfig, transfer: TransferOptions) -> MemoryS3:
        self.made.append(name)
        return self.s3

    def uploads(self, data: bytes = DATA, **changes: Any) -> PayloadRef:
        """An input payload."""
        ref = make_ref(object_bytes=len(data), serialized_bytes=len(data), checksum=payload.checksum(data)).model_copy(
            update=changes
        )
        bucket, _, key = ref.uri.removeprefix("s3://").partition("/")
        self.s3.objects[bucket, key] = data
        return ref

    def runs(self, **changes: Any) -> Completion:
        if "input" not in changes:
            changes["input"] = self.uploads()
        return self.executor.run(make_message(**changes))


@pytest.fixture
def desk(monkeypatch: pytest.MonkeyPatch) -> Iterator[Desk]:
    logs.configure("error", "json")
    made = Desk(monkeypatch)
    yield made
    made.board.close()
    structlog.reset_defaults()


def test_a_step_that_is_done_tells_its_output_and_all_its_facts(desk: Desk) -> None:
    message = make_message(
        chain=4, step=3, attempt=2, epoch=5, input=desk.uploads(), output=make_output_spec(serializer="jsonl")
    )
    completion = desk.executor.run(message)
    assert completion.ok
    assert completion.worker is None, "the worker adds its half"
    identity = (completion.run, completion.chain, completion.step, completion.attempt, completion.epoch)
    assert identity == ("r1", 4, 3, 2, 5)
    assert completion.expires_at == message.expires_at

    output, facts = completion.output, completion.executor
    assert output is not None
    assert facts is not None
    bucket, _, key = output.uri.removeprefix("s3://").partition("/")
    written = desk.s3.objects[bucket, key]
    assert [json.loads(line) for line in written.splitlines()] == ROWS
    assert (output.object_bytes, output.serialized_bytes) == (len(written), len(written))
    assert (output.checksum, output.serializer) == (payload.checksum(written), "jsonl")
    assert output.uri.startswith(message.output.key_prefix)
    assert (facts.input_uri, facts.output_uri) == (message.input.uri, output.uri)
    assert (facts.bytes_in, facts.bytes_out, facts.records) == (len(DATA), len(written), 5)
    assert (facts.checksum_in, facts.checksum_out) == (message.input.checksum, output.checksum)
    assert (facts.serializer, facts.transform, facts.executor) == ("jsonl", "noop", "w1-e1")
    assert facts.s3_client == "memory, whatever was asked for", "the client that really ran"


def test_the_phases_and_other_are_the_whole_of_an_executors_wall(desk: Desk) -> None:
    facts = desk.runs().executor
    assert facts is not None
    assert set(facts.phases_ns) == set(facts.cpu_ns) == set(PHASES)
    assert all(duration_ns >= 0 for duration_ns in facts.phases_ns.values())
    assert facts.other_ns >= 0
    assert sum(facts.phases_ns.values()) + facts.other_ns == facts.done_at_ns - facts.begun_at_ns


def test_a_completion_survives_the_pipe(desk: Desk) -> None:
    completion = desk.runs()
    assert parse(Completion, completion.model_dump_json()) == completion
    message = make_message()
    assert parse(StepMessage, message.model_dump_json()) == message


def test_every_execution_writes_a_key_of_its_own(desk: Desk) -> None:
    source = desk.uploads()
    outputs = [desk.runs(input=source).output for _ in range(3)]
    assert len({output.uri for output in outputs if output}) == 3


def test_a_client_is_made_and_connected_once_and_before_anything_is_timed(desk: Desk) -> None:
    desk.executor.warm_up("boto3")
    assert desk.s3.connected == [(BUCKET, "p/connect")]
    desk.runs()
    desk.runs()
    assert desk.made == ["boto3"]
    assert len(desk.s3.connected) == 1


def test_the_first_step_with_its_choices_is_cold_and_no_other(desk: Desk) -> None:
    cold = []
    for changes in ({}, {}, {"transform": "cpu"}, {}, {"materialize": "rows"}):
        parameters = {"transform_parameters": {"transform_cpu_ms": 0.0}}
        facts = desk.runs(**parameters, **changes).executor
        assert facts is not None
        cold.append(facts.cold)
    assert cold == [True, False, True, False, True]


@pytest.mark.parametrize(("mode", "collects"), [("normal", True), ("off", False)])
def test_the_garbage_collector_runs_during_a_step_unless_it_is_switched_off(
    desk: Desk, mode: str, collects: bool
) -> None:
    seen: list[bool] = []
    desk.s3.on_get = desk.s3.on_put = lambda: seen.append(gc.isenabled())
    desk.runs(gc=mode)
    assert seen == [collects, collects]
    assert gc.isenabled()


def _raise(error: BaseException) -> Callable[[], None]:
    def act() -> None:
        raise error

    return act


def test_the_garbage_collector_is_on_again_after_a_step_that_failed(desk: Desk) -> None:
    desk.s3.on_put = _raise(outage())
    desk.runs(gc="off")
    assert gc.isenabled()


def fails_to_get(error: Exception) -> Callable[[Desk], dict[str, Any]]:
    def arrange(desk: Desk) -> dict[str, Any]:
        desk.s3.on_get = _raise(error)
        return {}

    return arrange


def fails_to_put(error: Exception) -> Callable[[Desk], dict[str, Any]]:
    def arrange(desk: Desk) -> dict[str, Any]:
        desk.s3.on_put = _raise(error)
        return {}

    return arrange


FAILURES: dict[str, tuple[Callable[[Desk], dict[str, Any]], str, str | None, bool]] = {
    "a missing object": (lambda desk: {"input": make_ref(uri="s3://bucket/x")}, "NoSuchKey", "download", False),
    "a refused download": (fails_to_get(refused("AccessDenied", status=403)), "AccessDenied", "download", False),
    "a throttled download": (fails_to_get(refused("SlowDown", status=503)), "SlowDown", "download", True),
    "an object of another size": (
        lambda desk: {"input": desk.uploads(object_bytes=7)},
        "SizeMismatch",
        "download",
        False,
    ),
    "another checksum": (
        lambda desk: {"input": desk.uploads(checksum="sha256:" + "1" * 64)},
        "ChecksumMismatch",
        "checksum",
        False,
    ),
    "another compression": (
        lambda desk: {"input": desk.uploads(compression="zstd:3")},
        "PayloadDamaged",
        "decompress",
        False,
    ),
    "another size before compression": (
        lambda desk: {"input": desk.uploads(serialized_bytes=len(DATA) + 1)},
        "SizeMismatch",
        "decompress",
        False,
    ),
    "no payload of that serializer": (
        lambda desk: {"input": desk.uploads(b"[{")},
        "PayloadDamaged",
        "deserialize",
        False,
    ),
    "a broken upload": (fails_to_put(outage()), "EndpointConnectionError", "upload", True),
    "a server's own error": (fails_to_put(refused("InternalError", status=500)), "InternalError", "upload", True),
    "an unknown serializer": (lambda desk: {"output": make_output_spec(serializer="yaml")}, "UsageError", None, False),
    "an unknown step kind": (lambda desk: {"step_kind": "shell"}, "UsageError", None, False),
    "a transform without its parameter": (lambda desk: {"transform": "cpu"}, "UsageError", None, False),
    "no memory": (fails_to_get(MemoryError()), "MemoryError", "download", False),
    "a bug": (fails_to_get(ZeroDivisionError("a bug of ours")), "ZeroDivisionError", "download", False),
}


@pytest.mark.parametrize(("arrange", "error_class", "phase", "retryable"), FAILURES.values(), ids=FAILURES.keys())
def test_a_step_that_fails_tells_the_error_its_phase_and_whether_another_attempt_may_help(
    desk: Desk, arrange: Callable[[Desk], dict[str, Any]], error_class: str, phase: str | None, retryable: bool
) -> None:
    completion = desk.runs(**arrange(desk))
    error = completion.error
    assert error is not None
    assert (error.error_class, error.phase, error.retryable) == (error_class, phase, retryable)
    assert error.message
    assert completion.output is None
    assert completion.executor is None
    assert desk.board.current() is None
    assert parse(Completion, completion.model_dump_json()) == completion


@pytest.mark.parametrize("words", ["half a \ud83d", "\uffff", "\x00", "a file called \udcff", "\x1b[31m"])
def test_whatever_words_an_error_has_its_completion_is_one_that_sqs_takes(desk: Desk, words: str) -> None:
    desk.s3.on_get = _raise(ZeroDivisionError(f"before {words} after"))
    body = desk.runs().model_dump_json()
    # https://docs.aws.amazon.com/AWSSimpleQueueService/latest/APIReference/API_SendMessage.html
    assert re.fullmatch("[\t\n\r\x20-\ud7ff\ue000-\ufffd\U00010000-\U0010ffff]*", body)
    error = parse(Completion, body).error
    assert error is not None
    assert error.message.startswith("before ")
    assert error.message.endswith(" after")


def test_an_executor_lives_on_after_a_failure(desk: Desk) -> None:
    assert not desk.runs(step_kind="shell").ok
    assert desk.runs().ok


def test_a_failed_step_names_both_checksums(desk: Desk) -> None:
    announced = "sha256:" + "1" * 64
    error = desk.runs(input=desk.uploads(checksum=announced)).error
    assert error is not None
    assert announced in error.message
    assert payload.checksum(DATA) in error.message


def test_the_phase_is_on_the_board_while_it_lasts(desk: Desk) -> None:
    seen: list[str | None] = []
    desk.s3.on_get = desk.s3.on_put = lambda: seen.append(desk.board.current())
    desk.runs()
    assert seen == ["download", "upload"]
    assert desk.board.current() is None


@pytest.mark.parametrize("error", [outage(), refused("AccessDenied", status=403), SizeMismatch("x")])
def test_a_failure_that_can_be_foreseen_is_logged_without_a_traceback(
    desk: Desk, error: Exception, capsys: pytest.CaptureFixture[str]
) -> None:
    logs.configure("warning", "json")
    desk.s3.on_get = _raise(error)
    desk.runs(chain=7)
    lines = [json.loads(line) for line in capsys.readouterr().err.splitlines()]
    assert (lines[-1]["event"], lines[-1]["chain"], lines[-1]["phase"]) == ("step failed", 7, "download")
    assert not any("exception" in line for line in lines)


def test_a_bug_is_logged_with_its_traceback(desk: Desk, capsys: pytest.CaptureFixture[str]) -> None:
    logs.configure("warning", "json")
    desk.s3.on_get = _raise(ZeroDivisionError("a bug of ours"))
    desk.runs()
    (line,) = [json.loads(line) for line in capsys.readouterr().err.splitlines()]
    assert line["exception"][0]["exc_type"] == "ZeroDivisionError"


def test_a_step_that_is_disowned_before_its_upload_writes_nothing_and_the_next_one_does(desk: Desk) -> None:
    desk.s3.on_get = lambda: desk.board.mark(disowned=True)
    completion = desk.runs()
    assert completion.error is not None
    assert completion.error.error_class == "StepDisowned"
    assert len(desk.s3.objects) == 1, "its input"
    assert desk.board.current() is None
    desk.s3.on_get = lambda: desk.board.mark(disowned=False)
    assert desk.runs().ok


def test_a_step_that_is_disowned_during_its_upload_is_done(desk: Desk) -> None:
    desk.s3.on_put = lambda: desk.board.mark(disowned=True)
    assert desk.runs().ok


def test_a_probe_is_answered_without_touching_s3(desk: Desk) -> None:
    completion = desk.executor.run(make_message(step_kind="probe", input=make_ref("not there")))
    assert completion.answer is not None
    assert completion.answer.cores >= 1
    assert completion.answer.memory_bytes > 10_000_000
    assert completion.answer.state is None, "the worker adds its part"
    assert completion.error is not None, "to whoever knows no answers, an attempt that failed for good"
    assert not completion.error.retryable
    assert (desk.s3.objects, desk.made) == ({}, [])


def test_a_probe_warms_nothing_up(desk: Desk) -> None:
    desk.runs(step_kind="probe")
    facts = desk.runs().executor
    assert facts is not None
    assert facts.cold
