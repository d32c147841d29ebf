"""obstore: Rust's object_store. It retries by itself and tells nothing of its requests."""

from __future__ import annotations

import re
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import UTC, datetime, timedelta
from typing import TYPE_CHECKING
from urllib.parse import quote

from obstore.exceptions import BaseError
from obstore.store import S3Store

from stepbench.aws import AwsConfig, Clients
from stepbench.buffers import Data, length
from stepbench.errors import S3Answer, S3Unreachable, UsageError
from stepbench.s3_clients import PAYLOAD_TAG, Abilities, Encryption, TransferOptions
from stepbench.s3_clients._objects import Place, check_size, code_and_message, quietly
from stepbench.s3_clients._parts import PartReader
from stepbench.s3_uris import uri
from stepbench.samples import S3Requests

if TYPE_CHECKING:
    from obstore.store import ClientConfig, RetryConfig, S3Config, S3Credential

ABILITIES = Abilities()

# It keeps credentials until five minutes before they expire. The SDK's chain, which is asked then, knows when they do.
_CREDENTIALS_FOR = timedelta(minutes=10)
_WHOLE_REQUEST = timedelta(hours=12)
"""Its default of 30 s would end every large part on a slow way; READ_TIMEOUT bounds each wait."""
_REFUSED = re.compile(r"Error performing (\w+) .*? Server returned non-2xx status code: (\d+)", re.DOTALL)
_OPERATIONS = {"HEAD": "HeadObject", "GET": "GetObject", "PUT": "PutObject", "POST": "CreateMultipartUpload"}
_DEBUG = "\n\nDebug source:"


def make(config: AwsConfig, transfer: TransferOptions) -> ObstoreClient:
    return ObstoreClient(Clients(config), config, transfer)


class ObstoreClient:
    """See `stepbench.s3_clients.S3Client`."""

    name = "obstore"

    def __init__(self, clients: Clients, config: AwsConfig, transfer: TransferOptions) -> None:
        self._clients = clients
        self._config = config
        self._transfer = transfer
        self._place = Place.of(clients)
        self._parts = PartReader(transfer)
        self._stores: dict[str, tuple[Encryption, S3Store]] = {}

    def connect(self, bucket: str, key: str) -> None:
        with quietly():
            self._store(bucket).head(key)

    def get(self, bucket: str, key: str, size_bytes: int) -> tuple[Data, S3Requests]:
        self._clients.credentials()  # raises the SDK's own error, which it would hide
        with _worded(bucket, key):
            data = self._get(self._store(bucket), bucket, key, size_bytes)
        return data, S3Requests()

    def put(self, bucket: str, key: str, data: Data, encryption: Encryption, *, tagged: bool = False) -> S3Requests:
        self._clients.credentials()
        tags = dict([PAYLOAD_TAG]) if tagged else None
        in_parts = length(data) > self._transfer.part_bytes
        with _worded(bucket, key):
            self._store(bucket, encryption).put(
                key,
                memoryview(data).cast("B"),
                tags=tags,
                use_multipart=in_parts,
                chunk_size=self._transfer.part_bytes,
                max_concurrency=self._transfer.part_concurrency,
            )
        return S3Requests()

    def _get(self, store: S3Store, bucket: str, key: str, size_bytes: int) -> Data:
        part_bytes = self._transfer.part_bytes
        in_parts = size_bytes > part_bytes
        # The first answer tells the size. Its body is not read before that is known to be right.
        answer = store.get(key, options={"range": (0, part_bytes)} if in_parts else {})
        check_size(uri(bucket, key), answer.meta["size"], size_bytes)
        if not in_parts:
            return memoryview(answer.bytes())
        buffer = bytearray(size_bytes)

        def read(begin: int, end: int, room: memoryview) -> None:
            body = answer.bytes() if begin == 0 else store.get_range(key, start=begin, end=end)
            room[:] = memoryview(body)

        self._parts.read(buffer, read)
        return buffer

    def _store(self, bucket: str, encryption: Encryption | None = None) -> S3Store:
        """One with its own connections, made anew only where another encryption is wanted: it belongs to the store."""
        kept = self._stores.get(bucket)
        if kept is None or encryption not in (None, kept[0]):
            wanted = encryption or Encryption()
            kept = self._stores[bucket] = wanted, self._new_store(bucket, wanted)
        return kept[1]

    def _new_store(self, bucket: str, encryption: Encryption) -> S3Store:
        virtual = self._place.is_virtual(bucket)
        place: S3Config = {
            "endpoint": self._place.url_of(bucket) if virtual else self._place.endpoint_url,
            "region": self._place.region,
            "virtual_hosted_style_request": virtual,
        }
        return S3Store(
            quote(bucket),  # what is no part of an address would end the process
            config={**place, **_encryption(encryption)},
            client_options=_client_options(self._config),
            retry_config=_retries(self._config),
            credential_provider=self._credentials,
        )

    def _credentials(self) -> S3Credential:
        found = self._clients.credentials()
        return {
            "access_key_id": found.access_key,
            "secret_access_key": found.secret_key,
            "token": found.token,
            "expires_at": datetime.now(UTC) + _CREDENTIALS_FOR,
        }


def _encryption(encryption: Encryption) -> S3Config:
    if encryption.sse == "none":
        return {}
    if encryption.sse == "s3":
        return {"server_side_encryption": "AES256"}
    key: S3Config = {"sse_kms_key_id": encryption.kms_key_id} if encryption.kms_key_id else {}
    return {"server_side_encryption": "aws:kms", **key}


def _client_options(config: AwsConfig) -> ClientConfig:
    return {
        "allow_http": True,
        "connect_timeout": timedelta(seconds=config.connect_timeout_seconds),
        "read_timeout": timedelta(seconds=config.read_timeout_seconds),
        "timeout": _WHOLE_REQUEST,
    }


def _retries(config: AwsConfig) -> RetryConfig:
    """As many as there are; its own bound in time, 3 min, would come before a few READ_TIMEOUTs are over."""
    return {"max_retries": config.max_attempts - 1, "retry_timeout": _WHOLE_REQUEST}


@contextmanager
def _worded(bucket: str, key: str) -> Iterator[None]:
    """Its errors are texts; they come out as `stepbench.failures` reads them."""
    try:
        yield
    except (BaseError, FileNotFoundError, PermissionError) as error:
        raise _error(str(error).partition(_DEBUG)[0]) from error
    except ValueError as error:
        raise UsageError(f"obstore does not take the key of {uri(bucket, key)}: {error}") from error


def _error(text: str) -> Exception:
    if refused := _REFUSED.search(text):
        method, status = refused[1], int(refused[2])
        code, message = code_and_message(text[refused.end() :], status)
        return S3Answer(code, message, _OPERATIONS.get(method, method), status)
    return S3Unreachable(text)
