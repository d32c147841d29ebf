"""`python -m scripts.docs` checks the documents; with `--write` it first writes the settings table into the README."""

from __future__ import annotations

import sys
from collections.abc import Mapping

from scripts.docs import changelog, commands, hygiene, links, programs, settings_table
from scripts.docs.tree import ROOT, text_of, tracked_files

README = "README.md"


def main(arguments: list[str]) -> int:
    """Print every problem, one a line; 0 if there is none, 1 otherwise."""
    if "--write" in arguments:
        _write_settings_table()
    texts = {path: text for path in tracked_files() if (text := text_of(path)) is not None}
    problems = problems_of(texts)
    print("\n".join(problems) if problems else f"the documents hold ({len(texts)} files read)")
    return 1 if problems else 0


def problems_of(texts: Mapping[str, str]) -> list[str]:
    """What is wrong in the tree whose files are `texts`, by path from the root."""
    known = commands.Known(
        flags=programs.flags,
        variables=programs.variables(),
        targets=commands.make_targets(texts["Makefile"]),
        make_variables=commands.make_variables(texts["Makefile"]),
        modules={_module_name(path) for path in texts if path.endswith(".py")},
    )
    table = programs.settings_table()
    problems = ["python -m orchestrator settings --markdown fails"] if table is None else []
    problems += settings_table.differs(texts[README], table or "", README)
    problems += changelog.malformed(texts["CHANGELOG.md"])
    for path, text in texts.items():
        problems += hygiene.machine_traces(text, path)
        if path.endswith(".md"):
            problems += links.broken_links(text, path, texts)
            problems += links.missing_paths(text, path, texts)
            problems += commands.wrong_commands(text, path, known)
    return problems


def _module_name(path: str) -> str:
    return path.removesuffix(".py").removesuffix("/__init__").removesuffix("/__main__").replace("/", ".")


def _write_settings_table() -> None:
    table = programs.settings_table()
    if table is None:
        raise SystemExit("python -m orchestrator settings --markdown fails")
    readme = ROOT / README
    readme.write_text(settings_table.written_into(readme.read_text(encoding="utf-8"), table), encoding="utf-8")


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
