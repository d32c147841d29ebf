"""The table of all settings, which `--help`, the docs and the words about wrong values are made from."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any, Literal, get_args, get_origin

from pydantic.fields import FieldInfo

from stepbench import registry
from stepbench.channels import PACKAGE as CHANNELS
from stepbench.settings import Program, Settings, flag_of, variable_of


@dataclass(frozen=True)
class Row:
    """One setting as the docs show it."""

    variable: str
    flag: str
    default: str
    unit: str
    accepts: str
    meaning: str
    programs: tuple[Program, ...]


def table() -> list[Row]:
    """All settings in the order of their declaration."""
    return [row_of(field) for field in Settings.model_fields]


def programs_of(field: str) -> tuple[Program, ...]:
    """The programs that read this setting."""
    return _extra(Settings.model_fields[field])["programs"]  # type: ignore[no-any-return] # pydantic types it as JSON


def row_of(field: str) -> Row:
    """The row of one setting."""
    info = Settings.model_fields[field]
    return Row(
        variable=variable_of(field),
        flag=flag_of(variable_of(field)),
        default=_shown(info.get_default()),
        unit=_extra(info)["unit"],
        accepts=_accepts(field, info),
        meaning=info.description or "",
        programs=programs_of(field),
    )


def choices_of(field: str) -> tuple[str, ...]:
    """All values of a setting whose type names them; empty for every other."""
    info = Settings.model_fields[field]
    for candidate in (info.annotation, *get_args(info.annotation)):
        if get_origin(candidate) is Literal:
            return get_args(candidate)
        if candidate is bool:
            return ("true", "false")
    return ()


def _extra(info: FieldInfo) -> dict[str, Any]:
    """What `settings.setting` keeps beside pydantic's own facts."""
    assert isinstance(info.json_schema_extra, dict)
    return info.json_schema_extra


def _shown(default: Any) -> str:
    """A default as one would type it."""
    if default is None:
        return ""
    if isinstance(default, bool):
        return str(default).lower()
    return f"{default:.10g}" if isinstance(default, float) else str(default)


_CHOICES = {
    "channel": CHANNELS,
    "serializer": "stepbench.serializers",
    "transform": "worker.transforms",
    "s3_client": "stepbench.s3_clients",
}


def _accepts(field: str, info: FieldInfo) -> str:
    """Bounds or choices of a setting, in words; empty for free text."""
    if choices := choices_of(field):
        return ", ".join(choices)
    if field in _CHOICES:
        return ", ".join(registry.choices(_CHOICES[field]))
    return _extra(info)["accepts"] or _bounds(info)


def _bounds(info: FieldInfo) -> str:
    limits = {name: getattr(item, name) for item in info.metadata for name in ("gt", "ge", "le") if hasattr(item, name)}
    kind = "a whole number" if info.annotation in (int, int | None) else "a number"
    if "le" not in limits and "ge" not in limits:
        return ""
    low = f"above {limits['gt']:,}" if "gt" in limits else f"from {limits['ge']:,}"
    high = ", at most" if "gt" in limits else " to"
    return f"{kind} {low}" + (f"{high} {limits['le']:,}" if "le" in limits else "")
