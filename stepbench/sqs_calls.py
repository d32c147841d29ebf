"""Counts the requests of an SQS client, each try of each call, and the answers by which SQS asks to send less.

Those included that the SDK retries by itself. Every request is billed as one up to 64 KiB of messages, and no batch of
ours comes near that.
"""

from __future__ import annotations

import threading
from dataclasses import dataclass
from typing import Any

from stepbench.failures import TOO_MANY_REQUESTS, is_throttling


@dataclass(frozen=True, slots=True)
class Counted:
    requests: int = 0
    throttled: int = 0
    """Of the requests, those that were answered with that."""


class SqsCalls:
    """Safe to use from several threads."""

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._counted = Counted()

    def hear(self, response_dict: Any = None, parsed_response: Any = None, **_: Any) -> None:
        """A handler of botocore's event `response-received`, which fires for each try, also one without an answer."""
        status = (response_dict or {}).get("status_code")
        code = str((parsed_response or {}).get("Error", {}).get("Code"))
        self.add(Counted(requests=1, throttled=int(status == TOO_MANY_REQUESTS or is_throttling(code))))

    def add(self, counted: Counted) -> None:
        with self._lock:
            self._counted = Counted(
                self._counted.requests + counted.requests, self._counted.throttled + counted.throttled
            )

    def take(self) -> Counted:
        """What was counted since it was taken before."""
        with self._lock:
            counted, self._counted = self._counted, Counted()
            return counted
