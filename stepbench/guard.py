"""What a worker of these settings may do, whatever a message says: one bucket, below one prefix, one fleet's queues."""

from __future__ import annotations

import re
from dataclasses import dataclass

from stepbench.errors import MessageRefused
from stepbench.messages import StepMessage
from stepbench.prefix import literal_part
from stepbench.queue_urls import results_folder
from stepbench.s3_uris import bucket_and_key
from stepbench.settings import Settings

# https://docs.aws.amazon.com/AWSSimpleQueueService/latest/SQSDeveloperGuide/quotas-queues.html
_QUEUE_NAME = re.compile(r"[A-Za-z0-9_-]{1,80}")


@dataclass(frozen=True)
class Guard:
    """`literal_prefix` is what stands before the first placeholder of ORCH_PREFIX.

    `results_folder` is what the URLs of runs' own results queues begin with. `steps_queue_url`, which is none of them,
    may be beside them; null where steps come by another way.
    """

    bucket: str
    literal_prefix: str
    results_folder: str
    results_queue_prefix: str
    results_queue_url: str | None
    steps_queue_url: str | None = None

    @classmethod
    def of(cls, settings: Settings) -> Guard:
        """`settings` have a bucket, and a steps queue or a function."""
        folder = results_folder(settings)
        assert settings.bucket is not None
        assert folder is not None
        return cls(
            bucket=settings.bucket,
            literal_prefix=literal_part(settings.prefix),
            results_folder=folder,
            results_queue_prefix=settings.results_queue_prefix,
            results_queue_url=settings.results_queue_url,
            steps_queue_url=settings.steps_queue_url,
        )

    def check_results_queue(self, message: StepMessage) -> str:
        """Its URL. Raises MessageRefused unless the message asks to answer to a results queue of this fleet."""
        if message.results_queue_url is None or not self._answers(message.results_queue_url):
            raise MessageRefused(
                f"the results queue {message.results_queue_url} is not one that this worker answers to; "
                "ORCH_RESULTS_QUEUE_PREFIX or ORCH_RESULTS_QUEUE_URL must be the same here as at the orchestrator"
            )
        return message.results_queue_url

    def _answers(self, url: str) -> bool:
        if self.results_queue_url is not None:
            return url == self.results_queue_url
        # Compared as text, not taken apart: URL parsers leave out line breaks, decode, and differ from each other.
        folder, _, name = url.rpartition("/")
        sibling = folder == self.results_folder and url != self.steps_queue_url
        begins_right = name.startswith(self.results_queue_prefix) and name != self.results_queue_prefix
        return sibling and begins_right and _QUEUE_NAME.fullmatch(name) is not None

    def check_objects(self, message: StepMessage) -> None:
        """Raises MessageRefused unless the message reads and writes in this worker's bucket, below its prefix."""
        for uri in (message.input.uri, message.output.key_prefix):
            bucket, key = bucket_and_key(uri)
            if bucket != self.bucket or not key.startswith(self.literal_prefix) or ".." in key.split("/"):
                raise MessageRefused(
                    f"{uri} is not below s3://{self.bucket}/{self.literal_prefix}, where this worker stays; "
                    "ORCH_BUCKET and ORCH_PREFIX must be the same here as at the orchestrator"
                )
