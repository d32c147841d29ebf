"""What several clients share: where S3 is, a first connection, the headers of an object, its size, its parts."""

from __future__ import annotations

import re
from collections.abc import Iterator
from contextlib import AbstractContextManager, suppress
from dataclasses import dataclass
from urllib.parse import quote

from stepbench.aws import Clients, is_aws
from stepbench.errors import SizeMismatch
from stepbench.s3_clients import PAYLOAD_TAG, Encryption

_CODE = re.compile(r"<Code>([^<]+)</Code>")
_MESSAGE = re.compile(r"<Message>([^<]*)</Message>")


@dataclass(frozen=True)
class Place:
    """Where S3 is, as the SDK finds it in the user's configuration."""

    endpoint_url: str
    region: str

    @classmethod
    def of(cls, clients: Clients) -> Place:
        about = clients.s3.meta
        return cls(endpoint_url=about.endpoint_url.rstrip("/"), region=about.region_name)

    @property
    def is_aws(self) -> bool:
        return is_aws(self.endpoint_url)

    def is_virtual(self, bucket: str) -> bool:
        """Whether the bucket's name is part of the host's, as `stepbench.aws` has it for boto3.

        AWS's certificate covers one label there, so a bucket with a dot in its name is part of the path.
        """
        return self.is_aws and "." not in bucket

    def url_of(self, bucket: str) -> str:
        """What a key and a slash before it are added to."""
        scheme, _, rest = self.endpoint_url.partition("://")
        bucket = quote(bucket)  # of no effect on a name that S3 would take
        return f"{scheme}://{bucket}.{rest}" if self.is_virtual(bucket) else f"{self.endpoint_url}/{bucket}"


def quietly() -> AbstractContextManager[None]:
    """Around a first connection, which raises nothing: the object need not be there and may be forbidden.

    Whatever stands in the way of a step, by whichever library's error, is that step's error.
    """
    return suppress(Exception)


def headers(encryption: Encryption, *, tagged: bool) -> dict[str, str]:
    """Of the request that creates an object."""
    found = {"x-amz-tagging": "=".join(PAYLOAD_TAG)} if tagged else {}
    if encryption.sse == "s3":
        found["x-amz-server-side-encryption"] = "AES256"
    if encryption.sse == "kms":
        found["x-amz-server-side-encryption"] = "aws:kms"
        if encryption.kms_key_id:
            found["x-amz-server-side-encryption-aws-kms-key-id"] = encryption.kms_key_id
    return found


def check_size(uri: str, found_bytes: int, declared_bytes: int) -> None:
    """Raises SizeMismatch."""
    if found_bytes != declared_bytes:
        raise SizeMismatch(f"{uri} has {found_bytes} bytes where {declared_bytes} were declared")


def parts_of(size_bytes: int, part_bytes: int) -> Iterator[tuple[int, int]]:
    """Where each part begins and ends; one, and an empty one, of nothing."""
    for begin in range(0, max(size_bytes, 1), part_bytes):
        yield begin, min(begin + part_bytes, size_bytes)


def code_and_message(body: str, status: int) -> tuple[str, str]:
    """What S3's answer tells of an error; its status where it has no body, as that of a HEAD request."""
    code, message = _CODE.search(body), _MESSAGE.search(body)
    return (code[1] if code else str(status)), (message[1] if message else "")
