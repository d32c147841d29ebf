"""`s3://bucket/key`, put together and taken apart."""

from __future__ import annotations


def uri(bucket: str, key: str) -> str:
    return f"s3://{bucket}/{key}"


def bucket_and_key(text: str) -> tuple[str, str]:
    """Raises ValueError for anything but `s3://bucket/key`."""
    scheme, _, rest = text.partition("://")
    bucket, slash, key = rest.partition("/")
    if scheme != "s3" or not bucket or not slash or not key:
        raise ValueError(f"{text!r} is not s3://BUCKET/KEY")
    return bucket, key
