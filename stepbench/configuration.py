"""Flags, environment and `.env` to settings, with everything that is wrong found at once and worded for people.

What can be checked without touching AWS or reading a payload is checked: each setting by itself by pydantic, what
settings mean together by `stepbench.setting_rules`.
"""

from __future__ import annotations

import os
from collections.abc import Collection, Mapping
from typing import Any

from pydantic import ValidationError
from pydantic_core import ErrorDetails

from stepbench import env_file, registry, setting_rules, settings_table
from stepbench.env_file import ENV_FILE
from stepbench.errors import UsageError
from stepbench.settings import Program, Settings, flag_of, variable_of, variables_of
from stepbench.settings_table import programs_of

READ_BY_ALL = ("LOG_LEVEL", "LOG_FORMAT")


def load(flags: Mapping[str, Any], program: Program = "orchestrator", only: Collection[str] | None = None) -> Settings:
    """Settings from `flags` (by variable name, unparsed), the environment and `.env`.

    Raises UsageError with a sentence for each thing that is wrong with the settings of `program`, or with those of its
    variables that are in `only`. All others are left alone: neither a worker nor a report cares whether there is a
    PAYLOAD_FILE on its machine.
    """
    read = {
        field
        for field in Settings.model_fields
        if program in programs_of(field) and (only is None or variable_of(field) in {*only, *READ_BY_ALL})
    }
    problems, invalid = [], set()
    try:
        settings = Settings(**flags)
    except ValidationError as error:
        for detail in error.errors():
            field = _field_of(str(detail["loc"][0]))
            invalid.add(field)
            if field in read:
                problems.append(f"{_place(field, detail['input'], flags)}: {_reason(field, detail)}")
        # What is right is still checked together, so that one start tells all.
        settings = Settings.model_construct(**_valid_values(flags, invalid))
    for rule in setting_rules.RULES:
        if not invalid & set(rule.fields) and read.issuperset((*rule.fields, *rule.readers_of)):
            try:
                problems += rule.check(settings)
            except UsageError as error:  # a choice that is not installed
                problems += error.problems
    if problems:
        raise UsageError(problems)
    return settings


def in_force(settings: Settings) -> dict[str, Any]:
    """Values by variable name, as plain data; none of them is a secret."""
    return {variable_of(field): value for field, value in settings.model_dump(mode="json").items()}


def unknown_lines() -> list[str]:
    """A sentence for each thing that `.env` says in vain."""
    return env_file.complaints([variable for field in Settings.model_fields for variable in variables_of(field)])


def _field_of(variable: str) -> str:
    return next(field for field in Settings.model_fields if variable in (field, *variables_of(field)))


def _place(field: str, given: object, flags: Mapping[str, Any]) -> str:
    """Where the value stands, so that one finds it, and the flag that overrides it."""
    variable, flag = variable_of(field), flag_of(variable_of(field))
    if variable in flags:
        return f"{flag} {given}"
    set_ones = [name for name in variables_of(field) if os.environ.get(name)]
    if set_ones:
        return f"{set_ones[0]}={given} (flag {flag})"
    return f"{variable}={given} in {ENV_FILE} (flag {flag})"


def _reason(field: str, detail: ErrorDetails) -> str:
    if detail["type"] == "value_error":  # a check of ours, worded by us
        return detail["msg"].removeprefix("Value error, ")
    if choices := settings_table.choices_of(field):
        return registry.unknown_choice(str(detail["input"]), choices)
    row = settings_table.row_of(field)
    return f"must be {row.accepts}" + (f" {row.unit}" if row.unit else "")


def _valid_values(flags: Mapping[str, Any], invalid: set[str]) -> dict[str, Any]:
    """Field values with defaults in place of the `invalid` ones."""
    defaults: dict[str, Any] = {variable_of(field): "" for field in invalid}
    settings = Settings(**{**flags, **defaults})
    return dict(settings)
