"""Sees every call that reaches the emulators, and knows what must not come before what.

A key is written once where one call wrote it: the SDK's own tries of a call, and a call that was done twice on its way,
carry the same invocation id and the same bytes. Another invocation that writes the key is another execution's, or a
program that writes twice, and breaks promise 2. That is promised of payloads: the lease is there to be written again.
"""

from __future__ import annotations

import json
import threading
from collections import defaultdict
from pathlib import Path
from typing import Any

from tests.chaos.faults.wire import Asked, Message
from tests.chaos.figures import PromiseBroken
from tests.runs.programs import Line, lines_of

Attempt = tuple[str, int, int, int]


class Witness:
    """`saw` is called in the proxy's thread. Breaches wait there for `breaches`."""

    def __init__(self, folder: Path, steps_queue_url: str) -> None:
        """Each run has its metrics file somewhere below `folder`."""
        self._folder = folder
        self._steps_queue = steps_queue_url.rpartition("/")[2]
        self._lock = threading.Lock()
        self._bodies: dict[str, dict[str, Any]] = {}
        """Of messages, by receipt."""
        self._answered: set[Attempt] = set()
        """Attempts whose completion SQS has taken."""
        self._writers: dict[str, set[str]] = defaultdict(set)
        self._breaches: list[PromiseBroken] = []

    def saw(self, about: Asked, request: Message, reply: Message | None) -> None:
        with self._lock:
            if reply is None:
                if about.call == "DeleteMessageBatch":
                    self._judge_deletions(json.loads(request.body))
            elif reply.status < 300:
                self._note(about, request, reply)

    def breaches(self) -> list[PromiseBroken]:
        """Since the last time."""
        with self._lock:
            found, self._breaches = self._breaches, []
            return found

    def _note(self, about: Asked, request: Message, reply: Message) -> None:
        if about.call in ("PutObject", "CompleteMultipartUpload"):
            self._writers[about.key].add(about.try_of)
            if len(self._writers[about.key]) > 1:
                self._breaches.append(PromiseBroken("keys written twice", f"{about.key} was written by two calls"))
        elif about.call == "ReceiveMessage":
            for message in json.loads(reply.body).get("Messages", ()):
                self._bodies[message["ReceiptHandle"]] = json.loads(message["Body"])
        elif about.call == "SendMessage":
            self._note_sent(json.loads(request.body))
        elif about.call == "SendMessageBatch":
            for entry in json.loads(request.body)["Entries"]:
                self._note_sent(entry)

    def _note_sent(self, entry: dict[str, Any]) -> None:
        body = json.loads(entry["MessageBody"])
        if "step_kind" not in body:
            self._answered.add(_attempt(body))

    def _judge_deletions(self, request: dict[str, Any]) -> None:
        of_steps = request["QueueUrl"].endswith(f"/{self._steps_queue}")
        for entry in request["Entries"]:
            body = self._bodies.get(entry["ReceiptHandle"])  # none where the receipt was damaged on its way
            if body is None:
                continue
            attempt = _attempt(body)
            if of_steps and attempt not in self._answered:
                self._broken("samples lost", f"the step message of {attempt} is deleted before its completion is sent")
            if not of_steps and attempt not in self._written(attempt[0]):
                self._broken("samples lost", f"the completion of {attempt} is deleted before it is in a line")

    def _broken(self, harm: Any, sentence: str) -> None:
        self._breaches.append(PromiseBroken(harm, sentence))

    def _written(self, run_id: str) -> set[Attempt]:
        """The attempts of a run that are told in its metrics file."""
        (file,) = self._folder.glob(f"*/out/metrics-{run_id}.jsonl")
        told = [line for line in lines_of(file.parent) if _tells_of_a_completion(line)]
        return {(run_id, line["chain"], line["step"], line["attempt"]) for line in told}


def _attempt(body: dict[str, Any]) -> Attempt:
    return body["run"], body["chain"], body["step"], body["attempt"]


def _tells_of_a_completion(line: Line) -> bool:
    return line["kind"] in ("sample", "warmup", "failure") or line.get("event") == "duplicate"
