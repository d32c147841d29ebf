"""Lists of values → their cross product, in one order whatever the order in which they were written."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from itertools import product

from orchestrator.experiment.names import BARE, field_named, of_a_case
from orchestrator.experiment.request import Wanted
from stepbench.errors import UsageError
from stepbench.settings import Settings, flag_of, variable_of

MOST_CASES = 1_000
"""In one experiment: a hundred would already be a table that nobody reads."""


def split(given: Mapping[str, str], problems: list[str]) -> tuple[dict[str, str], dict[str, list[str]]]:
    """Settings by variable → those with one value, and those with a list, which are the axes.

    A list with an empty place is a problem.
    """
    single: dict[str, str] = {}
    axes: dict[str, list[str]] = {}
    for variable, text in given.items():
        if "," not in text or not of_a_case(field_named(variable)) or field_named(variable) == "payload_file":
            single[variable] = text  # a comma in there is a part of its value
            continue
        values = [value.strip() for value in text.split(",")]
        if not all(values):
            problems.append(f"{flag_of(variable)} {text}: has an empty place between two commas, or at an end")
        axes[variable] = [value for value in values if value]
    return single, axes


def crossed(axes: Mapping[str, Sequence[str]], places: Mapping[str, str] | None = None) -> tuple[Wanted, ...]:
    """One case for each combination; one without a value of its own for no axes. The last axis turns fastest."""
    variables = sorted(axes, key=_position)
    count = 1
    for variable in variables:
        count *= len(axes[variable])
    if count > MOST_CASES:
        raise UsageError(f"the lists make {count:,} cases, and an experiment has at most {MOST_CASES:,}; shorten one")
    return tuple(
        Wanted(dict(zip(variables, values, strict=True)), places or {})
        for values in product(*(axes[variable] for variable in variables))
    )


def _position(variable: str) -> tuple[int, int]:
    field = field_named(variable)
    bare = BARE.index(field) if field in BARE else len(BARE)
    return bare, [variable_of(name) for name in Settings.model_fields].index(variable)
