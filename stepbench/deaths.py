"""How a process came to its end, in words."""

from __future__ import annotations

import signal


def how(code: int) -> str:
    """The rest of a sentence that begins with the process; `code` as subprocess gives it, negative for a signal."""
    if code >= 0:
        return f"ended by itself with exit code {code}"
    hint = ", as the kernel does when memory runs out" if -code == signal.SIGKILL else ""
    return f"was killed by {signal.Signals(-code).name}{hint}"
