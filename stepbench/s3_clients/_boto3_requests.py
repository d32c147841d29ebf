"""Counts what a botocore client sends: requests, statuses, retries, connections, request ids.

By botocore's own events, which fire for each try of each call, in whichever thread makes it.
"""

from __future__ import annotations

import threading
from collections import Counter
from collections.abc import Iterator
from contextlib import contextmanager
from time import monotonic_ns
from typing import Any

from stepbench.samples import S3Requests

REPORTED_REQUEST_IDS = 3
"""Of the first requests and of the slowest ones, each."""


class Counted:
    """What was seen while it was the counter's current one. Written by several threads under a lock."""

    def __init__(self, connections_before: int | None) -> None:
        self.calls = 0
        self.sent = 0
        self.statuses: Counter[str] = Counter()
        self.ids: list[tuple[int, str]] = []
        """(duration_ns, request id) in the order of arrival."""
        self.connections_before = connections_before
        self.connections_after: int | None = None

    def facts(self) -> S3Requests:
        slowest = sorted(self.ids, reverse=True)[:REPORTED_REQUEST_IDS]
        opened = None
        if self.connections_before is not None and self.connections_after is not None:
            opened = self.connections_after - self.connections_before
        return S3Requests(
            requests=self.sent,
            statuses=dict(self.statuses),
            retries=self.sent - self.calls,
            connections_opened=opened,
            request_ids=tuple(dict.fromkeys(id_ for _, id_ in self.ids[:REPORTED_REQUEST_IDS] + slowest)),
        )


class RequestCounter:
    """Listens to one client, for one transfer at a time."""

    def __init__(self, client: Any) -> None:
        self._client = client
        self._lock = threading.Lock()
        self._began = threading.local()
        self._counted: Counted | None = None
        events = client.meta.events
        events.register("before-call.s3", self._before_call)
        events.register("before-send.s3", self._before_send)
        events.register("response-received.s3", self._response_received)

    @contextmanager
    def counting(self) -> Iterator[Counted]:
        counted = self._counted = Counted(self._connections())
        try:
            yield counted
        finally:
            self._counted = None
            counted.connections_after = self._connections()

    def _before_call(self, **_: Any) -> None:
        with self._lock:
            if self._counted:
                self._counted.calls += 1

    def _before_send(self, **_: Any) -> None:
        self._began.at_ns = monotonic_ns()
        with self._lock:
            if self._counted:
                self._counted.sent += 1

    def _response_received(self, response_dict: dict[str, Any] | None, **_: Any) -> None:
        duration_ns = monotonic_ns() - self._began.at_ns
        with self._lock:
            if self._counted and response_dict:
                self._counted.statuses[str(response_dict["status_code"])] += 1
                if request_id := response_dict["headers"].get("x-amz-request-id"):
                    self._counted.ids.append((duration_ns, request_id))

    def _connections(self) -> int | None:
        """Connections opened so far; botocore has no public word for it, so null if its inside ever changes."""
        try:
            pools = self._client._endpoint.http_session._manager.pools  # noqa: SLF001 # see the docstring
        except AttributeError:
            return None
        opened = (getattr(pools.get(key), "num_connections", 0) for key in pools.keys())  # noqa: SIM118 # no plain dict
        return sum(opened)
