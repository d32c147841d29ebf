"""For processes that live no longer than the one that started them, and holds the other end of their standard input.

When that one closes it, or dies in whatever way, the kernel ends standard input.
"""

from __future__ import annotations

import os
import threading
from collections.abc import Callable


def leave_with_parent(hear: Callable[[bytes], object] = lambda line: None) -> None:
    """Ends this process, from a thread of its own and without further ado, when standard input ends.

    What comes on it before that goes to `hear`, line by line; by default nobody cares.
    """

    def watch() -> None:
        # Unbuffered: an interpreter that ends must not find this thread holding the lock of sys.stdin.
        with open(0, "rb", buffering=0, closefd=False) as stdin:
            for line in stdin:
                hear(line)
        os._exit(0)

    threading.Thread(target=watch, name="parent", daemon=True).start()
