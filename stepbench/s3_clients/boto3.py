"""boto3: one request for an object up to the size of a part, the classic transfer manager's parallel parts above."""

from __future__ import annotations

import io
from contextlib import closing
from typing import TYPE_CHECKING, Any

from boto3.s3.transfer import TransferConfig, create_transfer_manager
from s3transfer.subscribers import BaseSubscriber

from stepbench.aws import AwsConfig, Clients
from stepbench.buffers import BufferFile, Data
from stepbench.errors import SizeMismatch
from stepbench.s3_clients import PAYLOAD_TAG, Abilities, Encryption, TransferOptions
from stepbench.s3_clients._boto3_requests import RequestCounter
from stepbench.s3_clients._objects import check_size, quietly
from stepbench.s3_uris import uri
from stepbench.samples import S3Requests

if TYPE_CHECKING:
    from botocore.model import OperationModel
    from s3transfer.futures import TransferFuture

ABILITIES = Abilities()
_TAGGING = {"Tagging": "=".join(PAYLOAD_TAG)}


def make(config: AwsConfig, transfer: TransferOptions) -> Boto3Client:
    return Boto3Client(Clients(config), transfer)


class Boto3Client:
    """See `stepbench.s3_clients.S3Client`."""

    name = "boto3"

    def __init__(self, clients: Clients, transfer: TransferOptions) -> None:
        self._client = clients.s3
        self._transfer = transfer
        self._counter = RequestCounter(self._client)
        self._client.meta.events.register_last("before-call.s3", _expect_nothing)

    def connect(self, bucket: str, key: str) -> None:
        with quietly():
            self._client.head_object(Bucket=bucket, Key=key)

    def get(self, bucket: str, key: str, size_bytes: int) -> tuple[Data, S3Requests]:
        with self._counter.counting() as counted:
            if size_bytes > self._transfer.part_bytes:
                data: Data = self._get_parts(bucket, key, size_bytes)
            else:
                data = self._get_whole(bucket, key, size_bytes)
        return data, counted.facts()

    def put(self, bucket: str, key: str, data: Data, encryption: Encryption, *, tagged: bool = False) -> S3Requests:
        extra = encryption_arguments(encryption) | (_TAGGING if tagged else {})
        with self._counter.counting() as counted:
            if memoryview(data).nbytes > self._transfer.part_bytes:
                file: Any = BufferFile(data)
                self._client.upload_fileobj(file, bucket, key, extra, Config=self._transfer_config())
            else:
                body: Any = data if isinstance(data, bytes) else BufferFile(data)
                self._client.put_object(Bucket=bucket, Key=key, Body=body, **extra)
        return counted.facts()

    def _get_whole(self, bucket: str, key: str, size_bytes: int) -> bytes:
        response = self._client.get_object(Bucket=bucket, Key=key)
        # Not `with response["Body"]`: that gives urllib3's response, whose errors are not the SDK's.
        with closing(response["Body"]) as body:
            check_size(uri(bucket, key), response["ContentLength"], size_bytes)
            return body.read()

    def _get_parts(self, bucket: str, key: str, size_bytes: int) -> bytearray:
        # The transfer manager would make this request itself; made here, no memory is taken on a declaration's word.
        head = self._client.head_object(Bucket=bucket, Key=key)
        check_size(uri(bucket, key), head["ContentLength"], size_bytes)
        buffer = _Buffer(size_bytes, uri(bucket, key))
        with create_transfer_manager(self._client, self._transfer_config()) as manager:
            manager.download(bucket, key, buffer, subscribers=[_Known(size_bytes, head["ETag"])]).result()  # type: ignore[arg-type] # writes and seeks are all that the transfer manager needs of a file
        check_size(uri(bucket, key), buffer.end_bytes, size_bytes)
        return buffer.data

    def _transfer_config(self) -> TransferConfig:
        return TransferConfig(
            multipart_threshold=self._transfer.part_bytes,
            multipart_chunksize=self._transfer.part_bytes,
            max_concurrency=self._transfer.part_concurrency,
            preferred_transfer_client="classic",
        )


class _Known(BaseSubscriber):
    """Tells the transfer manager what it would ask the server for, again."""

    def __init__(self, size_bytes: int, etag: str) -> None:
        self._size_bytes = size_bytes
        self._etag = etag

    def on_queued(self, future: TransferFuture, **_: Any) -> None:
        future.meta.provide_transfer_size(self._size_bytes)
        future.meta.provide_object_etag(self._etag)


class _Buffer:
    """A file of a size known beforehand: parts are written in place, nothing is ever copied or grown."""

    def __init__(self, size_bytes: int, uri: str) -> None:
        self.data = bytearray(size_bytes)
        self.end_bytes = 0
        """Where what was written ends. Not how much was written: a part whose connection broke is written again."""
        self._position = 0
        self._uri = uri

    def seekable(self) -> bool:
        return True

    def seek(self, offset: int, whence: int = io.SEEK_SET) -> int:
        self._position = {io.SEEK_SET: 0, io.SEEK_CUR: self._position, io.SEEK_END: len(self.data)}[whence] + offset
        return self._position

    def tell(self) -> int:
        return self._position

    def write(self, chunk: bytes) -> int:
        end = self._position + len(chunk)
        if end > len(self.data):
            raise SizeMismatch(f"{self._uri} is larger than the {len(self.data)} bytes that were declared")
        self.data[self._position : end] = chunk
        self._position = end
        self.end_bytes = max(self.end_bytes, end)
        return len(chunk)


def _expect_nothing(model: OperationModel, params: dict[str, Any], **_: Any) -> None:
    """Put as bytes are put: botocore would have a file wait for the server's `100 Continue`, a round trip more."""
    if model.name == "PutObject":
        params["headers"].pop("Expect", None)


def encryption_arguments(encryption: Encryption) -> dict[str, Any]:
    """What asks for it, in the SDK's own words, of a put and of a transfer."""
    if encryption.sse == "none":
        return {}
    if encryption.sse == "s3":
        return {"ServerSideEncryption": "AES256"}
    key = {"SSEKMSKeyId": encryption.kms_key_id} if encryption.kms_key_id else {}
    return {"ServerSideEncryption": "aws:kms", **key}
