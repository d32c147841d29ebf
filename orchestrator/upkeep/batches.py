"""Objects deleted many at a time."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING

from botocore.exceptions import ClientError

if TYPE_CHECKING:
    from mypy_boto3_s3.client import S3Client

MAX_DELETED_AT_ONCE = 1_000
"""See https://docs.aws.amazon.com/AmazonS3/latest/API/API_DeleteObjects.html."""


def delete(client: S3Client, bucket: str, keys: Sequence[str]) -> None:
    """All of them, in their order. Raises the SDK's error, also that of a single key once its batch is through."""
    for begin in range(0, len(keys), MAX_DELETED_AT_ONCE):
        for error in delete_batch(client, bucket, keys[begin : begin + MAX_DELETED_AT_ONCE]).values():
            raise error


def delete_batch(client: S3Client, bucket: str, keys: Sequence[str]) -> dict[str, ClientError]:
    """At most MAX_DELETED_AT_ONCE of them; S3's answers for those that are still there. Raises the SDK's error."""
    objects = [{"Key": key} for key in keys]
    answer = client.delete_objects(Bucket=bucket, Delete={"Objects": objects, "Quiet": True})  # type: ignore[typeddict-item] # a key is all that is needed
    return {
        error.get("Key", ""): ClientError(
            {"Error": {"Code": error.get("Code", ""), "Message": error.get("Message", "")}}, "DeleteObjects"
        )
        for error in answer.get("Errors", ())
    }
