"""Dead letters listed with their reasons, sent back to whom they were for, or purged."""

from __future__ import annotations

from collections.abc import Callable, Collection, Sequence
from datetime import UTC, datetime
from functools import cache
from time import time
from typing import TYPE_CHECKING

from orchestrator.upkeep import dead_letter_queue, reasons
from orchestrator.upkeep.dead_letter_queue import DeadLetter, Look
from orchestrator.upkeep.reasons import Judge, Kind
from stepbench.errors import EnvironmentRefused
from stepbench.failures import is_queue_gone
from stepbench.guard import Guard
from stepbench.queues import Outgoing
from stepbench.queues.sqs import SqsQueue
from stepbench.samples import Frozen

if TYPE_CHECKING:
    from mypy_boto3_sqs.client import SQSClient

    from stepbench.aws import Clients
    from stepbench.settings import Settings


class Letter(Frozen):
    """A dead letter as it is shown. What its body says of itself is null where it does not say it."""

    message_id: str
    sent_at: str
    receive_count: int
    """All receives, those of looking at it included."""
    run: str | None
    chain: int | None
    step: int | None
    attempt: int | None
    kind: Kind
    reason: str


class Listing(Frozen):
    """What a look at the dead-letter queue found."""

    dead_letter_queue_url: str
    letters: tuple[Letter, ...]
    hidden: int
    """About how many more somebody else has just received; nobody sees them before they come back."""
    of_other_queues: int
    """Messages that came from another queue which shares the dead-letter queue. Never touched."""
    cut_short: bool
    """There are more than can be looked at in one pass."""


class DeadLetters:
    """Those of one steps queue, or of one Lambda function. Every method raises the SDK's errors."""

    def __init__(
        self,
        client: SQSClient,
        url: str,
        judge: Judge,
        send: Callable[[Sequence[DeadLetter]], None],
        source_arn: str | None = None,
    ) -> None:
        """`url` of the dead-letter queue. `send`: to whom they were for. `source_arn`: from where ours alone come."""
        self._client = client
        self._url = url
        self._judge = judge
        self._send = send
        self._source_arn = source_arn
        self._dead = SqsQueue(client, url, dead_letter_queue.LOOK_SECONDS)

    @classmethod
    def of(cls, settings: Settings, clients: Clients) -> DeadLetters:
        """Raises EnvironmentRefused for a steps queue, or a function, without a dead-letter queue."""
        if settings.lambda_function is not None:
            return cls._of_function(settings, settings.lambda_function, clients)
        assert settings.steps_queue_url is not None
        redrive = dead_letter_queue.find(clients.sqs, settings.steps_queue_url)
        steps = SqsQueue(clients.sqs, settings.steps_queue_url, dead_letter_queue.LOOK_SECONDS)

        def send(letters: Sequence[DeadLetter]) -> None:
            steps.send([Outgoing(letter.body, letter.group) for letter in letters])

        judge = _judge(settings, clients.sqs, redrive.max_receives)
        return cls(clients.sqs, redrive.url, judge, send, redrive.steps_queue_arn)

    @classmethod
    def _of_function(cls, settings: Settings, function: str, clients: Clients) -> DeadLetters:
        configuration = clients.functions.get_function_configuration(FunctionName=function)
        url = dead_letter_queue.of_function(function, configuration, settings)
        if url is None:
            raise EnvironmentRefused(
                f"the function {function} has no dead-letter queue in SQS: give it one (DeadLetterConfig)"
            )

        def send(letters: Sequence[DeadLetter]) -> None:
            for letter in letters:
                clients.functions.invoke(FunctionName=function, InvocationType="Event", Payload=letter.body.encode())

        return cls(clients.sqs, url, _judge(settings, clients.sqs, max_receives=1), send)

    def listed(self, run: str | None) -> Listing:
        """All of them, or those that say they belong to `run`. Changes nothing but their count of receives."""
        hidden = self._dead.depth().in_flight
        letters: list[Letter] = []
        others = 0
        with Look(self._client, self._url) as look:
            for batch in look:
                ours = [letter for letter in batch if self._is_ours(letter)]
                others += len(batch) - len(ours)
                letters += [self._shown(letter) for letter in ours]
        chosen = sorted((letter for letter in letters if run in (None, letter.run)), key=lambda letter: letter.sent_at)
        return Listing(
            dead_letter_queue_url=self._url,
            letters=tuple(chosen),
            hidden=hidden,
            of_other_queues=others,
            cut_short=look.cut_short,
        )

    def send_back(self, message_ids: Collection[str]) -> int:
        """Sends these again, then deletes them here; how many were still there.

        A death in between leaves a message in both places, never in none.
        """

        def move(look: Look, letters: Sequence[DeadLetter]) -> None:
            self._send(letters)
            look.delete(letters)

        return self._with_each(message_ids, move)

    def purge(self, message_ids: Collection[str]) -> int:
        """Deletes these; how many were still there."""
        return self._with_each(message_ids, Look.delete)

    def _with_each(self, message_ids: Collection[str], act: Callable[[Look, Sequence[DeadLetter]], None]) -> int:
        """A second pass: between the first and this one somebody may have thought about it for long."""
        left = set(message_ids)
        with Look(self._client, self._url) as look:
            for batch in look if left else ():
                chosen = [letter for letter in batch if letter.id in left]
                if chosen:
                    act(look, chosen)
                left -= {letter.id for letter in chosen}
                if not left:
                    break
        return len(set(message_ids)) - len(left)

    def _is_ours(self, letter: DeadLetter) -> bool:
        return letter.source_arn in (None, self._source_arn)

    def _shown(self, letter: DeadLetter) -> Letter:
        told = reasons.told(letter.body)
        reason = self._judge.reason(letter.body, time())
        return Letter(
            message_id=letter.id,
            sent_at=datetime.fromtimestamp(letter.sent_at_ms / 1000, UTC).isoformat(timespec="milliseconds"),
            receive_count=letter.receive_count,
            run=told.run,
            chain=told.chain,
            step=told.step,
            attempt=told.attempt,
            kind=reason.kind,
            reason=reason.text,
        )


def _judge(settings: Settings, client: SQSClient, max_receives: int) -> Judge:
    return Judge(Guard.of(settings), max_receives, cache(lambda url: _is_gone(client, url)))


def _is_gone(client: SQSClient, url: str) -> bool:
    try:
        client.get_queue_attributes(QueueUrl=url, AttributeNames=["QueueArn"])
    except client.exceptions.ClientError as error:
        if not is_queue_gone(error):
            raise
        return True
    return False
