"""How settings are named by those who write plans and matrices, and how cases are named by what they differ in."""

from __future__ import annotations

import difflib
from collections.abc import Iterable, Mapping, Sequence
from functools import cache
from types import MappingProxyType
from typing import Any

from orchestrator.report.units import one_line
from stepbench.errors import UsageError
from stepbench.lambda_functions import Function
from stepbench.settings import Settings, flag_of, variable_of
from stepbench.settings_table import programs_of

PLURALS: Mapping[str, str] = MappingProxyType(
    {"serializers": "SERIALIZER", "compressions": "COMPRESSION", "s3-clients": "S3_CLIENT"}
)
"""Names for several values of a setting, by flag without its hyphens."""
OF_THE_EXPERIMENT = frozenset(
    {
        "region",
        "profile",
        "endpoint_url",
        "s3_endpoint_url",
        "sqs_endpoint_url",
        "lambda_endpoint_url",
        "bucket",
        "prefix",
        "steps_queue_url",
        "fleets",
        "results_queue_prefix",
        "results_queue_url",
        "cleanup",
        "metrics_dir",
        "metrics_fsync",
        "metrics_sync_seconds",
        "metrics_to_s3",
        "no_worker_warning_seconds",
        "log_level",
        "log_format",
    }
)
"""The settings, by field, that say where an experiment takes place and what becomes of its files."""
LONGEST_NAME = 80
BARE = ("serializer", "compression", "materialize", "s3_client", "transform", "channel", "fleet")
"""Settings whose values say what they are; in the order in which they stand in a case's name, before all others."""


def of_a_case(field: str) -> bool:
    """Whether cases may differ in it: a run has it, and not the whole experiment."""
    return field not in OF_THE_EXPERIMENT and "orchestrator" in programs_of(field)


def of_a_worker(field: str) -> bool:
    """Whether a worker reads it when it starts, so that cases which differ in it need workers of their own."""
    return "worker" in programs_of(field)


def field_named(text: str) -> str:
    """The setting that somebody means by `payload_mb`, `PAYLOAD_MB` or `--payload-mb`. Raises UsageError if none."""
    known = _known()
    key = _key(text)
    if key not in known:
        near = difflib.get_close_matches(key, known, n=1)
        hint = f"; did you mean {variable_of(known[near[0]])}?" if near else ""
        raise UsageError(f"{one_line(text)[:LONGEST_NAME]!r} is no setting{hint}")
    return known[key]


@cache
def _known() -> dict[str, str]:
    known = {_key(flag_of(variable_of(field))): field for field in Settings.model_fields}
    known |= {_key(variable_of(field)): field for field in Settings.model_fields}
    by_variable = {variable_of(field): field for field in Settings.model_fields}
    return known | {_key(plural): by_variable[variable] for plural, variable in PLURALS.items()}


def _key(text: str) -> str:
    return text.strip().removeprefix("--").replace("-", "_").casefold()


def differing(all_values: Sequence[Mapping[str, Any]]) -> list[str]:
    """The variables that do not have one value everywhere, in the order in which names show them."""
    first = all_values[0]
    found = [name for name in first if any(values[name] != first[name] for values in all_values)]
    bare = [variable_of(field) for field in BARE]
    return sorted(found, key=lambda name: bare.index(name) if name in bare else len(bare))


def names_of(cases: Sequence[Mapping[str, Any]], variables: Iterable[str]) -> list[str]:
    """`json zstd:3 50 MB concurrency 4`, of each. Only what is the same has the same name."""
    parts = [_parts(name, [values[name] for values in cases]) for name in variables]
    whole = [" ".join(of_a_case) for of_a_case in zip(*parts, strict=True)]
    cut = [name[:LONGEST_NAME] for name in whole]
    return cut if len(set(cut)) == len(set(whole)) else whole


def _parts(variable: str, values: Sequence[object]) -> list[str]:
    """What each value adds to a name: of a function its own name, as short as they can be told apart by."""
    if variable != variable_of("lambda_function"):
        return [_part(variable, value) for value in values]
    forms = ([_function_name(arn, with_region=further) for arn in values] for further in (False, True))
    told = next((form for form in forms if len(set(form)) == len(set(values))), [str(arn) for arn in values])
    return [_part(variable, arn and form) for arn, form in zip(values, told, strict=True)]


def _function_name(arn: object, *, with_region: bool) -> str:
    if arn is None:
        return ""
    function = Function.of(str(arn))
    return f"{function.name} {function.region}" if with_region else function.name


def _part(variable: str, value: object) -> str:
    if value is None:
        return f"{flag_of(variable).removeprefix('--')} default"
    if variable in [variable_of(field) for field in BARE]:
        return str(value)
    if variable == variable_of("payload_mb"):
        return f"{value:g} MB"
    shown = f"{value:g}" if isinstance(value, float) else str(value).lower() if isinstance(value, bool) else str(value)
    return f"{flag_of(variable).removeprefix('--')} {shown}"


def checked(name: str) -> str:
    """A name that somebody gave to a case. Raises UsageError for one that would not fit into a line of a table."""
    if not name.strip() or len(name) > LONGEST_NAME or one_line(name) != name.strip():
        raise UsageError(
            f"the name {one_line(name)[:LONGEST_NAME]!r} is not 1 to {LONGEST_NAME} characters in one line"
        )
    return name.strip()
