"""Hostile messages: step messages as a worker takes them, completions as an orchestrator and a worker take them."""

from __future__ import annotations

import json
import posixpath
from random import Random
from typing import Any
from urllib.parse import unquote

from orchestrator.channels.sqs import SqsChannel
from orchestrator.report import metrics_file
from orchestrator.run import telling
from orchestrator.run.chain import Chains, Dispatch
from stepbench import registry
from stepbench.guard import Guard
from stepbench.messages import Completion, StepMessage, parse
from stepbench.queue_urls import folder_of
from stepbench.queues import Received
from stepbench.samples import PHASES
from tests.chaos.figures import PromiseBroken
from tests.chaos.inputs import json_texts
from tests.chaos.inputs.kind import MB, Kind
from tests.factories import (
    BUCKET,
    PREFIX,
    QUEUES,
    STEPS_QUEUE,
    make_done,
    make_failed,
    make_message,
    make_ref,
)
from worker.steps import Tools, payload

GUARD = Guard(
    bucket=BUCKET,
    literal_prefix=PREFIX,
    results_folder=folder_of(STEPS_QUEUE),
    steps_queue_url=STEPS_QUEUE,
    results_queue_prefix="stepbench-results-",
    results_queue_url=None,
)
TOOLS = Tools(
    s3_client=lambda name: registry.load("stepbench.s3_clients", name),  # nothing is moved
    new_key=lambda key_prefix, suffix: f"{key_prefix}new.{suffix}",
)
EXPIRES_AT = 4e9


def _most_bytes(body: Any) -> int:
    return 100 * len(body) + 20 * MB


# --- step messages ------------------------------------------------------------------------------------------------


def _step_message(random: Random) -> str:
    transform = random.choice(("noop", "cpu", "io"))
    message = make_message(
        transform=transform, transform_parameters={f"transform_{transform}_ms": 1.0}, expires_at=EXPIRES_AT
    )
    return json_texts.hostile(message.model_dump_json(), random).decode(
        "utf-8", random.choice(("surrogateescape", "replace"))
    )


def _take_step_message(body: str) -> None:
    """As the worker's intake and then its executor take it, up to the first phase."""
    message = parse(StepMessage, body)
    GUARD.check_results_queue(message)
    GUARD.check_objects(message)
    line = message.model_dump_json().encode()
    if b"\n" in line or StepMessage.model_validate_json(line) != message:
        raise PromiseBroken("other promises broken", "a message that does not reach its executor as it was")
    payload.prepare(message, TOOLS)


# --- places -------------------------------------------------------------------------------------------------------

_PARTS = (
    "..", ".", "", "%2e%2e", "..%2f", "%2e%2e%2f", "\\..\\", "r1", "payloads", "\x00", "\n", "\r\n", "?x=1", "#x",
    "@evil", ":", "runs", "orchestration-bench", "évil", "..;", "\u202e", "//", "a" * 300,
)  # fmt: skip # a line for each would be a page
_BUCKETS = (
    BUCKET,
    BUCKET,
    BUCKET,
    "other",
    f"{BUCKET}.evil",
    f"{BUCKET}@evil",
    f"evil?{BUCKET}",
    f"{BUCKET}\n",
    "Bucket",
    "",
)
_QUEUE_NAMES = (
    "stepbench-results-r1", "steps", "stepbench-results-", "stepbench-results-r1/../steps",
    "stepbench-results-r1?Action=x", "stepbench-results-r1\n", "stepbench-results-%0a", "evil",
    "stepbench-results-" + "a" * 100, "stepbench-results-é",
)  # fmt: skip # as above
_QUEUE_FOLDERS = (
    QUEUES, QUEUES, QUEUES, QUEUES.replace("123456789012", "666666666666"), QUEUES.replace("https", "http"),
    QUEUES.replace("://", "://evil@"), "https://evil.example/123456789012", QUEUES.upper(), QUEUES + "/",
    QUEUES + "/..", QUEUES.replace("eu-west-1", "us-east-1"), "file:///etc", "",
)  # fmt: skip # as above


def _places(random: Random) -> tuple[str, str, str]:
    """Input URI, key prefix, results queue."""
    return (
        _uri(random),
        _uri(random),
        f"{random.choice(_QUEUE_FOLDERS)}/{random.choice(_QUEUE_NAMES)}",
    )


def _uri(random: Random) -> str:
    parts = [random.choice(_PARTS) for _ in range(random.randint(0, 4))]
    start = random.choice((PREFIX, PREFIX, PREFIX, "", "/", PREFIX[:-1], PREFIX.upper(), PREFIX[:5]))
    scheme = random.choice(("s3://", "s3://", "s3://", "S3://", "s3:/", "file://", "https://", ""))
    return f"{scheme}{random.choice(_BUCKETS)}/{start}{'/'.join(parts)}"


def _take_places(places: tuple[str, str, str]) -> None:
    """What the guard lets in lies within, however often it is decoded, folded or read by another's rules."""
    read, write, queue = places
    fields = json.loads(make_message(expires_at=EXPIRES_AT, results_queue_url=queue).model_dump_json())
    fields["input"]["uri"], fields["output"]["key_prefix"] = read, write
    message = parse(StepMessage, json.dumps(fields))
    GUARD.check_results_queue(message)
    GUARD.check_objects(message)
    for uri in (read, write):
        inside = f"s3://{BUCKET}/{PREFIX}"
        folded = "s3:/" + posixpath.normpath(uri.removeprefix("s3:/") + "x")
        if not uri.startswith(inside) or not folded.startswith(inside):
            raise PromiseBroken("other promises broken", f"{uri!r} was let in")
    name = queue.removeprefix(f"{QUEUES}/stepbench-results-")
    if name == queue or unquote(name) != name or not name.replace("-", "").replace("_", "").isalnum():
        raise PromiseBroken("other promises broken", f"answering to {queue!r} was let in")


# --- completions --------------------------------------------------------------------------------------------------


def _completion(random: Random) -> str:
    good = random.choice((make_done, make_done, make_failed))(expires_at=EXPIRES_AT)
    text = good.model_dump_json() if random.random() < 0.7 else _of_great_numbers(random)
    body = json_texts.hostile(text, random) if random.random() < 0.8 else text.encode()
    return body.decode("utf-8", random.choice(("surrogateescape", "replace")))


def _of_great_numbers(random: Random) -> str:
    """Every number is one that a message may hold; what is made of them, added up, need not be."""

    def great(least: int = 0) -> int:
        number = random.choice((0, 1, 2**31, 2**53, 2**58, 2**62, 2**63 - 1))
        return random.choice((number, -number)) if least else number

    fields = json.loads(make_done(expires_at=EXPIRES_AT).model_dump_json())
    phases = {phase: great() for phase in PHASES}
    fields["executor"] |= {"phases_ns": phases, "cpu_ns": phases, "bytes_out": great()}
    fields["executor"] |= {name: great(-1) for name in ("other_ns", "begun_at_ns", "done_at_ns")}
    fields["worker"] |= {"queue_wait_ns": great(-1), "worker_wait_ns": great(-1)}
    return json.dumps(fields)


class _Results:
    """A results queue with one message in it."""

    def __init__(self, body: str) -> None:
        self._body = body

    def receive(self, _most: int, _wait_seconds: float) -> list[Received]:
        return [
            Received(
                id="1",
                receipt="1",
                body=self._body,
                sent_at_ms=1_700_000_000_000,
                first_received_at_ms=1_700_000_000_004,
                receive_count=1,
            )
        ]

    def delete(self, _receipts: list[str]) -> None:
        """As if it were."""

    def hide(self, _receipts: list[str], _seconds: int) -> None:
        """As if it were."""


def _take_completion(body: str) -> None:
    """As the run's loop takes it: through the channel and the state machine into lines that can be read back."""
    results: Any = _Results(body)
    channel = SqsChannel(results, results, "r1", fair=True, results_are_own=True)
    chains = Chains(chains=2, steps=2, concurrency=2, warmup_steps=0, max_attempts=2, payload=make_ref())
    for action in chains.start():
        assert isinstance(action, Dispatch)
        chains.sent(action, 10**12, 1_000)
    arrivals = channel.receive(0)
    actions = [
        action for arrival in arrivals.completions for action in chains.completed(arrival.completion, 10**12 + 10**9)
    ]
    for line in telling.lines_of(actions, arrivals.completions, "r1"):
        if metrics_file.parse(line.model_dump_json()) != line:
            raise PromiseBroken("samples lost", "a line that cannot be read back")
    for action in actions:
        if isinstance(action, Dispatch):
            make_message(input=action.payload)


def _take_executor_line(body: str) -> None:
    """As a worker takes what its executor writes."""
    parse(Completion, body.encode("utf-8", "surrogatepass"))


KINDS = (
    Kind("step messages", _step_message, _take_step_message, _most_bytes),
    Kind("keys, URIs and queues", _places, _take_places, lambda _: 20 * MB),
    Kind("completions", _completion, _take_completion, _most_bytes, foreseen=()),
    Kind("lines of executors", _completion, _take_executor_line, _most_bytes),
)
