"""A lock that tells when somebody has to wait for it, so that a race can be played without waiting for luck."""

from __future__ import annotations

import threading
from typing import Any


class TellingLock:
    """Like `threading.Lock`; `wanted` is set as soon as a thread comes while another one has it."""

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self.wanted = threading.Event()

    def acquire(self, blocking: bool = True, timeout: float = -1) -> bool:
        if self._lock.acquire(blocking=False):
            return True
        if blocking:
            self.wanted.set()
        return self._lock.acquire(blocking, timeout)

    def release(self) -> None:
        self._lock.release()

    def __enter__(self) -> bool:
        return self.acquire()

    def __exit__(self, *_: Any) -> None:
        self.release()
