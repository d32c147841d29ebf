"""crt: awscrt's own S3 client, which moves an object's parts from threads of C.

Not boto3's `crt` transfer manager, which runs its classic one instead without a word as soon as another process of the
host holds its lock, cannot speak plain HTTP, and hides what S3 answered.
"""

from __future__ import annotations

import threading
from typing import Any
from urllib.parse import quote, urlsplit

from awscrt import s3
from awscrt.auth import AwsCredentials, AwsCredentialsProvider
from awscrt.exceptions import AwsCrtError
from awscrt.http import HttpHeaders, HttpRequest

from stepbench.aws import AwsConfig, Clients
from stepbench.buffers import BufferFile, Data, length
from stepbench.errors import S3Answer, S3Unreachable
from stepbench.s3_clients import Abilities, Encryption, TransferOptions
from stepbench.s3_clients._objects import Place, check_size, code_and_message, headers, parts_of, quietly
from stepbench.s3_uris import uri
from stepbench.samples import S3Requests

ABILITIES = Abilities()

# As boto3 does it: S3 checks what it gets, and what it gives is checked as far as it has a checksum of that answer.
_SENDING = s3.S3ChecksumConfig(algorithm=s3.S3ChecksumAlgorithm.CRC32, location=s3.S3ChecksumLocation.TRAILER)
_RECEIVING = s3.S3ChecksumConfig(
    validate_response=True, response_validation_mode=s3.S3ChecksumValidationMode.REQUEST_ONLY
)
# What awscrt makes of an answer that it went on getting, by its own name: the answer itself is not told then.
_ANSWERS = {
    "AWS_ERROR_S3_SLOW_DOWN": ("SlowDown", 503),
    "AWS_ERROR_S3_INTERNAL_ERROR": ("InternalError", 500),
    "AWS_ERROR_S3_REQUEST_TIME_TOO_SKEWED": ("RequestTimeTooSkewed", 403),
    "AWS_ERROR_S3_REQUEST_TIMEOUT": ("RequestTimeout", 400),
}
_OF_THE_WAY = ("AWS_IO_", "AWS_ERROR_HTTP_", "AWS_ERROR_S3_MISSING_", "AWS_ERROR_S3_INVALID_", "AWS_ERROR_S3_RESPONSE_")
"""Errors of connections, and of answers that were cut or damaged, begin with one of these."""
_REQUESTS_AROUND_PARTS = 2
"""One to begin an upload in parts, one to complete it."""


def make(config: AwsConfig, transfer: TransferOptions) -> CrtClient:
    return CrtClient(Clients(config), config, transfer)


class CrtClient:
    """See `stepbench.s3_clients.S3Client`."""

    name = "crt"

    def __init__(self, clients: Clients, config: AwsConfig, transfer: TransferOptions) -> None:
        self._transfer = transfer
        self._place = Place.of(clients)
        self._signer = _Signer(clients)
        self._client = s3.S3Client(
            region=self._place.region,
            tls_mode=_tls_mode(self._place),
            signing_config=s3.create_default_s3_signing_config(
                region=self._place.region, credential_provider=self._signer.provider
            ),
            part_size=transfer.part_bytes,
            multipart_upload_threshold=transfer.part_bytes,
            max_active_connections_override=transfer.part_concurrency,
            retry_config=_retries(config),
            connect_timeout_ms=round(config.connect_timeout_seconds * 1000),
        )

    def connect(self, bucket: str, key: str) -> None:
        with quietly():
            self._send("HEAD", bucket, key, type=s3.S3RequestType.DEFAULT, operation_name="HeadObject")

    def get(self, bucket: str, key: str, size_bytes: int) -> tuple[Data, S3Requests]:
        part_bytes = min(self._transfer.part_bytes, max(size_bytes, 1))
        incoming = _Incoming(uri(bucket, key), size_bytes)
        facts = self._send(
            "GET",
            bucket,
            key,
            incoming=incoming,
            type=s3.S3RequestType.GET_OBJECT,
            part_size=part_bytes,
            checksum_config=_RECEIVING,
        )
        return incoming.whole(), _with_retries(facts, _requests_of_get(size_bytes, part_bytes))

    def put(self, bucket: str, key: str, data: Data, encryption: Encryption, *, tagged: bool = False) -> S3Requests:
        size_bytes = length(data)
        facts = self._send(
            "PUT",
            bucket,
            key,
            more_headers={"content-length": str(size_bytes), **headers(encryption, tagged=tagged)},
            body=BufferFile(data),
            type=s3.S3RequestType.PUT_OBJECT,
            checksum_config=_SENDING,
        )
        return _with_retries(facts, _requests_of_put(size_bytes, self._transfer.part_bytes))

    def _send(
        self,
        method: str,
        bucket: str,
        key: str,
        *,
        more_headers: dict[str, str] | None = None,
        body: BufferFile | None = None,
        incoming: _Incoming | None = None,
        **how: Any,
    ) -> S3Requests:
        incoming = incoming or _Incoming(uri(bucket, key), None)
        where = urlsplit(self._place.url_of(bucket))
        named = HttpHeaders([("host", where.netloc), *(more_headers or {}).items()])
        self._signer.begin()
        # awscrt calls back from a thread of its own, and waits for what it called.
        sent = self._client.make_request(
            request=HttpRequest(method, f"{where.path}/{quote(key)}", named, body),
            on_headers=incoming.take_headers,
            on_body=incoming.take_body,
            **how,
        )
        try:
            sent.finished_future.result()
        except AwsCrtError as error:
            raise self._signer.failure or _worded(error, method) from error
        return S3Requests(requests=self._signer.signings, request_ids=incoming.request_ids)


class _Signer:
    """Gives credentials of the SDK's chain, and counts: awscrt signs every try of every request anew."""

    def __init__(self, clients: Clients) -> None:
        self._clients = clients
        self._lock = threading.Lock()
        self.signings = 0
        self.failure: Exception | None = None
        self.provider = AwsCredentialsProvider.new_delegate(self._credentials)

    def begin(self) -> None:
        """Of one transfer. Raises the SDK's error where there are no credentials."""
        self._clients.credentials()
        self.signings, self.failure = 0, None

    def _credentials(self) -> AwsCredentials:
        with self._lock:
            self.signings += 1
        try:
            found = self._clients.credentials()
        except Exception as error:
            self.failure = error
            raise
        return AwsCredentials(found.access_key, found.secret_key, found.token)


class _Incoming:
    """An answer's body, written in place by awscrt's threads; no memory is taken before the size is known."""

    def __init__(self, uri: str, declared_bytes: int | None) -> None:
        self._uri = uri
        self._declared_bytes = declared_bytes
        self._data: Data = b""
        self._taken_bytes = 0
        self.request_ids: tuple[str, ...] | None = None

    def take_headers(self, status_code: int, headers: list[tuple[str, str]], **_: Any) -> None:
        named = {name.lower(): value for name, value in headers}
        if request_id := named.get("x-amz-request-id"):
            self.request_ids = (request_id,)
        if self._declared_bytes is not None and status_code < 300:
            check_size(self._uri, int(named["content-length"]), self._declared_bytes)

    def take_body(self, chunk: bytes, offset: int, **_: Any) -> None:
        self._taken_bytes += len(chunk)
        if len(chunk) == self._declared_bytes:
            self._data = chunk
            return
        if not self._data:
            self._data = bytearray(self._declared_bytes or 0)
        assert isinstance(self._data, bytearray)
        self._data[offset : offset + len(chunk)] = chunk

    def whole(self) -> Data:
        """Raises S3Unreachable for less than was announced, which awscrt should have seen."""
        if self._taken_bytes != self._declared_bytes:
            raise S3Unreachable(f"{self._uri}: {self._taken_bytes} of {self._declared_bytes} bytes came")
        return self._data


def _tls_mode(place: Place) -> s3.S3RequestTlsMode:
    with_tls = place.endpoint_url.startswith("https://")
    return s3.S3RequestTlsMode.ENABLED if with_tls else s3.S3RequestTlsMode.DISABLED


def _retries(config: AwsConfig) -> s3.S3RetryConfig:
    if config.max_attempts == 1:
        return s3.S3RetryConfig(retry_mode=s3.S3RetryMode.NONE)
    mode = s3.S3RetryMode.ADAPTIVE if config.retry_mode == "adaptive" else s3.S3RetryMode.STANDARD
    return s3.S3RetryConfig(max_retries=config.max_attempts - 1, retry_mode=mode)


def _requests_of_get(size_bytes: int, part_bytes: int) -> int:
    """Of an undisturbed one. It asks for a range first, and of an empty object once more without."""
    return len(list(parts_of(size_bytes, part_bytes))) if size_bytes else 2


def _requests_of_put(size_bytes: int, part_bytes: int) -> int:
    parts = len(list(parts_of(size_bytes, part_bytes)))
    return parts if parts == 1 else parts + _REQUESTS_AROUND_PARTS


def _with_retries(facts: S3Requests, undisturbed: int) -> S3Requests:
    """Null where fewer were sent than we know to be needed: then we do not know."""
    retries = (facts.requests or 0) - undisturbed
    return facts.model_copy(update={"retries": retries if retries >= 0 else None})


def _worded(error: AwsCrtError, method: str) -> Exception:
    """The error as `stepbench.failures` reads it; itself where it is none of S3's and none of the way's."""
    if isinstance(error, s3.S3ResponseError):
        status = int(error.status_code)
        code, message = code_and_message((error.body or b"").decode(errors="replace"), status)
        return S3Answer(code, message, error.operation_name or method, status)
    if error.name in _ANSWERS:
        code, status = _ANSWERS[error.name]
        return S3Answer(code, f"{error.message} ({error.name})", f"{method.title()}Object", status)
    if error.name.startswith(_OF_THE_WAY):
        return S3Unreachable(f"{error.message} ({error.name})")
    other: Exception = error
    return other
