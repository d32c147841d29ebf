"""What s5cmd tells while it runs: with `--log trace` a line of JSON for each request and for each answer.

Its lines have the requests' headers in them, and so a session's token: nothing of them is kept but what is named here.
"""

from __future__ import annotations

import json
import re
from collections import Counter

from stepbench.s3_clients._boto3_requests import REPORTED_REQUEST_IDS
from stepbench.samples import S3Requests

_REQUEST = re.compile(r"DEBUG: Request s3/(\w+) Details:")
_ANSWER = re.compile(r"DEBUG: Response s3/(\w+) Details:.*?\nHTTP/\S+ (\d+)", re.DOTALL)
_REQUEST_ID = re.compile(r"^x-amz-request-id: *(\S+)", re.IGNORECASE | re.MULTILINE)
_LENGTH = re.compile(r"^content-length: *(\d+)", re.IGNORECASE | re.MULTILINE)
_TOTAL = re.compile(r"^content-range: *bytes \d+-\d+/(\d+)", re.IGNORECASE | re.MULTILINE)
_RETRIED = "retryable error"


class Trace:
    """The lines of one transfer, taken one by one."""

    def __init__(self) -> None:
        self._requests = 0
        self._retries = 0
        self._statuses: Counter[str] = Counter()
        self._ids: list[str] = []
        self.refused: str | None = None
        """The operation that S3 answered with an error at last."""
        self.object_bytes: int | None = None
        """The size that S3 tells of the object, once it has."""

    def take(self, line: bytes) -> None:
        """Leaves out what it does not know."""
        try:
            told = json.loads(line)
        except ValueError:
            return
        if not isinstance(told, dict):
            return
        if _RETRIED in str(told.get("error", "")):
            self._retries += 1
        message = str(told.get("message", ""))
        if _REQUEST.match(message):
            self._requests += 1
        if answer := _ANSWER.match(message):
            self._take_answer(answer[1], answer[2], message)

    def _take_answer(self, operation: str, status: str, message: str) -> None:
        self._statuses[status] += 1
        if request_id := _REQUEST_ID.search(message):
            self._ids.append(request_id[1])
        if status >= "400":
            self.refused = operation
        size = {"HeadObject": _LENGTH, "GetObject": _TOTAL}.get(operation)
        if size is not None and status in ("200", "206") and (found := size.search(message)):
            self.object_bytes = int(found[1])

    def facts(self) -> S3Requests:
        """It does not tell how long a request took, so the ids are those of the first ones; nor of connections."""
        return S3Requests(
            requests=self._requests,
            statuses=dict(self._statuses),
            retries=self._retries,
            request_ids=tuple(self._ids[:REPORTED_REQUEST_IDS]),
        )
