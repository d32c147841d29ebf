"""`python -m scripts.infra` tells what in infra/ is not what it is made from; with `--write` it makes it so."""

from __future__ import annotations

import sys
from pathlib import Path

from scripts.docs.tree import ROOT
from scripts.infra import policies, readme_tables

INFRA = ROOT / "infra"


def main(arguments: list[str]) -> int:
    """0 if every written part holds (or was written), 1 otherwise."""
    is_to_write = "--write" in arguments
    differing = {path: text for path, text in made().items() if _differs(path, text)}
    for path, text in differing.items():
        if is_to_write:
            (ROOT / path).write_text(text, encoding="utf-8")
        print(f"{path} {'is written' if is_to_write else 'is not what `make docs` writes'}")
    return 1 if differing and not is_to_write else 0


def made() -> dict[str, str]:
    """Text of every written file, by path from the root."""
    readmes = [INFRA / "README.md", *(folder / "README.md" for folder in sorted((INFRA / "modules").iterdir()))]
    tables = {readme.relative_to(ROOT).as_posix(): _with_tables(readme) for readme in readmes}
    return {policies.FILE: policies.text(), **tables}


def _with_tables(readme: Path) -> str:
    files = {file.name: file.read_text(encoding="utf-8") for file in readme.parent.glob("*.tf")}
    return readme_tables.written_into(readme.read_text(encoding="utf-8"), files)


def _differs(path: str, text: str) -> bool:
    file = ROOT / path
    return not file.exists() or file.read_text(encoding="utf-8") != text


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
