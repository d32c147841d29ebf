"""`.env` in the current folder, read as it stands: `${DATE}` in it is ours to fill in, not a variable's name."""

from __future__ import annotations

import io
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from difflib import get_close_matches
from pathlib import Path

from dotenv.parser import Original, parse_stream

from stepbench.errors import UsageError
from stepbench.registry import unknown_choice

ENV_FILE = Path(".env")
OUR_PREFIX = "ORCH_"
SDK_PREFIX = "AWS_"
"""The SDK has many variables that are not ours and differ from ours in one letter: AWS_ENDPOINT_URL_SNS."""
SURELY_NEAR = 0.9
SHORTEST_NEAR = 8
"""A shorter name is one letter away from too much that is not ours: CHAIN."""


@dataclass(frozen=True)
class EnvFile:
    """What it says, and where it says nothing that can be understood."""

    values: dict[str, str]
    malformed_lines: tuple[int, ...]
    """Their numbers, from 1."""


def read() -> EnvFile:
    """Empty where there is no such file. Raises UsageError for one that cannot be read."""
    values: dict[str, str] = {}
    malformed = []
    for binding in parse_stream(io.StringIO(_text())):
        if binding.error:
            malformed.append(_line(binding.original))
        elif binding.key is not None and binding.value is not None:
            values[binding.key] = binding.value
    return EnvFile(values, tuple(malformed))


def complaints(known: Sequence[str]) -> list[str]:
    """A sentence about lines that are none, and one for each name that was surely meant to be one of `known`.

    Other programs' variables are theirs. Raises UsageError as `read` does.
    """
    file = read()
    about_names = [f"{ENV_FILE}: {problem}" for name in file.values if (problem := _misspelled(name, known))]
    return [*_about_malformed(file.malformed_lines), *about_names]


def _about_malformed(numbers: Sequence[int]) -> Iterator[str]:
    if numbers:
        lines = f"line{'s' if len(numbers) > 1 else ''} {', '.join(map(str, numbers))}"
        yield f"{ENV_FILE}: left out what cannot be understood in {lines}; a line looks like STEPS=3"


def _misspelled(name: str, known: Sequence[str]) -> str | None:
    if name in known:
        return None
    if name.startswith(OUR_PREFIX):
        return unknown_choice(name, tuple(get_close_matches(name, known, n=3) or known))
    near = get_close_matches(name.upper(), known, n=1, cutoff=SURELY_NEAR)
    if near and not name.startswith(SDK_PREFIX) and len(name) >= SHORTEST_NEAR and abs(len(near[0]) - len(name)) <= 1:
        return f"{name!r} is no setting; did you mean {near[0]}?"
    return None


def _text() -> str:
    if not (ENV_FILE.is_file() or ENV_FILE.is_fifo()):  # password managers hand it out through a pipe
        return ""
    try:
        return ENV_FILE.read_text(encoding="utf-8-sig")
    except OSError as error:
        raise UsageError(f"{ENV_FILE} cannot be read: {error.strerror}; allow this user to read it") from error
    except UnicodeDecodeError as error:
        raise UsageError(f"{ENV_FILE} is not UTF-8 text; save it as such") from error


def _line(original: Original) -> int:
    """Blank lines before a statement count as a part of it."""
    blank = original.string[: -len(original.string.lstrip()) or None]
    return original.line + blank.count("\n")
