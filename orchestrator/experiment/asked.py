"""The command line of `compare` → what is asked for. All that is wrong with it is told at once."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from dataclasses import replace
from pathlib import Path
from typing import TypeVar

from orchestrator.experiment import axes, matrix, plan_file
from orchestrator.experiment.request import (
    FEWEST_STABLE_ROUNDS,
    MOST_REPEATS,
    MOST_SEED,
    Request,
    minutes_of,
    share_of,
)
from orchestrator.verdicts import ENOUGH_ROUNDS
from stepbench.errors import UsageError
from stepbench.settings import flag_of

T = TypeVar("T")


def request(
    given: Mapping[str, str],
    *,
    plan: Path | None = None,
    matrix: Path | None = None,
    baseline: str | None = None,
    repeats: str | None = None,
    seed: str | None = None,
    until_stable: str | None = None,
    to_see: str | None = None,
    max_minutes: str | None = None,
) -> Request:
    """`given` are the settings by variable, lists among them. Raises UsageError for a file that cannot be read."""
    problems: list[str] = []
    rounds = _checked("--repeats", repeats, lambda text: _whole(text, 1, MOST_REPEATS), problems)
    seeded = _checked("--seed", seed, lambda text: _whole(text, 0, MOST_SEED), problems)
    stable = _checked("--until-stable", until_stable, share_of, problems)
    see = _checked("--to-see", to_see, share_of, problems)
    minutes = _checked("--max-minutes", max_minutes, minutes_of, problems)
    try:
        asked = _cases(given, plan, matrix, problems)
    except UsageError as error:
        raise UsageError([*problems, *error.problems]) from error
    asked = asked.overridden(
        baseline=baseline, repeats=rounds, seed=seeded, until_stable=stable, to_see=see, max_minutes=minutes
    )
    return replace(asked, problems=(*problems, *asked.problems, *_never_looked(asked)))


def _never_looked(asked: Request) -> Iterator[str]:
    """For each rule that ends an experiment and would look only after its last round."""
    rules = (
        ("--until-stable", "until_stable", asked.until_stable, FEWEST_STABLE_ROUNDS),
        ("--to-see", "to_see", asked.to_see, ENOUGH_ROUNDS),
    )
    for flag, key, value, fewest in rules:
        if value is not None and asked.repeats is not None and asked.repeats < fewest:
            yield (
                f"{flag} ({key} in a plan): looks at {fewest} rounds at least, and with --repeats {asked.repeats} "
                "there are fewer; ask for more rounds, or leave it out"
            )


def _cases(given: Mapping[str, str], plan: Path | None, table: Path | None, problems: list[str]) -> Request:
    single, lists = axes.split(given, problems)
    if plan is not None and table is not None:
        raise UsageError("--plan and --matrix both say what the cases are; give one of them")
    file = plan or table
    if file is None:
        return Request(axes.crossed(lists) if lists else (), single)
    if lists:
        told = ", ".join(flag_of(variable) for variable in lists)
        raise UsageError(f"{told}: the cases are those of {file}; give one value here, or put the list there")
    read = plan_file.read(file) if plan is not None else matrix.read(file)
    places = {name: place for name, place in read.base_places.items() if name not in single}
    return replace(read, base={**read.base, **single}, base_places=places)


def _checked(flag: str, text: str | None, parse: Callable[[str], T], problems: list[str]) -> T | None:
    if text is None:
        return None
    try:
        return parse(text)
    except UsageError as error:
        problems.append(f"{flag}: {error}")
        return None


def _whole(text: str, least: int, most: int) -> int:
    number = int(text) if text.strip().isascii() and text.strip().isdigit() and len(text) < 20 else -1
    if not least <= number <= most:
        raise UsageError(f"{text!r} is no whole number from {least} to {most:,}")
    return number
