"""Flags, environment and `.env` to settings, with everything that is wrong found at once and worded for people.

What can be checked without touching AWS or reading a payload is checked: each setting by itself by pydantic, what
settings mean together by `stepbench.setting_rules`.
"""

from __future__ import annotations

import os
from collections.abc import Collection, Iterator, Mapping
from contextlib import contextmanager
from types import MappingProxyType
from typing import Any

from pydantic import ValidationError
from pydantic_core import ErrorDetails

from stepbench import env_file, registry, setting_rules, settings_table
from stepbench.env_file import ENV_FILE
from stepbench.errors import UsageError
from stepbench.settings import Program, Settings, flag_of, named, variable_of, variables_of
from stepbench.settings_table import programs_of

_BY_FLEET = ("fleets", "fleet", "steps_queue_url")
READ_BY_ALL = ("LOG_LEVEL", "LOG_FORMAT")
NO_PLACES: Mapping[str, str] = MappingProxyType({})


def load(
    flags: Mapping[str, Any],
    program: Program = "orchestrator",
    only: Collection[str] | None = None,
    places: Mapping[str, str] = NO_PLACES,
) -> Settings:
    """Settings from `flags` (by variable name, unparsed), the environment and `.env`.

    Raises UsageError with a sentence for each thing that is wrong with the settings of `program`, or with those of its
    variables that are in `only`. All others are left alone: neither a worker nor a report cares whether there is a
    PAYLOAD_FILE on its machine. `places` tells where a value of `flags` stands, where it is no flag, in words that the
    value may follow.
    """
    read = {
        field
        for field in Settings.model_fields
        if program in programs_of(field) and (only is None or variable_of(field) in {*only, *READ_BY_ALL})
    }
    problems: list[str] = []
    invalid: set[str] = set()
    settings = _each_by_itself(flags, read, problems, invalid, places)
    if read.issuperset(_BY_FLEET) and not invalid & set(_BY_FLEET):
        with _told_among(problems):
            invalid.add("steps_queue_url")  # where the fleet cannot be meant, nobody knows which it is
            settings = _with_queue_of_fleet(settings, flags, places)
            invalid.remove("steps_queue_url")
    for rule in setting_rules.RULES:
        if not invalid & set(rule.fields) and read.issuperset((*rule.fields, *rule.readers_of)):
            with _told_among(problems):  # a choice that is not installed
                problems += rule.check(settings)
    if problems:
        raise UsageError(problems)
    return settings


def _each_by_itself(
    flags: Mapping[str, Any], read: set[str], problems: list[str], invalid: set[str], places: Mapping[str, str]
) -> Settings:
    """Adds to `problems` and `invalid`. What is right is still checked together, so that one start tells all."""
    try:
        return Settings(**flags)
    except ValidationError as error:
        for detail in error.errors():
            field = _field_of(str(detail["loc"][0]))
            invalid.add(field)
            if field in read:
                problems.append(f"{_place(field, detail['input'], flags, places)}: {_reason(field, detail)}")
    return Settings.model_construct(**_valid_values(flags, invalid))


@contextmanager
def _told_among(problems: list[str]) -> Iterator[None]:
    try:
        yield
    except UsageError as error:
        problems += error.problems


def in_force(settings: Settings) -> dict[str, Any]:
    """Values by variable name, as plain data; none of them is a secret."""
    return {variable_of(field): value for field, value in settings.model_dump(mode="json").items()}


def unknown_lines() -> list[str]:
    """A sentence for each thing that `.env` says in vain."""
    return env_file.complaints([variable for field in Settings.model_fields for variable in variables_of(field)])


def _with_queue_of_fleet(settings: Settings, flags: Mapping[str, Any], places: Mapping[str, str]) -> Settings:
    """A fleet that is named stands above ORCH_STEPS_QUEUE_URL, which a stack's `.env` has too. Raises UsageError."""
    if settings.fleet is None:
        return settings
    place = _place("fleet", settings.fleet, flags, places)
    if not settings.fleets:
        raise UsageError(f"{place}: {named('fleets')} is not set, which tells what fleets there are")
    if settings.fleet not in settings.fleets:
        raise UsageError(f"{place}: {registry.unknown_choice(settings.fleet, tuple(settings.fleets))}")
    url = settings.fleets[settings.fleet].steps_queue_url
    if (given := flags.get(variable_of("steps_queue_url"))) not in (None, "", url):
        raise UsageError(
            f"{flag_of(variable_of('steps_queue_url'))} {given}: the steps queue of the fleet {settings.fleet!r} is "
            f"{url}; leave this out, or {named('fleet')}"
        )
    return settings.model_copy(update={"steps_queue_url": url})


def _field_of(variable: str) -> str:
    return next(field for field in Settings.model_fields if variable in (field, *variables_of(field)))


def _place(field: str, given: object, flags: Mapping[str, Any], places: Mapping[str, str]) -> str:
    """Where the value stands, so that one finds it, and the flag that overrides it."""
    variable, flag = variable_of(field), flag_of(variable_of(field))
    if variable in flags:
        return f"{places.get(variable, flag)} {given}"
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
