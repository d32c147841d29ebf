"""Choices that the user types are files: `stepbench/serializers/json.py` is `--serializer json`.

A new file in such a package is a new choice. Listing the choices imports none of them; a missing optional dependency
is an error of the choice that needs it, when it is used. The extra that installs it has the choice's name.
"""

from __future__ import annotations

import difflib
import importlib
import pkgutil
from functools import cache
from types import ModuleType

from stepbench.errors import UsageError


@cache
def choices(package: str) -> tuple[str, ...]:
    """The names of the choices in `package` (a dotted name), sorted, none of them imported."""
    paths = importlib.import_module(package).__path__
    return tuple(sorted(module.name for module in pkgutil.iter_modules(paths) if not module.name.startswith("_")))


@cache
def load(package: str, name: str) -> ModuleType:
    """The module of one choice.

    Raises UsageError for a name that is no choice (with the nearest one that is), and for a choice whose optional
    dependency is not installed.
    """
    if name not in choices(package):
        raise UsageError(unknown_choice(name, choices(package)))
    try:
        return importlib.import_module(f"{package}.{name}")
    except ModuleNotFoundError as error:
        if error.name is None or error.name.startswith(package.partition(".")[0]):
            raise
        raise UsageError(
            f"{name} needs the package {error.name}, which is not installed: pip install 'stepbench[{name}]'"
        ) from error


def unknown_choice(name: str, known: tuple[str, ...]) -> str:
    """A sentence for a name that is none of `known`, with the nearest known one if any is near."""
    spelled = {choice.casefold(): choice for choice in known}
    near = difflib.get_close_matches(name.casefold(), spelled, n=1)
    hint = f"; did you mean {spelled[near[0]]}?" if near else ""
    return f"{name!r} is not one of {', '.join(known)}{hint}"
