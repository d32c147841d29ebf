"""`python -m tests.chaos.inputs.child MODULE`: takes hostile inputs in a process that may crash, hang or run out.

MODULE has the `KINDS`, how long one may take, and what is to be prepared.

On stdin one order a line, `SEED EXAMPLES KIND`: the input of that seed, or if there are to be examples a search of
hypothesis' through so many. On stdout a line when it is begun and one with what came of it, so that whoever reads knows
which order it died of. A kernel's timer ends it, also in C code that never comes back.
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
from tests.chaos.inputs.guided import search
from tests.chaos.inputs.kind import Kind

MEMORY_BYTES = 8 * 10**9
"""Of address space, much of which libraries only keep for later; so that no input brings the machine down."""
SHOWN_CHARACTERS = 400
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
        seed, examples, name = line.rstrip("\n").split(" ", 2)
        print("begun", file=out, flush=True)
        if name not in warm:
            warm.add(name)
            _begin_deadline(kinds[name])
            for number in WARMING_UP:
                _quietly(kinds[name], number)
        print(json.dumps(_tried(kinds[name], int(seed), int(examples))), file=out, flush=True)


def _tried(kind: Kind[Any], seed: int, examples: int) -> dict[str, Any]:
    """How many inputs; where a promise was broken also which, how, and of what."""
    told: dict[str, Any] = {"tried": 0}

    def attempt(made: Any) -> None:
        told["tried"] += 1
        told["input"] = repr(made)[:SHOWN_CHARACTERS]
        _begin_deadline(kind)
        try:
            try_one(kind, made)
        finally:
            signal.setitimer(signal.ITIMER_REAL, 0)

    try:
        if examples:
            search(kind, seed, examples, attempt)
        else:
            attempt(kind.of_seed(seed))
    except PromiseBroken as error:
        told |= {"harm": error.harm, "sentence": str(error), "trace": "".join(traceback.format_exception(error)[-14:])}
    return told


def _begin_deadline(kind: Kind[Any]) -> None:
    signal.setitimer(signal.ITIMER_REAL, kind.deadline_seconds)


def _quietly(kind: Kind[Any], seed: int) -> None:
    with suppress(Exception):  # what comes of it is asked of the others
        kind.take(kind.of_seed(seed))


if __name__ == "__main__":
    main(sys.argv[1])
