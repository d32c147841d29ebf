"""The fleets and the function that terraform would make: from a file with values, or the defaults of infra/."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

from scripts.docs.tree import ROOT
from scripts.infra.hcl import Block, blocks, literal

INFRA = ROOT / "infra"

Fleet = dict[str, Any]


class Unreadable(Exception):
    """Values that cannot be read, in a sentence."""


def fleets_of(var_file: Path | None) -> dict[str, Fleet]:
    """By name. Without a file infra/terraform.tfvars, as terraform would; raises Unreadable."""
    path, found = _given(var_file, "fleets")
    fleets = _defaults() if found is None else found
    if not isinstance(fleets, dict):
        raise Unreadable(f"{path}: fleets must be a map of fleets by their names")
    if torn := [name for name, fleet in fleets.items() if not _is_whole(fleet)]:
        raise Unreadable(
            f"{path}: the fleet {torn[0]} needs launch and max, and cpu (fargate) or instance_type (ec2); max and cpu "
            "are whole numbers without quotes, max from 1"
        )
    return fleets


def function_max_of(var_file: Path | None) -> int:
    """Steps that the function may do at once; 0 where there is none. Raises Unreadable."""
    path, function = _given(var_file, "function")
    if function is None:
        return 0
    if not isinstance(function, dict) or type(function.get("max")) is not int or function["max"] < 1:
        raise Unreadable(f"{path}: the function needs max, a whole number without quotes, from 1")
    return int(function["max"])


def _given(var_file: Path | None, name: str) -> tuple[Path | None, Any]:
    """The file with values, and what it says of `name`; null where it says nothing, or there is none."""
    own = INFRA / "terraform.tfvars"
    path = var_file or (own if own.exists() else None)
    return path, None if path is None else _of_file(path, name)


def _of_file(path: Path, name: str) -> Any:
    """What the file gives `name`; null where it says nothing of it."""
    try:
        text = path.read_text(encoding="utf-8")
    except (OSError, UnicodeDecodeError) as error:
        raise Unreadable(f"{path} cannot be read ({error}); --var-file names another") from error
    try:
        if path.suffix == ".json":
            return json.loads(text).get(name)
        written = Block("values", (), text).written(name)
        return None if written is None else literal(written)
    except (AssertionError, ValueError, AttributeError) as error:
        raise Unreadable(f"{path}: {name} must be a map of plain values ({error})") from error


def _defaults() -> Any:
    variables = blocks((INFRA / "variables.tf").read_text(encoding="utf-8"))
    return literal(next(block for block in variables if block.labels == ("fleets",)).written("default") or "{}")


def _is_whole(fleet: Any) -> bool:
    if not isinstance(fleet, dict) or type(fleet.get("max")) is not int or fleet["max"] < 1:
        return False
    if fleet.get("launch") == "ec2":
        return isinstance(fleet.get("instance_type"), str)
    return fleet.get("launch") == "fargate" and type(fleet.get("cpu")) is int
