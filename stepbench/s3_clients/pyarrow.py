"""pyarrow: Arrow's own S3 file system, on AWS's SDK for C++. It tells nothing of its requests.

It cannot tag objects and cannot ask for encryption. Its parts of an upload have 10 MiB, whatever S3_PART_MB is.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any
from urllib.parse import urlsplit
from urllib.request import getproxies, proxy_bypass

import pyarrow as pa
from pyarrow import fs

from stepbench.aws import AwsConfig, Clients, Keys
from stepbench.buffers import Data
from stepbench.errors import S3Answer, S3Unreachable, UsageError
from stepbench.s3_clients import Abilities, Encryption, TransferOptions
from stepbench.s3_clients._objects import Place, check_size, quietly
from stepbench.s3_clients._parts import PartReader
from stepbench.s3_uris import uri
from stepbench.samples import S3Requests

ABILITIES = Abilities(tags=False, encryption=False)

_ANSWER = re.compile(r"AWS Error ([A-Z_]+)(?: \(HTTP status (\d+)\))? during (\w+) operation: (.*)", re.DOTALL)
_NAMED = re.compile(r"ExceptionName: (\w+)")
_CODES = {"INTERNAL_FAILURE": "InternalError", "ACCESS_DENIED": "AccessDenied"}
"""Where its name is not S3's own code in capitals."""


def make(config: AwsConfig, transfer: TransferOptions) -> PyarrowClient:
    return PyarrowClient(Clients(config), config, transfer)


class PyarrowClient:
    """See `stepbench.s3_clients.S3Client`."""

    name = "pyarrow"

    def __init__(self, clients: Clients, config: AwsConfig, transfer: TransferOptions) -> None:
        self._clients = clients
        self._config = config
        self._transfer = transfer
        self._place = Place.of(clients)
        self._parts = PartReader(transfer)
        self._made: tuple[Keys, Any] | None = None
        pa.set_io_thread_count(transfer.part_concurrency)  # they send the parts of an upload

    def connect(self, bucket: str, key: str) -> None:
        with quietly():
            self._files().open_input_file(f"{bucket}/{key}")

    def get(self, bucket: str, key: str, size_bytes: int) -> tuple[Data, S3Requests]:
        with _worded(bucket, key), self._files().open_input_file(f"{bucket}/{key}") as file:
            check_size(uri(bucket, key), file.size(), size_bytes)
            buffer = bytearray(size_bytes)
            if size_bytes <= self._transfer.part_bytes:
                _check_came(file.readinto(buffer), size_bytes)
            else:
                self._get_parts(file, buffer)
        return buffer, S3Requests()

    def put(self, bucket: str, key: str, data: Data, encryption: Encryption, *, tagged: bool = False) -> S3Requests:
        ABILITIES.insist(self.name, encryption, tagged=tagged)
        with (
            _worded(bucket, key),
            self._files().open_output_stream(f"{bucket}/{key}", compression=None) as stream,
        ):
            stream.write(memoryview(data).cast("B"))
        return S3Requests()

    def _get_parts(self, file: Any, buffer: bytearray) -> None:
        """Several threads may read one file at places of their own."""

        def read(begin: int, end: int, room: memoryview) -> None:
            part = file.read_at(end - begin, begin)
            _check_came(len(part), end - begin)
            room[:] = part

        self._parts.read(buffer, read)

    def _files(self) -> Any:
        """The file system, made anew when the SDK's chain has other credentials: it renews none itself."""
        now = self._clients.credentials()
        if self._made is None or self._made[0] != now:
            self._made = now, self._new_files(now)
        return self._made[1]

    def _new_files(self, credentials: Keys) -> Any:
        where = urlsplit(self._place.endpoint_url)
        return fs.S3FileSystem(
            access_key=credentials.access_key,
            secret_key=credentials.secret_key,
            session_token=credentials.token,
            region=self._place.region,
            scheme=where.scheme,
            endpoint_override=None if self._place.is_aws else where.netloc,
            force_virtual_addressing=False,
            connect_timeout=self._config.connect_timeout_seconds,
            request_timeout=self._config.read_timeout_seconds,
            retry_strategy=fs.AwsStandardS3RetryStrategy(max_attempts=self._config.max_attempts),
            proxy_options=_proxy(where.scheme, where.netloc),
            allow_delayed_open=True,  # else every upload begins one in parts, however small
        )


def _proxy(scheme: str, host: str) -> str | None:
    """That of the environment, of which AWS's SDK for C++ takes no notice."""
    return None if proxy_bypass(host) else getproxies().get(scheme)


def _check_came(came_bytes: int, wanted_bytes: int) -> None:
    """Raises S3Unreachable for less than there is."""
    if came_bytes != wanted_bytes:
        raise S3Unreachable(f"{came_bytes} of {wanted_bytes} bytes came")


@contextmanager
def _worded(bucket: str, key: str) -> Iterator[None]:
    """Its errors are texts; they come out as `stepbench.failures` reads them."""
    try:
        yield
    except FileNotFoundError as error:
        raise S3Answer("404", f"{uri(bucket, key)} does not exist", "HeadObject", 404) from error
    except OSError as error:
        raise _error(str(error)) from error
    except pa.ArrowInvalid as error:
        raise UsageError(f"pyarrow does not take the key of {uri(bucket, key)}: {error}") from error


def _error(text: str) -> Exception:
    answer = _ANSWER.search(text)
    if answer is None or answer[1] == "NETWORK_CONNECTION":
        return S3Unreachable(text)
    name, status, operation, message = answer.groups()
    code = _CODES.get(name, name.title().replace("_", ""))
    if name == "UNKNOWN":
        named = _NAMED.search(message)
        code = named[1] if named else status or "Unknown"
    return S3Answer(code, message.strip(), operation, int(status or 0))
