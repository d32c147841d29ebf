"""`python -m tests.chaos.inputs.covering KIND [-runs=N …]`: atheris makes the inputs, led by the code that they reach.

It is not among the development tools: `pip install atheris` where there is a build of it for this Python. What stands
behind KIND is libFuzzer's own; it goes on until it is interrupted or an input breaks a promise, which it then writes to
a file `crash-…`. That file's name in place of `-runs=N` takes the same input again.
"""

from __future__ import annotations

import argparse
import sys
from importlib import import_module
from random import Random
from typing import Any

OURS = ["orchestrator", "stepbench", "worker"]
OPTIONS = ("-max_len=4096", "-len_control=0")
"""Bytes of chance, of which an input needs some hundreds: not the shortest first."""
EXIT_MISSING = 3


class FromBytes(Random):
    """Chance as some bytes have it; the same chance for all when they are used up."""

    def __init__(self, data: bytes) -> None:
        super().__init__(0)
        self._data = memoryview(data)

    def getrandbits(self, k: int, /) -> int:
        size = (k + 7) // 8
        if len(self._data) < size:
            return super().getrandbits(k)
        piece, self._data = self._data[:size], self._data[size:]
        return int.from_bytes(piece, "little") >> (8 * size - k)

    def random(self) -> float:
        return self.getrandbits(53) / 2**53


def main(arguments: list[str]) -> int:
    try:
        atheris: Any = import_module("atheris")
    except ModuleNotFoundError:
        print("the package atheris is not installed: pip install atheris", file=sys.stderr)
        return EXIT_MISSING
    with atheris.instrument_imports(include=OURS):
        from tests.chaos.inputs import canary, kinds
        from tests.chaos.inputs.attempt import try_one

        every = {kind.name: kind for kind in kinds.KINDS}
        parser = argparse.ArgumentParser(prog="python -m tests.chaos.inputs.covering")
        parser.add_argument("kind", choices=every)
        asked, of_libfuzzer = parser.parse_known_args(arguments)
        kinds.prepare()
    kind = every[asked.kind]
    canary.install()
    atheris.Setup(
        [sys.argv[0], *OPTIONS, f"-timeout={kind.deadline_seconds:.0f}", *of_libfuzzer],
        lambda data: try_one(kind, kind.make(FromBytes(data))),
    )
    atheris.Fuzz()
    return 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
