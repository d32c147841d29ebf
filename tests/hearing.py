"""Signals for what tests start, whoever started the tests."""

from __future__ import annotations

import signal


def hear_signals() -> None:
    """A shell that starts something in the background has it ignore Ctrl-C, and all that this starts would be deaf."""
    for number in (signal.SIGINT, signal.SIGHUP, signal.SIGTERM):
        if signal.getsignal(number) is signal.SIG_IGN:
            signal.signal(number, signal.default_int_handler if number == signal.SIGINT else signal.SIG_DFL)
