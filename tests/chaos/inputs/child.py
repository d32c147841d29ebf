"""`python -m tests.chaos.inputs.child MODULE`: takes hostile inputs in a process that may crash, hang or run out.

MODULE has the `KINDS`, how long one may take, and what is to be prepared.

On stdin one `KIND SEED` a line. On stdout one word a line: what is told before an input is taken and after it, so that
whoever reads knows which one it died of. A kernel's timer ends it, also in C code that never comes back.
"""

from __future__ import annotations

import importlib
import json
import resource
import signal
import sys
import traceback
from contextlib import suppress
from typing import Any

from tests.chaos.figures import PromiseBroken
from tests.chaos.inputs import canary
from tests.chaos.inputs.attempt import try_one
from tests.chaos.inputs.kind import Kind

MEMORY_BYTES = 8 * 10**9
"""Of address space, much of which libraries only keep for later; so that no input brings the machine down."""
WARMING_UP = range(-5, 0)
"""Seeds of inputs that are taken unwatched: what imports at its first use has done so then."""


def main(module: str) -> None:
    given: Any = importlib.import_module(module)
    kinds = {kind.name: kind for kind in given.KINDS}
    out = sys.stdout
    sys.stdout = sys.stderr
    resource.setrlimit(resource.RLIMIT_AS, (MEMORY_BYTES, MEMORY_BYTES))
    resource.setrlimit(resource.RLIMIT_CORE, (0, 0))
    canary.install()
    given.prepare()
    warm: set[str] = set()
    for line in sys.stdin:
        name, _, seed = line.rpartition(" ")
        print("begun", file=out, flush=True)
        signal.setitimer(signal.ITIMER_REAL, kinds[name].deadline_seconds)
        if name not in warm:
            warm.add(name)
            for number in WARMING_UP:
                _quietly(kinds[name], number)
        try:
            told = "refused" if try_one(kinds[name], int(seed)) else "taken"
        except PromiseBroken as error:
            told = json.dumps([error.harm, str(error), "".join(traceback.format_exception(error)[-14:])])
        signal.setitimer(signal.ITIMER_REAL, 0)
        print(told, file=out, flush=True)


def _quietly(kind: Kind[Any], seed: int) -> None:
    with suppress(Exception):  # what comes of it is asked of the others
        kind.take(kind.of_seed(seed))


if __name__ == "__main__":
    main(sys.argv[1])
