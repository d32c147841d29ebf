"""What every look stands on: the settings, the clients, and the replies that they have heard so far."""

from __future__ import annotations

from dataclasses import dataclass, field
from email.utils import parsedate_to_datetime
from statistics import median
from time import time
from typing import Any

from orchestrator.run.plan import PAYLOADS_FOLDER, new_run_id, utc_now
from stepbench import prefix
from stepbench.aws import AwsConfig, Clients, is_aws
from stepbench.settings import Settings

MOST_TRIES = 2
MOST_READ_SECONDS = 15.0
"""Of one call: whoever asks what is wrong is not to wait until all of the SDK's tries are used up. No receive of the
doctor's waits longer than 10 s."""
DATE_IS_CUT_TO_SECONDS = 1.0


@dataclass
class Replies:
    """The clocks of those who answered, against ours."""

    ahead_seconds: list[float] = field(default_factory=list)
    """By how much ours was ahead when each reply came."""

    def hear(self, response_dict: Any = None, **_: Any) -> None:
        """A handler of botocore's event `response-received`."""
        try:
            told = parsedate_to_datetime((response_dict or {})["headers"]["Date"]).timestamp()
        except (KeyError, TypeError, ValueError):
            return
        self.ahead_seconds.append(time() - told - DATE_IS_CUT_TO_SECONDS / 2)

    def skew_seconds(self) -> float | None:
        """Positive: our clock is ahead. To a second or so, and null where nobody has told the time."""
        return median(self.ahead_seconds) if self.ahead_seconds else None


class Ground:
    """Keys and queues are named as those of a run that began now: what a death leaves here, `cleanup` finds."""

    def __init__(self, settings: Settings) -> None:
        """`settings` have a bucket, and a steps queue where their channel has one."""
        assert settings.bucket is not None
        config = AwsConfig.of(settings)
        impatient = {
            "max_attempts": min(MOST_TRIES, config.max_attempts),
            "read_timeout_seconds": min(MOST_READ_SECONDS, config.read_timeout_seconds),
        }
        self.settings = settings
        self.bucket = settings.bucket
        self.config = config.model_copy(update=impatient)
        self.clients = Clients(self.config)
        self.replies = Replies()
        now = utc_now()
        self.run_id = new_run_id(now)
        self.key = f"{prefix.expand(settings.prefix, self.run_id, f'{now:%Y-%m-%d}')}{PAYLOADS_FOLDER}doctor"

    @property
    def steps_queue_url(self) -> str:
        """For looks at queues, which are not made where there is none."""
        assert self.settings.steps_queue_url is not None
        return self.settings.steps_queue_url

    @property
    def has_steps_queue(self) -> bool:
        return self.settings.steps_queue_url is not None

    @property
    def function(self) -> str:
        """For looks at it, which are not made where there is none."""
        assert self.settings.lambda_function is not None
        return self.settings.lambda_function

    @property
    def has_function(self) -> bool:
        return self.settings.lambda_function is not None

    def listen(self) -> None:
        """Raises EnvironmentRefused where no client can be made."""
        clients: list[Any] = [self.clients.s3]
        clients += [self.clients.sqs] if self.has_steps_queue or self.has_function else []
        clients += [self.clients.functions] if self.has_function else []
        for client in clients:
            client.meta.events.register("response-received", self.replies.hear)

    @property
    def s3_is_aws(self) -> bool:
        return is_aws(self.settings.s3_endpoint_url or self.settings.endpoint_url)

    @property
    def sqs_is_aws(self) -> bool:
        return is_aws(self.settings.sqs_endpoint_url or self.settings.endpoint_url)
