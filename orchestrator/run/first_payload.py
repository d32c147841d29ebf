"""The first payload: made, serialized and uploaded in a child process.

So the orchestrator's memory does not know the payload's size. The child does it in two goes: it makes the payload
before anything is sent or created, so that a file which cannot be used is found in time, and uploads it when there is
somewhere to upload it to. Requests go in on its stdin and answers come out on its stdout, a JSON line each. It ends
with its stdin, in the midst of its work too.

`python -m orchestrator.run.first_payload` is the child; with `again` it does not end with its first payload.
"""

from __future__ import annotations

import os
import subprocess
import sys
from collections.abc import Iterator, Mapping
from contextlib import AbstractContextManager, ExitStack, contextmanager, nullcontext
from functools import lru_cache
from pathlib import Path
from queue import SimpleQueue
from time import monotonic_ns
from typing import Any, Literal, Self

from stepbench.aws import AwsConfig
from stepbench.compression import Compression
from stepbench.errors import EnvironmentRefused, S3Answer, S3Unreachable, StepbenchError, UsageError
from stepbench.messages import PayloadRef
from stepbench.parent import leave_with_parent
from stepbench.s3_clients import Encryption, S3Client, TransferOptions
from stepbench.samples import Frozen
from stepbench.settings import Settings

AGAIN = "again"
KEPT_FOR_BYTES = 10_000_000
"""Of JSON. What makes larger ones is ended each time, with all the memory that it took."""
CLIENTS_KEPT = 8


class Recipe(Frozen):
    """What the payload is made of."""

    payload_bytes: int
    payload_file: str | None
    records_seed: int
    compressibility: float
    serializer: str
    compression: str
    materialize: Literal["native", "rows"]

    @classmethod
    def of(cls, settings: Settings) -> Recipe:
        return cls(
            payload_bytes=max(1, round(settings.payload_mb * 1e6)),
            payload_file=str(settings.payload_file) if settings.payload_file else None,
            records_seed=settings.records_seed,
            compressibility=settings.compressibility,
            serializer=settings.serializer,
            compression=settings.compression,
            materialize=settings.materialize,
        )


class Destination(Frozen):
    """Where the payload goes, and with which client."""

    uri_prefix: str
    """The child adds a suffix that fits the format."""
    s3_client: str
    encryption: Encryption
    tagged: bool = False
    aws: AwsConfig
    transfer: TransferOptions


class AwsAnswer(Frozen):
    """An answer of AWS that was an error, taken apart for the way through the pipe."""

    code: str
    message: str
    operation: str

    def as_error(self) -> Exception:
        from botocore.exceptions import ClientError

        return ClientError({"Error": {"Code": self.code, "Message": self.message}}, self.operation)


class Answer(Frozen):
    """A line of the child's: exactly one field is set, or none when the payload is made."""

    uploaded: PayloadRef | None = None
    problems: tuple[str, ...] | None = None
    """What is wrong with the user's file or choices."""
    refused: AwsAnswer | None = None
    failure: str | None = None


class FirstPayload:
    """The child at work; see `making`."""

    def __init__(self, process: subprocess.Popen[bytes]) -> None:
        self._process = process
        self._made = False
        self.is_uploaded = False

    def wait_until_made(self) -> None:
        """Raises UsageError for what cannot be made, EnvironmentRefused when the child dies of it."""
        if not self._made:
            self.answer()
            self._made = True

    def upload(self, destination: Destination) -> tuple[PayloadRef, int]:
        """The payload's place and how long the upload took in ns. Raises the SDK's error when S3 refuses."""
        began_ns = monotonic_ns()
        self.ask(destination)
        uploaded = self.answer().uploaded
        assert uploaded is not None
        self.is_uploaded = True
        return uploaded, monotonic_ns() - began_ns

    def ask(self, request: Recipe | Destination) -> None:
        assert self._process.stdin is not None
        try:
            self._process.stdin.write(request.model_dump_json().encode() + b"\n")
            self._process.stdin.flush()
        except BrokenPipeError:
            return  # it died; `answer` finds out how

    def answer(self) -> Answer:
        """Raises UsageError or EnvironmentRefused for what the child found."""
        assert self._process.stdout is not None
        line = self._process.stdout.readline()
        if not line:
            code = self._process.wait()
            raise EnvironmentRefused(
                f"the process that makes the first payload ended with {code}; if memory ran out, "
                "lower --payload-mb (PAYLOAD_MB)"
            )
        answer = Answer.model_validate_json(line)
        if answer.problems:
            raise UsageError(answer.problems)
        if answer.refused:
            raise answer.refused.as_error()
        if answer.failure:
            raise EnvironmentRefused(answer.failure)
        return answer


@contextmanager
def making(recipe: Recipe, environment: Mapping[str, str]) -> Iterator[FirstPayload]:
    """A child process that is at work on the payload, while we do something else."""
    with _child(environment) as process:
        payload = FirstPayload(process)
        payload.ask(recipe)
        yield payload


def is_kept_for(recipe: Recipe) -> bool:
    """Whether a Maker's child makes the next payload after it."""
    return recipe.payload_file is None and recipe.payload_bytes <= KEPT_FOR_BYTES


class Maker:
    """Makes the first payloads of one run after another, for the length of its block.

    Small ones in one child: to load what makes and uploads them takes it longer than all the rest.
    """

    def __init__(self, environment: Mapping[str, str]) -> None:
        self._environment = environment
        self._kept = ExitStack()
        self._process: subprocess.Popen[bytes] | None = None

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self._let_go()

    @contextmanager
    def making(self, recipe: Recipe) -> Iterator[FirstPayload]:
        """As the function that is so called."""
        if not is_kept_for(recipe):
            with making(recipe, self._environment) as payload:
                yield payload
            return
        payload = FirstPayload(self._living())
        try:
            payload.ask(recipe)
            yield payload
        finally:
            if not payload.is_uploaded:  # nobody knows what it waits for
                self._let_go()

    def _living(self) -> subprocess.Popen[bytes]:
        if self._process is None or self._process.poll() is not None:
            self._let_go()
            self._process = self._kept.enter_context(_child(self._environment, AGAIN))
        return self._process

    def _let_go(self) -> None:
        self._process = None
        self._kept.close()


@contextmanager
def _child(environment: Mapping[str, str], *words: str) -> Iterator[subprocess.Popen[bytes]]:
    process = subprocess.Popen(
        [sys.executable, "-P", "-m", __name__, *words],
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        env=dict(environment),
        start_new_session=True,
    )
    try:
        yield process
    finally:
        process.kill()
        process.wait()
        for pipe in (process.stdin, process.stdout):
            if pipe is not None:
                _close(pipe)


def _close(pipe: Any) -> None:
    try:
        pipe.close()
    except BrokenPipeError:
        return


# --- the child ----------------------------------------------------------------------------------------------------


class _Made:
    """The payload as it will be uploaded."""

    def __init__(self, recipe: Recipe) -> None:
        from stepbench import payload
        from stepbench.payload import PayloadFormat

        self._recipe = recipe
        form = PayloadFormat(recipe.serializer, Compression.parse(recipe.compression), recipe.materialize)
        with _naming_the_file(recipe):
            data = form.serialize(_value(recipe, form))
        self._serialized_bytes = form.serialized_bytes(data)
        self._data = form.compress(data)
        self._checksum = payload.checksum(self._data)
        self._suffix = form.suffix

    def upload(self, destination: Destination) -> PayloadRef:
        from stepbench.s3_uris import bucket_and_key

        uri = f"{destination.uri_prefix}.{self._suffix}"
        client = _client(destination.s3_client, destination.aws, destination.transfer)
        client.put(*bucket_and_key(uri), self._data, destination.encryption, tagged=destination.tagged)
        return PayloadRef(
            uri=uri,
            object_bytes=len(self._data),
            serialized_bytes=self._serialized_bytes,
            checksum=self._checksum,
            serializer=self._recipe.serializer,
            compression=self._recipe.compression,
        )


@lru_cache(CLIENTS_KEPT)
def _client(name: str, aws: AwsConfig, transfer: TransferOptions) -> S3Client:
    from stepbench import s3_clients

    return s3_clients.make(name, aws, transfer)


def _naming_the_file(recipe: Recipe) -> AbstractContextManager[None]:
    from stepbench import payload_file

    return nullcontext() if recipe.payload_file is None else payload_file.naming(Path(recipe.payload_file))


def _value(recipe: Recipe, form: Any) -> Any:
    from stepbench import payload_file, records

    if recipe.payload_file is not None:
        loaded = payload_file.load(Path(recipe.payload_file), recipe.serializer)
        return loaded if isinstance(loaded, bytes) else form.value_of(loaded)
    if form.form == "bytes":
        return records.raw_bytes(recipe.payload_bytes, recipe.records_seed, recipe.compressibility)
    return form.value_of(records.generate(recipe.payload_bytes, recipe.records_seed, recipe.compressibility))


def _say(answer: Answer) -> None:
    try:
        os.write(1, answer.model_dump_json().encode() + b"\n")
    except BrokenPipeError:  # the orchestrator is gone
        sys.exit(0)


def main() -> None:
    from stepbench.aws_errors import answer_in

    requests: SimpleQueue[bytes] = SimpleQueue()
    leave_with_parent(requests.put)
    try:
        _make_one(requests)
        while AGAIN in sys.argv[1:]:
            _make_one(requests)
    except MemoryError:
        _say(Answer(failure="memory ran out while the first payload was made; lower --payload-mb (PAYLOAD_MB)"))
    except Exception as error:  # noqa: BLE001 # told to the orchestrator, or raised again
        _say(_told(answer_in(error)))


def _make_one(requests: SimpleQueue[bytes]) -> None:
    made = _Made(Recipe.model_validate_json(requests.get()))
    _say(Answer())
    _say(Answer(uploaded=made.upload(Destination.model_validate_json(requests.get()))))


def _told(error: BaseException) -> Answer:
    """What the orchestrator is told; a bug of ours is raised again, to end with its traceback."""
    from botocore.exceptions import BotoCoreError, ClientError

    if isinstance(error, ClientError | S3Answer):
        answer = error.response["Error"]
        return Answer(
            refused=AwsAnswer(code=answer["Code"], message=answer.get("Message", ""), operation=error.operation_name)
        )
    if isinstance(error, S3Unreachable | BotoCoreError):
        return Answer(failure=str(error))
    if isinstance(error, UsageError):
        return Answer(problems=error.problems)
    if isinstance(error, EnvironmentRefused):
        return Answer(failure=str(error))
    if isinstance(error, StepbenchError):
        return Answer(problems=(str(error),))
    raise error


if __name__ == "__main__":
    main()
