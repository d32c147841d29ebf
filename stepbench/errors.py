"""Every error this project raises on purpose.

One root, a short tree: what the user got wrong, what the environment refused, what a payload or a message turned out
to be. Anything else that reaches the top is a bug of ours and keeps its traceback.
"""

from __future__ import annotations

from collections.abc import Iterable
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from stepbench.samples import Phase


class StepbenchError(Exception):
    """Root of all errors that have a sentence for a person."""


class UsageError(StepbenchError):
    """What the user asked for is wrong; exit code 2.

    `problems` holds one sentence for each thing that is wrong, each naming the flag or variable that mends it.
    """

    def __init__(self, problems: str | Iterable[str]) -> None:
        self.problems: tuple[str, ...] = (problems,) if isinstance(problems, str) else tuple(problems)
        super().__init__("\n".join(self.problems))


class EnvironmentRefused(StepbenchError):
    """Credentials, permissions, a bucket or a queue stand in the way; exit code 3."""


class FileRefused(EnvironmentRefused):
    """What is measured cannot be written down: a full disk, or a file that somebody has moved or cut."""


class PayloadRefused(StepbenchError):
    """Records that a serializer cannot carry as they are; the message names column, row and what to do."""


class PayloadDamaged(StepbenchError):
    """A payload is truncated, corrupted or not of the serializer or compression that was announced."""


class ChecksumMismatch(PayloadDamaged):
    """A payload is not what its producer announced; the message holds both checksums."""


class SizeMismatch(PayloadDamaged):
    """A payload is larger or smaller than its producer declared."""


class S3Answer(StepbenchError):
    """S3 answered a request with an error: what S3 clients make of the errors of libraries that are not AWS's SDK.

    Has the SDK's own attributes, so that nobody who reads those need know which library it was.
    """

    def __init__(self, code: str, message: str, operation: str, status: int) -> None:
        self.operation_name = operation
        self.response: dict[str, Any] = {
            "Error": {"Code": code, "Message": message},
            "ResponseMetadata": {"HTTPStatusCode": status},
        }
        super().__init__(f"S3 answered {operation} with {code}: {message or f'status {status}'}")


class S3Unreachable(StepbenchError):
    """A request to S3 or its answer was lost, cut or damaged on its way: as S3Answer, of other libraries."""


class MessageRefused(StepbenchError):
    """A message body is malformed, of an unknown version, or asks for what this process may not do."""


class ExecutorLost(StepbenchError):
    """An executor is of no more use; `phase` is where it was, null if in none."""

    def __init__(self, message: str, phase: Phase | None) -> None:
        self.phase = phase
        super().__init__(message)


class StepTimeout(ExecutorLost):
    """A step ran longer than STEP_TIMEOUT; its executor was ended."""


class ExecutorDied(ExecutorLost):
    """The executor's process ended during a step (killed, out of memory, crashed)."""


class StepDisowned(StepbenchError):
    """The worker has learnt that a step's message is not its own any more; never published."""


class PartlyRefused(EnvironmentRefused):
    """A queue went on refusing some messages of a batch."""
