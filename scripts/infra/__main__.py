"""`python -m scripts.infra` tells what in infra/ is not what it is made from; with `--write` it makes it so."""

from __future__ import annotations

import sys

from scripts.docs.tree import ROOT
from scripts.infra import policies


def main(arguments: list[str]) -> int:
    """0 if every written part holds (or was written), 1 otherwise."""
    differing = [path for path, text in made().items() if _differs(path, text)]
    for path in differing:
        if "--write" in arguments:
            (ROOT / path).write_text(made()[path], encoding="utf-8")
        print(f"{path} {'is written' if '--write' in arguments else 'is not what `make docs` writes'}")
    return 1 if differing and "--write" not in arguments else 0


def made() -> dict[str, str]:
    """Text of every written file, by path from the root."""
    return {policies.FILE: policies.text()}


def _differs(path: str, text: str) -> bool:
    file = ROOT / path
    return not file.exists() or file.read_text(encoding="utf-8") != text


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
