"""Flags, environment and `.env` to settings, with everything that is wrong found at once and worded for people.

What can be checked without touching AWS or reading a payload is checked here: each setting by itself by pydantic, what
settings mean together by the rules below. Also the table of all settings, which `--help` and the docs are made from.
"""

from __future__ import annotations

import math
import os
import re
from collections.abc import Callable, Collection, Iterator, Mapping
from dataclasses import dataclass
from functools import partial
from typing import Any, Literal, get_args, get_origin
from urllib.parse import urlsplit

from pydantic import ValidationError
from pydantic.fields import FieldInfo
from pydantic_core import ErrorDetails

from stepbench import env_file, machine, prefix, registry
from stepbench.compression import Compression
from stepbench.env_file import ENV_FILE
from stepbench.errors import UsageError
from stepbench.payload import PayloadFormat
from stepbench.settings import Program, Settings, flag_of, variable_of, variables_of

_QUEUE_PATH = re.compile(r"/\d{12}/[A-Za-z0-9_-]{1,80}(\.fifo)?$")
# https://docs.aws.amazon.com/AmazonS3/latest/userguide/bucketnamingrules.html
_BUCKET = re.compile(r"[a-z0-9][a-z0-9.-]{1,61}[a-z0-9]")

READ_BY_ALL = ("LOG_LEVEL", "LOG_FORMAT")


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
    for rule in RULES:
        if not invalid & set(rule.fields) and read.issuperset((*rule.fields, *rule.readers_of)):
            try:
                problems += rule.check(settings)
            except UsageError as error:  # a choice that is not installed
                problems += error.problems
    if problems:
        raise UsageError(problems)
    return settings


def named(field: str) -> str:
    """`payload_mb` → `--payload-mb (PAYLOAD_MB)`."""
    return f"{flag_of(variable_of(field))} ({variable_of(field)})"


def table() -> list[Row]:
    """All settings in the order of their declaration."""
    return [_row(field, info) for field, info in Settings.model_fields.items()]


def programs_of(field: str) -> tuple[Program, ...]:
    """The programs that read this setting."""
    return _extra(Settings.model_fields[field])["programs"]  # type: ignore[no-any-return] # pydantic types it as JSON


def in_force(settings: Settings) -> dict[str, Any]:
    """Values by variable name, as plain data; none of them is a secret."""
    return {variable_of(field): value for field, value in settings.model_dump(mode="json").items()}


def unknown_lines() -> list[str]:
    """A sentence for each thing that `.env` says in vain."""
    return env_file.complaints([variable for field in Settings.model_fields for variable in variables_of(field)])


# --- settings by themselves ---------------------------------------------------------------------------------------


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
    info = Settings.model_fields[field]
    if detail["type"] == "value_error":  # a check of ours, worded by us
        return detail["msg"].removeprefix("Value error, ")
    choices = _listed(info)
    if choices:
        return registry.unknown_choice(str(detail["input"]), choices)
    unit = _extra(info)["unit"]
    return f"must be {_accepts(info)}" + (f" {unit}" if unit else "")


def _valid_values(flags: Mapping[str, Any], invalid: set[str]) -> dict[str, Any]:
    """Field values with defaults in place of the `invalid` ones."""
    defaults: dict[str, Any] = {variable_of(field): "" for field in invalid}
    settings = Settings(**{**flags, **defaults})
    return dict(settings)


def _row(field: str, info: FieldInfo) -> Row:
    default = info.get_default()
    return Row(
        variable=variable_of(field),
        flag=flag_of(variable_of(field)),
        default=_shown(default),
        unit=_extra(info)["unit"],
        accepts=_accepts(info),
        meaning=info.description or "",
        programs=programs_of(field),
    )


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
    "serializer": "stepbench.serializers",
    "transform": "worker.transforms",
    "s3_client": "stepbench.s3_clients",
}


def _listed(info: FieldInfo) -> tuple[str, ...]:
    """All values of a setting that has few; empty for every other."""
    for candidate in (info.annotation, *get_args(info.annotation)):
        if get_origin(candidate) is Literal:
            return get_args(candidate)
        if candidate is bool:
            return ("true", "false")
    return ()


def _accepts(info: FieldInfo) -> str:
    """Bounds or choices of a setting, in words; empty for free text."""
    if listed := _listed(info):
        return ", ".join(listed)
    field = next(name for name, known in Settings.model_fields.items() if known is info)
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


# --- settings together --------------------------------------------------------------------------------------------


@dataclass(frozen=True)
class Rule:
    """A check of several settings; skipped where one of `fields` is wrong by itself."""

    fields: tuple[str, ...]
    check: Callable[[Settings], Iterator[str]]
    readers_of: tuple[str, ...] = ()
    """The rule is for those only who read these too, whether right or wrong."""


def _bucket(settings: Settings) -> Iterator[str]:
    both = "set both to run against AWS, or neither to run on this machine"
    if settings.bucket is None:
        if settings.steps_queue_url is not None:
            yield f"{named('bucket')} is not set, but {named('steps_queue_url')} is: {both}"
        return
    if not _BUCKET.fullmatch(settings.bucket):
        yield f"{named('bucket')}: {settings.bucket!r} is no bucket name; 3 to 63 of a-z, 0-9, dot and hyphen"
    if settings.steps_queue_url is None:
        yield f"{named('steps_queue_url')} is not set, but {named('bucket')} is: {both}"


def _queues(settings: Settings) -> Iterator[str]:
    for field in ("steps_queue_url", "results_queue_url"):
        url = getattr(settings, field)
        if url is None:
            continue
        path = _path_of_url(url)
        if path is None or not _QUEUE_PATH.search(path):
            yield f"{named(field)}: {url!r} is no queue URL; https://sqs.REGION.amazonaws.com/ACCOUNT/NAME is one"
        elif path.endswith(".fifo"):
            yield f"{named(field)}: {url!r} is a FIFO queue; a standard queue is needed"
    both = (settings.steps_queue_url, settings.results_queue_url)
    if all(both) and both[0] == both[1]:
        yield f"{named('results_queue_url')} is the steps queue; the two need a queue each"


def _endpoint(field: str, settings: Settings) -> Iterator[str]:
    url = getattr(settings, field)
    if url is not None and _path_of_url(url) is None:
        yield f"{named(field)}: {url!r} is no endpoint; http://HOST:PORT or https://HOST is one"


def _path_of_url(url: str) -> str | None:
    """Null for what is no URL of HTTP."""
    try:
        parts = urlsplit(url)
        is_url = parts.scheme in ("http", "https") and bool(parts.hostname) and parts.port != 0
    except ValueError:  # a broken IPv6 address or port
        return None
    return parts.path if is_url else None


def _prefix(settings: Settings) -> Iterator[str]:
    for problem in prefix.problems(settings.prefix):
        yield f"{named('prefix')}: {settings.prefix!r} {problem}"


def _encryption(settings: Settings) -> Iterator[str]:
    if settings.kms_key_id is not None and settings.sse != "kms":
        yield f"{named('kms_key_id')} is set, but {named('sse')} is {settings.sse}: set it to kms, or leave the key out"


def _payload_file(settings: Settings) -> Iterator[str]:
    if settings.payload_file is None:
        return
    from stepbench import payload_file

    yield from payload_file.problems(settings.payload_file, settings.serializer)


def _memory(settings: Settings) -> Iterator[str]:
    at_once = _steps_at_once_here(settings)
    multiple = PayloadFormat(settings.serializer, Compression(), settings.materialize).memory_multiple * at_once
    field, size_mb = "payload_mb", settings.payload_mb
    if settings.payload_file is not None:
        from stepbench import payload_file

        if any(_payload_file(settings)):
            return  # told by that rule
        field, size_mb = "payload_file", settings.payload_file.stat().st_size / 1e6
        multiple = max(multiple, payload_file.memory_multiple(settings.serializer))
    limit_mb = machine.memory_limit_bytes() / 1e6
    if size_mb * multiple > limit_mb:
        steps = f", with {at_once} steps at once," if at_once > 1 else ""
        yield (
            f"{named(field)}: {size_mb:,.0f} MB as {settings.serializer}{steps} needs about "
            f"{size_mb * multiple:,.0f} MB of memory and this machine has {limit_mb:,.0f} MB; "
            f"accepts up to {math.floor(limit_mb / multiple):,} MB"
        )


def _steps_at_once_here(settings: Settings) -> int:
    """Steps that run on this machine at the same time; where there is none, it still makes the first payload."""
    return min(settings.concurrency, settings.executors or machine.cores()) if settings.embedded else 1


def _metrics_dir(settings: Settings) -> Iterator[str]:
    from stepbench import folders

    if reason := folders.obstacle(settings.metrics_dir):
        yield f"{named('metrics_dir')}: {settings.metrics_dir}: {reason}; name a folder that can be written"


def _chains(settings: Settings) -> Iterator[str]:
    if settings.chains is not None and settings.chains < settings.concurrency:
        yield (
            f"{named('chains')}: {settings.chains} cannot keep {settings.concurrency} in flight; "
            f"lower {named('concurrency')} or leave chains out"
        )


ENDPOINTS = ("endpoint_url", "s3_endpoint_url", "sqs_endpoint_url")
RULES = (
    *(Rule((field,), partial(_endpoint, field)) for field in ENDPOINTS),
    Rule(("bucket", "steps_queue_url"), _bucket),
    Rule(("steps_queue_url", "results_queue_url"), _queues),
    Rule(("prefix",), _prefix),
    Rule(("sse", "kms_key_id"), _encryption),
    Rule(("payload_file", "serializer"), _payload_file),
    Rule(("payload_mb", "payload_file", "serializer", "materialize", "bucket", "concurrency", "executors"), _memory),
    Rule(("chains", "concurrency"), _chains),
    # A report only reads there.
    Rule(("metrics_dir",), _metrics_dir, readers_of=("steps",)),
)
