"""The little of Markdown that the checks must understand: fences, inline code, links and the anchors of headings."""

from __future__ import annotations

import re
from collections.abc import Iterator
from typing import NamedTuple

_FENCE = re.compile(r"^\s*(```+|~~~+)\s*([\w-]*)\s*$")
_NAMED = re.compile(r'<a name="([^"]+)">')
_ESCAPED = re.compile(r"\\([!-/:-@\[-`{-~])")
_INLINE_CODE = re.compile(r"(`+)(.+?)\1")
_LINK = re.compile(r"\[[^\]]*\]\(\s*<?([^)>\s]+)>?(?:\s+\"[^\"]*\")?\s*\)")
_REFERENCE = re.compile(r"^\s{0,3}\[[^\]]+\]:\s+<?([^\s>]+)>?")
_HEADING = re.compile(r"^#{1,6}\s+(.*?)\s*#*$")


class Line(NamedTuple):
    """One line of a document and where it stands."""

    number: int
    text: str
    fence: str | None
    """Language of the fenced block that the line is in, "" for a block without one; null outside and for fences."""


class Found(NamedTuple):
    """Something found on a line."""

    number: int
    text: str


def lines(document: str) -> Iterator[Line]:
    """All lines of `document`, the fences themselves left out."""
    marker: str | None = None
    language: str | None = None
    for number, text in enumerate(document.splitlines(), 1):
        fence = _FENCE.match(text)
        if fence and marker is None:
            marker, language = fence[1], fence[2]
        elif fence and marker is not None and fence[1].startswith(marker) and not fence[2]:
            marker = language = None
        else:
            yield Line(number, text, language)


def links(document: str) -> list[Found]:
    """Targets of all links outside code, without the backslashes that markdown lets stand before punctuation."""
    return [
        Found(line.number, _ESCAPED.sub(r"\1", target))
        for line in lines(document)
        if line.fence is None
        for pattern in (_LINK, _REFERENCE)
        for target in pattern.findall(_INLINE_CODE.sub("", line.text))
    ]


def inline_code(document: str) -> list[Found]:
    """Everything between backticks, outside fenced blocks."""
    return [
        Found(line.number, match[2])
        for line in lines(document)
        if line.fence is None
        for match in _INLINE_CODE.finditer(line.text)
    ]


def anchors(document: str) -> set[str]:
    """What can be linked: headings, by fragments as code hosts make them, and `<a name="…">`."""
    found: set[str] = set()
    for line in lines(document):
        if line.fence is None:
            found.update(_NAMED.findall(line.text))
        heading = _HEADING.match(line.text) if line.fence is None else None
        if heading is None:
            continue
        base = anchor = re.sub(r"[^\w\- ]", "", heading[1].lower()).replace(" ", "-")
        repeat = 0
        while anchor in found:
            repeat += 1
            anchor = f"{base}-{repeat}"
        found.add(anchor)
    return found
