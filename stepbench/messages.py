"""The two messages: a step message goes out, a completion comes back. Worker and executor speak the same two.

Both name choices, never code, and stay well below SQS's size limit whatever the payload's size. Unknown fields are
ignored; unknown versions and malformed bodies are refused.
"""

from __future__ import annotations

from typing import Annotated, Literal, Self, TypedDict, TypeVar

from pydantic import Field, ValidationError, model_validator

from stepbench.errors import MessageRefused
from stepbench.probes import ERROR_CLASS, ProbeAnswer
from stepbench.samples import Checksum, Count, ExecutorFacts, Frozen, Phase, S3Uri, Whole, WorkerFacts

Ordinal = Annotated[Count, Field(ge=1)]
Choice = Annotated[str, Field(max_length=100)]
"""What a user types; whether there is such a choice is for whoever is asked for it."""


class PayloadRef(Frozen):
    """A payload in S3: where it is and everything that is needed to read it safely."""

    uri: S3Uri
    object_bytes: Count
    serialized_bytes: Count
    checksum: Checksum
    """Of the object's bytes."""
    serializer: Choice
    compression: Choice


class OutputSpec(Frozen):
    """Where and how a step writes its payload; the executor adds a name that no other execution uses."""

    key_prefix: S3Uri
    serializer: Choice
    compression: Choice
    sse: Literal["none", "s3", "kms"]
    kms_key_id: Annotated[str, Field(max_length=2_100)] | None
    tagged: bool = False
    """Whether the object is to carry `stepbench.s3_clients.PAYLOAD_TAG`."""


class Identity(TypedDict):
    """Which attempt a message is about."""

    run: str
    chain: int
    step: int
    attempt: int
    epoch: int
    expires_at: float


class StepMessage(Frozen):
    """One attempt at one step."""

    v: Literal[1] = 1
    run: Annotated[str, Field(pattern=r"^[A-Za-z0-9_-]{1,64}$")]
    chain: Whole
    step: Ordinal
    attempt: Ordinal
    epoch: Count
    """Which incarnation of the orchestrator sent it."""
    step_kind: Choice
    input: PayloadRef
    output: OutputSpec
    transform: Choice
    transform_parameters: dict[str, float]
    materialize: Literal["native", "rows"]
    gc: Literal["normal", "off"]
    s3_client: Choice
    step_timeout_seconds: Annotated[float, Field(gt=0, le=43_200)]
    results_queue_url: Annotated[str, Field(max_length=2_000)] | None
    """Null where the completion goes back over the pipe that the message came by."""
    expires_at: float
    """Unix time in seconds; whoever receives the message later deletes it."""

    def identity(self) -> Identity:
        """What its completion repeats of it."""
        return Identity(
            run=self.run,
            chain=self.chain,
            step=self.step,
            attempt=self.attempt,
            epoch=self.epoch,
            expires_at=self.expires_at,
        )


class StepError(Frozen):
    """Why an attempt failed."""

    error_class: Annotated[str, Field(max_length=200)]
    message: Annotated[str, Field(max_length=2_000)]
    retryable: bool
    phase: Phase | None


class Completion(Frozen):
    """What came of one attempt. `error` is null when it is done, `output` and `executor` are null when it is not."""

    v: Literal[1] = 1
    run: str
    chain: Whole
    step: Ordinal
    attempt: Ordinal
    epoch: Count
    expires_at: float
    """The step message's: nobody waits for this completion any more after it."""
    error: StepError | None = None
    output: PayloadRef | None = None
    executor: ExecutorFacts | None = None
    worker: WorkerFacts | None = None
    """Added by the worker; the executor leaves it out."""
    answer: ProbeAnswer | None = None
    """Of a probe, which has an error beside it: see `stepbench.probes`."""

    @model_validator(mode="after")
    def _done_or_failed(self) -> Self:
        if self.error is None and (self.output is None or self.executor is None):
            raise ValueError("neither an error nor an output with its facts")
        return self

    @property
    def ok(self) -> bool:
        return self.error is None


def answered(message: StepMessage, answer: ProbeAnswer) -> Completion:
    """The completion of a probe."""
    error = StepError(error_class=ERROR_CLASS, message="a probe has no output", retryable=False, phase=None)
    return Completion(**message.identity(), error=error, answer=answer)


Message = TypeVar("Message", StepMessage, Completion)


def parse(model: type[Message], body: str | bytes) -> Message:
    """The message that `body` holds. Raises MessageRefused, naming the first thing that is wrong with it."""
    try:
        return model.model_validate_json(body)
    except ValidationError as error:
        first = error.errors(include_url=False, include_context=False, include_input=False)[0]
        where = ".".join(str(part) for part in first["loc"]) or "body"
        raise MessageRefused(f"{model.__name__} refused: {where}: {first['msg']}") from error
