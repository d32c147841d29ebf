"""Structured logs on stderr: JSON lines, or readable ones on a terminal. stdout belongs to results."""

from __future__ import annotations

import logging
import sys
from contextlib import suppress

import structlog


def configure(level: str, form: str) -> None:
    """Set up logging for this process. `level` and `form` are values of LOG_LEVEL and LOG_FORMAT."""
    as_json = form == "json" or (form == "auto" and not sys.stderr.isatty())
    renderer: structlog.typing.Processor = (
        structlog.processors.JSONRenderer() if as_json else structlog.dev.ConsoleRenderer(colors=sys.stderr.isatty())
    )
    structlog.configure(
        processors=[
            structlog.contextvars.merge_contextvars,
            structlog.processors.add_log_level,
            structlog.processors.TimeStamper(fmt="iso", utc=True),
            _tracebacks if as_json else structlog.processors.ExceptionPrettyPrinter(),
            renderer,
        ],
        wrapper_class=structlog.make_filtering_bound_logger(logging.getLevelNamesMapping()[level.upper()]),
        logger_factory=lambda *_: _CurrentStderr(),
        cache_logger_on_first_use=False,
    )


# Without the values of local variables: a payload's bytes are among them.
_tracebacks = structlog.processors.ExceptionRenderer(structlog.tracebacks.ExceptionDictTransformer(show_locals=False))


class _CurrentStderr:
    """Writes to what `sys.stderr` is at that moment: a live view puts a stream of its own there while it is up."""

    def msg(self, line: str) -> None:
        with suppress(OSError):  # a full disk under a log must not end a step
            sys.stderr.write(f"{line}\n")
            sys.stderr.flush()

    debug = info = warning = error = critical = msg
