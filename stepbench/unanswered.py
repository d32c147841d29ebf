"""Calls that a service leaves without an answer, told at each try.

The SDK tries such a call again by itself, each time for READ_TIMEOUT, and says nothing before it gives up: minutes.
"""

from __future__ import annotations

from typing import Any

import structlog

TIMEOUTS = frozenset({"ReadTimeoutError", "ConnectTimeoutError"})
"""Of the SDK. A connection that is refused is given up within seconds, and told by whoever made the call."""

log = structlog.get_logger()


def tell(client: Any) -> None:
    """From now on each try of a call of `client` that ends without an answer is in the log."""
    client.meta.events.register(f"response-received.{client.meta.service_model.service_name}", _hear)


def _hear(event_name: str, exception: BaseException | None = None, **_: Any) -> None:
    if type(exception).__name__ in TIMEOUTS:
        call = event_name.partition(".")[2]
        log.warning("no answer in time, the SDK may try again", call=call, error=str(exception))
