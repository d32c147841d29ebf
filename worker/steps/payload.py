"""The first step kind: a payload from S3 through memory to S3.

    download ▸ check ▸ decompress ▸ deserialize ▸ transform ▸ serialize ▸ compress ▸ checksum ▸ upload

The object is checked before anything looks into it. Each form of the payload is let go as soon as the next one exists,
so that the executor's peak is that of the library calls and no more.
"""

from __future__ import annotations

from dataclasses import dataclass
from functools import cache

import structlog

from stepbench import payload
from stepbench.buffers import Data
from stepbench.compression import Compression
from stepbench.errors import ChecksumMismatch, SizeMismatch, UsageError
from stepbench.messages import PayloadRef, StepMessage
from stepbench.payload import PayloadFormat
from stepbench.s3_clients import Encryption, S3Client
from stepbench.s3_uris import bucket_and_key, uri
from stepbench.samples import S3Facts, S3Requests
from stepbench.timing import PhaseTimer
from worker import transforms
from worker.identity import identity_of
from worker.steps import Outcome, Tools

log = structlog.get_logger()


@dataclass(frozen=True)
class Prepared:
    """A step with everything imported, made and connected."""

    message: StepMessage
    client: S3Client
    reader: PayloadFormat
    writer: PayloadFormat
    transform: transforms.Transform
    output_uri: str


def prepare(message: StepMessage, tools: Tools) -> Prepared:
    """Raises UsageError for a choice that this executor does not have, or that the message does not spell out."""
    writer = _format(message.output.serializer, message.output.compression, message.materialize)
    bucket, key_prefix = bucket_and_key(message.output.key_prefix)
    transform = transforms.load(message.transform)
    if missing := [name for name in transform.PARAMETERS if name not in message.transform_parameters]:
        raise UsageError(f"the step message asks for transform {message.transform} and lacks its {', '.join(missing)}")
    return Prepared(
        message=message,
        client=tools.s3_client(message.s3_client),
        reader=_format(message.input.serializer, message.input.compression, message.materialize),
        writer=writer,
        transform=transform,
        output_uri=uri(bucket, tools.new_key(key_prefix, writer.suffix)),
    )


def run(step: Prepared, timer: PhaseTimer) -> Outcome:
    """Raises PayloadDamaged, PayloadRefused or the S3 client's own error; `timer.current` is then the phase."""
    source, reader, writer = step.message.input, step.reader, step.writer
    data, got = _read(step, timer)
    with timer("decompress"):
        data = reader.decompress(data, source.serialized_bytes)
    with timer("deserialize"):
        value = reader.deserialize(data)
    del data
    with timer("transform"):
        value = step.transform.apply(value, step.message.transform_parameters)
    with timer("serialize"):
        data = writer.serialize(value)
    records = payload.record_count(value)
    del value
    serialized_bytes = writer.serialized_bytes(data)
    with timer("compress"):
        data = writer.compress(data)
    with timer("checksum"):
        checksum = payload.checksum(data)
    with timer("upload"):
        put = step.client.put(
            *bucket_and_key(step.output_uri), data, _encryption(step.message), tagged=step.message.output.tagged
        )
    output = PayloadRef(
        uri=step.output_uri,
        object_bytes=len(data),
        serialized_bytes=serialized_bytes,
        checksum=checksum,
        serializer=step.message.output.serializer,
        compression=step.message.output.compression,
    )
    return Outcome(output=output, records=records, s3_client=step.client.name, s3=S3Facts(get=got, put=put))


def _read(step: Prepared, timer: PhaseTimer) -> tuple[Data, S3Requests]:
    """The object, checked. What is not as announced is read once more: its way may be damaged and not the object."""
    reads: list[S3Requests] = []
    try:
        data = _read_once(step, timer, reads)
    except (ChecksumMismatch, SizeMismatch) as error:
        log.warning("a payload is read again", **identity_of(step.message), reason=str(error))
    else:
        return data, reads[0]
    # Not within the handler: the error holds on to what was read first.
    data = _read_once(step, timer, reads)
    return data, reads[0].and_again(reads[1]) if len(reads) > 1 else reads[0]


def _read_once(step: Prepared, timer: PhaseTimer, reads: list[S3Requests]) -> Data:
    source = step.message.input
    with timer("download"):
        data, got = step.client.get(*bucket_and_key(source.uri), source.object_bytes)
    reads.append(got)
    with timer("checksum"):
        payload.check(data, source.checksum)
    return data


@cache
def _format(serializer: str, compression: str, materialize: payload.Materialize) -> PayloadFormat:
    try:
        parsed = Compression.parse(compression)
    except ValueError as error:
        raise UsageError(str(error)) from error
    return PayloadFormat(serializer, parsed, materialize)


def _encryption(message: StepMessage) -> Encryption:
    return Encryption(sse=message.output.sse, kms_key_id=message.output.kms_key_id)
