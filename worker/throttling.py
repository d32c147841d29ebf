"""Counts the answers by which SQS asks a worker to send less, those included that the SDK retries by itself."""

from __future__ import annotations

import threading
from typing import Any

from stepbench.failures import TOO_MANY_REQUESTS, is_throttling


class Throttling:
    """Safe to use from several threads."""

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._count = 0

    def hear(self, response_dict: Any = None, parsed_response: Any = None, **_: Any) -> None:
        """A handler of botocore's event `response-received`, which fires for each try of a call."""
        status = (response_dict or {}).get("status_code")
        code = str((parsed_response or {}).get("Error", {}).get("Code"))
        if status == TOO_MANY_REQUESTS or is_throttling(code):
            self.add(1)

    def add(self, count: int) -> None:
        with self._lock:
            self._count += count

    def take(self) -> int:
        """What was counted since it was taken before."""
        with self._lock:
            count, self._count = self._count, 0
            return count
