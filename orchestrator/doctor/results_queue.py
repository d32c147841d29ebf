"""A results queue such as a run makes for itself: created, sent to, received from, and deleted when all is done."""

from __future__ import annotations

from collections.abc import Iterator
from time import sleep
from typing import Any

from orchestrator.doctor.findings import Check, ok, refused, wrong
from orchestrator.doctor.ground import Ground
from orchestrator.run import results_queue
from stepbench.queue_urls import results_folder

NAME = "Results queue"
VISIBILITY_SECONDS = 30
WAIT_SECONDS = 10


class DoctorsQueue:
    """Of its own, or the fixed one where runs share one."""

    def __init__(self, ground: Ground) -> None:
        settings = ground.settings
        self._ground = ground
        self._sqs = ground.clients.sqs
        self._made = False
        self.is_own = settings.results_queue_url is None
        own = f"{results_folder(settings)}/{settings.results_queue_prefix}{ground.run_id}"
        self.url = settings.results_queue_url or own
        self.answers = False
        """It has been looked at and can be used."""

    def checks(self) -> Iterator[Check]:
        """Raises the SDK's errors, EnvironmentRefused for a queue that comes up in another account."""
        if not self.is_own:
            yield self._fixed()
            return
        results_queue.create(self._sqs, self.url, VISIBILITY_SECONDS)
        self._made = True
        sleep(results_queue.USABLE_AFTER_SECONDS if self._ground.sqs_is_aws else 0.0)
        self._there_and_back()
        self.answers = True
        yield ok(NAME, f"created, sent to and received from {self.url.rpartition('/')[2]}")

    def close(self) -> Check | None:
        """Deletes the one of its own; what stood in the way of that."""
        if not self._made:
            return None
        try:
            results_queue.delete(self._sqs, self.url)
        except Exception as error:
            check = refused(NAME, error, self._ground.settings)
            if check is None:
                raise
            return check
        return None

    def _fixed(self) -> Check:
        found: Any = self._sqs.get_queue_attributes(QueueUrl=self.url, AttributeNames=["All"])["Attributes"]
        self.answers = True
        if found.get("RedrivePolicy"):
            text = "the fixed one has a redrive policy: runs that share it hand back each other's completions"
            return wrong(NAME, text, "remove its RedrivePolicy")
        return ok(NAME, f"the fixed one, {self.url.rpartition('/')[2]}, answers")

    def _there_and_back(self) -> None:
        self._sqs.send_message(QueueUrl=self.url, MessageBody="doctor")
        answer = self._sqs.receive_message(QueueUrl=self.url, WaitTimeSeconds=WAIT_SECONDS)
        for message in answer.get("Messages", ()):
            self._sqs.delete_message(QueueUrl=self.url, ReceiptHandle=message["ReceiptHandle"])
