"""Every relative link and every path of ours that a document names leads somewhere."""

from __future__ import annotations

import posixpath
import re
from collections.abc import Mapping
from urllib.parse import unquote

from scripts.docs import markdown

_ELSEWHERE = re.compile(r"^[a-z][a-z0-9+.-]*:", re.IGNORECASE)
_OUR_PATH = re.compile(r"^(?:orchestrator|worker|stepbench|tests|scripts|benchmarks|infra|requirements|\.ci)/[\w./-]*$")


def broken_links(document: str, path: str, texts: Mapping[str, str]) -> list[str]:
    """Links of the document at `path` that lead nowhere; `texts` are all tracked files, by path from the root."""
    problems = []
    for number, target in markdown.links(document):
        if _ELSEWHERE.match(target):
            continue
        file, _, fragment = unquote(target).partition("#")
        goal = posixpath.normpath(posixpath.join(posixpath.dirname(path), file)) if file else path
        if not _exists(goal, texts):
            problems.append(f"{path}:{number}: the link to {target} leads nowhere")
        elif fragment and goal.endswith(".md") and fragment not in markdown.anchors(texts[goal]):
            problems.append(f"{path}:{number}: {goal} has no heading #{fragment}")
    return problems


def missing_paths(document: str, path: str, texts: Mapping[str, str]) -> list[str]:
    """Paths of ours between backticks that do not exist. Examples of files to come belong in fenced blocks."""
    return [
        f"{path}:{number}: there is no {code}"
        for number, code in markdown.inline_code(document)
        if _OUR_PATH.match(code) and not _exists(code.rstrip("/"), texts)
    ]


def _exists(goal: str, texts: Mapping[str, str]) -> bool:
    return goal == "." or goal in texts or any(name.startswith(f"{goal}/") for name in texts)
