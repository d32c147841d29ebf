"""As much of terraform's language as its documentation is made from: blocks, and attributes as they are written."""

from __future__ import annotations

import json
import re
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

_HEAD = re.compile(r'^[ \t]*([a-z_]+)((?:\s+"[^"]*")*)\s*\{', re.MULTILINE)
_ATTRIBUTE = re.compile(r"^\s*([a-z_]+)\s*=\s*", re.MULTILINE)
_TOKEN = re.compile(r'"(?:\\.|[^"\\])*"|\#[^\n]*|//[^\n]*|/\*.*?\*/|[{}\[\]()]|\n', re.DOTALL)
_LITERAL = re.compile(r'\s*(?:#[^\n]*\s*)*("(?:\\.|[^"\\])*"|[{}\[\],=:]|[A-Za-z_][\w-]*|-?[\d.]+)')
_CLOSING = {"{": "}", "[": "]", "(": ")"}


@dataclass(frozen=True)
class Block:
    """`variable "name" { … }`: kind, labels, and the text between the braces."""

    kind: str
    labels: tuple[str, ...]
    body: str

    def written(self, attribute: str) -> str | None:
        """An attribute's expression as it stands in the file; null if it is not set here."""
        for match in _ATTRIBUTE.finditer(self.body):
            if match[1] == attribute and _depth(self.body[: match.start()]) == 0:
                return self.body[match.end() : _end_of_expression(self.body, match.end())].strip()
        return None

    def text(self, attribute: str) -> str | None:
        """An attribute that is a string without interpolation."""
        written = self.written(attribute)
        return None if written is None else str(literal(written))

    def inner(self) -> list[Block]:
        return list(blocks(self.body))


def blocks(text: str) -> Iterator[Block]:
    """The blocks of a file, or of a block's body, in order."""
    at = 0
    while match := _HEAD.search(text, at):
        at = _closing(text, match.end() - 1)
        yield Block(match[1], tuple(re.findall(r'"([^"]*)"', match[2])), text[match.end() : at])


def literal(expression: str) -> Any:
    """The value of an expression that names nothing: strings, numbers, true, false, null, lists and maps."""
    value, rest = _value(expression)
    assert not rest.strip(), f"more than a literal: {expression}"
    return value


def _value(text: str) -> tuple[Any, str]:
    token, text = _next(text)
    match token:
        case "{":
            return _collected(text, "}")
        case "[":
            return _collected(text, "]")
        case "true" | "false" | "null":
            return json.loads(token), text
        case _ if token.startswith('"'):
            return json.loads(token), text
        case _:
            return (float(token) if "." in token else int(token)), text


def _collected(text: str, closing: str) -> tuple[Any, str]:
    found: dict[Any, Any] | list[Any] = {} if closing == "}" else []
    while True:
        word, rest = _next(text)
        if word == closing:
            return found, rest
        if word == ",":
            text = rest
        elif isinstance(found, dict):
            _, after = _next(rest)  # = or :
            found[word.strip('"')], text = _value(after)
        else:
            value, text = _value(text)
            found.append(value)


def _next(text: str) -> tuple[str, str]:
    match = _LITERAL.match(text)
    assert match is not None, f"not a literal: {text}"
    return match[1], text[match.end() :]


def _closing(text: str, opening: int) -> int:
    """Where the brace closes that opens at `opening`."""
    depth = 0
    for token in _TOKEN.finditer(text, opening):
        if token[0] in _CLOSING:
            depth += 1
        elif token[0] in _CLOSING.values():
            depth -= 1
            if depth == 0:
                return token.start()
    raise AssertionError("a brace is not closed")


def _depth(text: str) -> int:
    tokens = [token[0] for token in _TOKEN.finditer(text)]
    return sum((token in _CLOSING) - (token in _CLOSING.values()) for token in tokens)


def _end_of_expression(text: str, start: int) -> int:
    depth = 0
    for token in _TOKEN.finditer(text, start):
        depth += (token[0] in _CLOSING) - (token[0] in _CLOSING.values())
        if token[0] == "\n" and depth == 0:
            return token.start()
    return len(text)
