"""The bucket: an object below the prefix is written, read, looked at for its encryption, and deleted."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from typing import Any

from botocore.exceptions import ClientError

from orchestrator.doctor.findings import ROLE, Check, note, ok, wrong
from orchestrator.doctor.ground import Ground
from orchestrator.run import round_trip
from stepbench import s3_clients
from stepbench.aws_errors import sentence_for
from stepbench.failures import error_code
from stepbench.prefix import literal_part
from stepbench.s3_clients import Encryption, TransferOptions
from stepbench.s3_uris import uri
from stepbench.settings import Settings

CONTENT = b"written by python -m orchestrator doctor, which deletes it\n"
ASKED = {"none": None, "s3": "AES256", "kms": "aws:kms"}
"""SSE → what S3 calls it."""
ANSWERS_OF_NO_DEFAULT = frozenset({"ServerSideEncryptionConfigurationNotFoundError", "NotImplemented", "404"})


@dataclass(frozen=True)
class Stored:
    """How an object is encrypted, or is by default; null for what was not told."""

    encryption: str | None
    key: str | None


def checks(ground: Ground, round_trips_ns: dict[str, tuple[int, ...]]) -> Iterator[Check]:
    """Raises the SDK's errors, UsageError for an S3 client that is not installed."""
    with _object(ground):
        stored = _read(ground)
        round_trips_ns["s3"] = round_trip.durations_ns(lambda: _read(ground))
    yield ok("Bucket", f"put, get and delete below {uri(ground.bucket, literal_part(ground.settings.prefix))}")
    default, untold = _default(ground)
    yield judged(ground.settings, stored, default, echoes=ground.s3_is_aws, untold=untold)


def judged(settings: Settings, stored: Stored, default: Stored, *, echoes: bool, untold: str | None = None) -> Check:
    """What was asked for, against what the object got and the bucket's `default`.

    `echoes`: a server that tells how an object is encrypted, as AWS does. `untold`: why the default is not known.
    """
    asked, got, name = ASKED[settings.sse], stored.encryption, "Encryption"
    by_default = (
        f"the bucket's default is {_words(default)}" if untold is None else f"its default is not seen: {untold}"
    )
    if got is None and not echoes:
        return note(name, f"SSE={settings.sse}; the server does not tell how an object is encrypted; {by_default}")
    if asked is not None and got != asked:
        found = f"SSE={settings.sse} asks for {asked} and the object got {_words(stored)}; {by_default}"
        return wrong(name, found, "--sse (SSE), or the bucket's own rules")
    if not _is_key(settings.kms_key_id, stored.key):
        found = f"KMS_KEY_ID={settings.kms_key_id} was asked for and the object got {_words(stored)}"
        return wrong(name, found, "--kms-key-id (KMS_KEY_ID)")
    found = f"SSE={settings.sse}, the object got {_words(stored)}; {by_default}"
    if asked is None and default.key is not None:
        mend = "SSE=kms and KMS_KEY_ID, so that `policy` prints the right to use that key"
        return note(name, found, mend)
    return ok(name, found)


@contextmanager
def _object(ground: Ground) -> Iterator[None]:
    """There for the length of the block. By the S3 client of the steps."""
    settings = ground.settings
    client = s3_clients.make(settings.s3_client, ground.config, TransferOptions.of(settings))
    encryption = Encryption(sse=settings.sse, kms_key_id=settings.kms_key_id)
    client.put(ground.bucket, ground.key, CONTENT, encryption, tagged=settings.payload_tag)
    try:
        yield
    finally:
        ground.clients.s3.delete_object(Bucket=ground.bucket, Key=ground.key)


def _read(ground: Ground) -> Stored:
    answer = ground.clients.s3.get_object(Bucket=ground.bucket, Key=ground.key)
    answer["Body"].read()
    return Stored(answer.get("ServerSideEncryption"), answer.get("SSEKMSKeyId"))


def _default(ground: Ground) -> tuple[Stored, str | None]:
    """The bucket's default encryption, or why it is not known."""
    try:
        answer = ground.clients.s3.get_bucket_encryption(Bucket=ground.bucket)
    except ClientError as error:
        if error_code(error) in ANSWERS_OF_NO_DEFAULT:
            return Stored(None, None), None
        return Stored(None, None), sentence_for(error, ROLE, ground.settings)
    rules = answer["ServerSideEncryptionConfiguration"]["Rules"]
    rule: Any = next((rule["ApplyServerSideEncryptionByDefault"] for rule in rules if rule), {})
    return Stored(rule.get("SSEAlgorithm"), rule.get("KMSMasterKeyID")), None


def _words(stored: Stored) -> str:
    return (stored.encryption or "none") + (f" with {stored.key}" if stored.key else "")


def _is_key(asked: str | None, got: str | None) -> bool:
    """Keys are asked for by id or ARN and told by ARN. An alias is not told apart from another."""
    if asked is None or got is None or "alias/" in asked:
        return True
    return asked.rpartition("/")[2] == got.rpartition("/")[2]
