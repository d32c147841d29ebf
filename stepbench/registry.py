"""Choices that the user types are files: `stepbench/serializers/json.py` is `--serializer json`.

A new file in such a package is a new choice. Listing the choices imports none of them; a missing optional dependency
is an error of the choice that needs it, when it is used. The extra that installs it has the choice's name.
"""

from __future__ import annotations

import difflib
import importlib
import pkgutil
import sys
from collections.abc import Sequence
from functools import cache
from importlib.machinery import PathFinder
from types import ModuleType

from stepbench.errors import UsageError
from stepbench.package_path import ROOT


@cache
def choices(package: str) -> tuple[str, ...]:
    """The names of the choices in `package` (a dotted name), sorted. Nothing is imported, `package` neither."""
    modules = pkgutil.iter_modules(_folders(package))
    return tuple(sorted(module.name for module in modules if not module.name.startswith("_")))


def _folders(package: str) -> Sequence[str]:
    """Where the modules of `package` are; a `worker.py` in the current folder does not hide ours."""
    folders: Sequence[str] = [ROOT, *sys.path]
    parts = package.split(".")
    for end in range(1, len(parts) + 1):
        name = ".".join(parts[:end])
        spec = PathFinder.find_spec(name, folders)
        if spec is None or spec.submodule_search_locations is None:
            raise ModuleNotFoundError(f"no package {name}", name=name)
        folders = spec.submodule_search_locations
    return folders


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
