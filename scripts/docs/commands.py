"""Every command that a document shows names programs, subcommands, flags, targets and variables that exist.

Commands stand in fenced blocks of the language `console`, after `$ `; the lines without are their output.
"""

from __future__ import annotations

import re
import shlex
from collections.abc import Callable, Iterator
from dataclasses import dataclass

from scripts.docs import markdown

_ASSIGNMENT = re.compile(r"^([A-Za-z_][A-Za-z0-9_]*)=")
_SEPARATOR = re.compile(r"^[|&;<>()]+$")
_PYTHON = re.compile(r"^(?:.*/)?python[\d.]*$")
_CONSOLE_SCRIPTS = {"stepbench": "orchestrator", "stepbench-worker": "worker"}
_WITH_SUBCOMMANDS = "orchestrator"


@dataclass(frozen=True)
class Known:
    """What exists, asked of the tree and of the programs."""

    flags: Callable[..., set[str] | None]
    """Flags of a module and its subcommand, if it has any; null where there is none such."""
    variables: set[str]
    targets: set[str]
    make_variables: set[str]
    modules: set[str]
    """Dotted names of the modules in the tree."""


def wrong_commands(document: str, path: str, known: Known) -> list[str]:
    """What the document's commands name that does not exist."""
    return [
        f"{path}:{number}: {problem}"
        for number, command in _commands(document)
        for words in _simple_commands(command)
        for problem in _problems(words, known)
    ]


def make_targets(makefile: str) -> set[str]:
    """Names of the targets that a person would type."""
    return set(re.findall(r"^([a-z][a-z-]*):", makefile, re.MULTILINE))


def make_variables(makefile: str) -> set[str]:
    """Variables of the Makefile that may be given on make's command line."""
    return set(re.findall(r"^([A-Z_]+) \?=", makefile, re.MULTILINE))


def _commands(document: str) -> Iterator[tuple[int, str]]:
    begun, number = "", 0
    for line in markdown.lines(document):
        if line.fence != "console":
            continue
        if not begun and not line.text.startswith("$ "):
            continue
        number = number if begun else line.number
        begun += line.text.removeprefix("$ ")
        if begun.endswith("\\"):
            begun = begun[:-1] + " "
            continue
        yield number, begun
        begun = ""


def _simple_commands(command: str) -> Iterator[list[str]]:
    lexer = shlex.shlex(command, posix=True, punctuation_chars=True)
    lexer.whitespace_split = True
    words: list[str] = []
    for word in lexer:
        if _SEPARATOR.match(word):
            yield words
            words = []
        else:
            words.append(word)
    yield words


def _problems(words: list[str], known: Known) -> Iterator[str]:
    names = []
    if words and words[0] in {"export", "env"}:
        words = words[1:]
    while words and (assignment := _ASSIGNMENT.match(words[0])):
        names.append(assignment[1])
        words = words[1:]
    if words and words[0] == "make":
        yield from _make_problems(words[1:], names, known)
    elif (module := _module(words)) is not None:
        yield from _unknown(names, known.variables)
        yield from _program_problems(*module, known)
    elif not words:
        yield from _unknown(names, known.variables)


def _make_problems(arguments: list[str], names: list[str], known: Known) -> Iterator[str]:
    for argument in arguments:
        assignment = _ASSIGNMENT.match(argument)
        if assignment:
            names = [*names, assignment[1]]
        elif not argument.startswith("-") and argument not in known.targets:
            yield f"make has no target {argument}"
    yield from _unknown(names, known.variables | known.make_variables)


def _module(words: list[str]) -> tuple[str, list[str]] | None:
    """The module of ours that a command runs and its arguments; null for other programs."""
    if words and words[0] in _CONSOLE_SCRIPTS:
        return _CONSOLE_SCRIPTS[words[0]], words[1:]
    if len(words) > 2 and _PYTHON.match(words[0]) and words[1] == "-m":
        ours = words[2].partition(".")[0] in {"orchestrator", "worker", "stepbench", "benchmarks", "scripts"}
        return (words[2], words[3:]) if ours else None
    return None


def _program_problems(module: str, arguments: list[str], known: Known) -> Iterator[str]:
    if module not in known.modules:
        yield f"there is no module {module}"
        return
    asked = [word.partition("=")[0] for word in arguments if re.match(r"^--?[A-Za-z]", word)]
    has_subcommand = module == _WITH_SUBCOMMANDS and bool(arguments) and not arguments[0].startswith("-")
    program = [module, arguments[0]] if has_subcommand else [module]
    flags = known.flags(*program)
    if flags is None:
        yield f"there is no command: python -m {' '.join(program)}"
        return
    yield from (f"python -m {' '.join(program)} has no flag {flag}" for flag in asked if flag not in flags)


def _unknown(names: list[str], variables: set[str]) -> Iterator[str]:
    """Variables that no setting is read from; the SDK's own are its own matter."""
    yield from (
        f"no setting is read from {name}" for name in names if name not in variables and not name.startswith("AWS_")
    )
