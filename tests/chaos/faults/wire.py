"""HTTP as far as the proxy needs it: whole requests and whole replies, and which call of AWS a request is."""

from __future__ import annotations

import asyncio
import json
import re
from dataclasses import dataclass
from urllib.parse import parse_qs, unquote, urlsplit

from orchestrator.run.plan import METRICS_FOLDER

MOST_HEAD_BYTES = 262_144
OF_THE_COPY = " of the copy"
"""Of a metrics file, and its lease."""
_EXPECT = re.compile(rb"\r\nexpect:[^\r]*", re.IGNORECASE)
CONTINUE = b"HTTP/1.1 100 Continue\r\n\r\n"


@dataclass(frozen=True)
class Message:
    """A request or a reply. `head` ends with its empty line; names of `headers` are in lower case."""

    head: bytes
    body: bytes

    @property
    def first_line(self) -> str:
        return self.head.partition(b"\r\n")[0].decode("latin-1")

    @property
    def headers(self) -> dict[str, str]:
        lines = self.head.decode("latin-1").split("\r\n")[1:]
        return {name.lower(): value.strip() for name, _, value in (line.partition(":") for line in lines)}

    @property
    def status(self) -> int:
        return int(self.first_line.split()[1])

    @property
    def whole(self) -> bytes:
        return self.head + self.body


async def read_request(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> Message | None:
    """Null where the client has ended. Without `Expect`, which is answered here."""
    head = await _head(reader)
    if head is None:
        return None
    if _EXPECT.search(head):
        writer.write(CONTINUE)
        head = _EXPECT.sub(b"", head)
    length = int(Message(head, b"").headers.get("content-length") or 0)
    return Message(head, await reader.readexactly(length))


async def read_reply(reader: asyncio.StreamReader, method: str) -> Message:
    head = await _head(reader)
    if head is None:
        raise ConnectionError("the server has ended")
    reply = Message(head, b"")
    length = 0 if method == "HEAD" else int(reply.headers.get("content-length") or 0)
    return Message(head, await reader.readexactly(length))


async def _head(reader: asyncio.StreamReader) -> bytes | None:
    try:
        return await reader.readuntil(b"\r\n\r\n")
    except asyncio.IncompleteReadError:
        return None


@dataclass(frozen=True)
class Asked:
    """Which call a request is, and of what. `try_of` is the same for all tries of one call."""

    call: str
    try_of: str
    key: str = ""
    """Of an object."""
    queue: str = ""
    """A queue's name."""

    @property
    def run(self) -> str:
        """What tells one run's calls from another's: its results queue, its folder in the bucket."""
        return self.queue or self.key.partition("/payloads/")[0]


def asked(request: Message) -> Asked:
    headers = request.headers
    try_of = headers.get("amz-sdk-invocation-id", "")
    target = headers.get("x-amz-target")
    if target is not None:
        about = json.loads(request.body)
        queue = about.get("QueueName") or about.get("QueueUrl", "").rpartition("/")[2]
        return Asked(target.rpartition(".")[2], try_of, queue=queue)
    method, path, _ = request.first_line.split(" ")
    parts = urlsplit(path)
    key = unquote(parts.path.lstrip("/").partition("/")[2])
    call = _s3_call(method, key, parse_qs(parts.query, keep_blank_values=True))
    return Asked(call + OF_THE_COPY if f"/{METRICS_FOLDER}" in key else call, try_of, key=key)


def _s3_call(method: str, key: str, query: dict[str, list[str]]) -> str:
    if method == "HEAD":
        return "HeadObject" if key else "HeadBucket"
    if method == "GET":
        return "GetObject" if key else "ListMultipartUploads" if "uploads" in query else "ListObjectsV2"
    if method == "PUT":
        return "UploadPart" if "uploadId" in query else "PutObject"
    if method == "DELETE":
        return "AbortMultipartUpload" if "uploadId" in query else "DeleteObject"
    if "delete" in query:
        return "DeleteObjects"
    return "CreateMultipartUpload" if "uploads" in query else "CompleteMultipartUpload"
