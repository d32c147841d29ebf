"""Cases as they were asked for → cases that can be run, each with all of its settings, validated by their own rules.

Everything that is wrong with any of them is told at once. A combination of a cross product that makes no sense, or that
is the same as another, is left out with a sentence; one that was written down by itself is refused.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Collection, Iterator, Mapping, Sequence
from dataclasses import dataclass, field

from orchestrator.experiment.names import differing, field_named, names_of, of_a_worker
from orchestrator.experiment.request import Request, Wanted
from stepbench import configuration, registry, serializers
from stepbench.errors import UsageError
from stepbench.settings import Settings, flag_of, named, variable_of

ALONE = (
    "there is one case, and no other to compare it with; name several, as with --serializers json,arrow or "
    "--concurrency 1,4; start measures one alone"
)
S3_CLIENTS = "stepbench.s3_clients"


@dataclass(frozen=True)
class ReadyCase:
    """A case that can be run."""

    name: str
    settings: Settings


@dataclass(frozen=True)
class Resolved:
    """What will be compared."""

    cases: tuple[ReadyCase, ...]
    baseline: str
    skipped: tuple[str, ...]


@dataclass
class _Found:
    """A wanted case with its settings, if they are right, and what is wrong with them."""

    wanted: Wanted
    settings: Settings | None
    problems: list[str] = field(default_factory=list)


def resolve(request: Request) -> Resolved:
    """Raises UsageError with a sentence for each thing that is wrong with the request or with any case."""
    found = [_validated(wanted, request) for wanted in request.wanted or (Wanted({}),)]
    problems = [*request.problems, *_flags_in_vain(request), *_all_problems(found), *_missing_clients(found)]
    if problems:
        raise UsageError(list(dict.fromkeys(problems)))
    skipped: list[str] = []
    kept = list(_without_senseless(found, skipped))
    if not kept:
        raise UsageError([*skipped, "no case is left to run"])
    if len(kept) == 1:
        raise UsageError([*skipped, ALONE])
    cases = _named(kept)
    return Resolved(cases, _baseline(request.baseline, kept, cases), tuple(skipped))


def _validated(wanted: Wanted, request: Request) -> _Found:
    given = {**request.base, **wanted.values}
    places = {**request.base_places, **wanted.places}
    try:
        return _Found(wanted, _settings(given, places, wanted))
    except UsageError as error:
        return _Found(wanted, None, list(error.problems))


def _settings(given: Mapping[str, str], places: Mapping[str, str], wanted: Wanted) -> Settings:
    settings = configuration.load(given, places=places)
    if not settings.embedded and (problems := list(_of_other_workers(wanted))):
        raise UsageError(problems)
    # What is left of a run would fill the embedded S3's memory, or cost money, and nobody goes on with it.
    return settings.model_copy(update={"cleanup": True})


def _of_other_workers(wanted: Wanted) -> Iterator[str]:
    for variable in wanted.values:
        if of_a_worker(field_named(variable)):
            place = wanted.places.get(variable, flag_of(variable))
            yield (
                f"{place} {wanted.values[variable]}: a worker reads {variable} when it starts, and the workers of a "
                f"configured bucket are not started from here; give fleets of their own to its values and compare "
                f"{named('fleet')}, or compare on the embedded stack"
            )


def _all_problems(found: Sequence[_Found]) -> Iterator[str]:
    """Each once; what is wrong in every case is no case's own, and so told without its place."""
    times = Counter(problem for each in found for problem in dict.fromkeys(each.problems))
    for each in found:
        for problem in each.problems:
            is_placed = not each.wanted.where or problem.startswith(each.wanted.where)
            everywhere = times[problem] == len(found) > 1
            yield problem if is_placed or everywhere else f"{each.wanted.where}: {problem}"


def _flags_in_vain(request: Request) -> Iterator[str]:
    """A flag that no case listens to is a mistake, and would go unseen."""
    if not request.wanted or not request.wanted[0].places:
        return
    for variable in request.base:
        if variable not in request.base_places and all(variable in wanted.values for wanted in request.wanted):
            yield f"{flag_of(variable)}: every case has a {variable} of its own; leave one of the two out"


def _missing_clients(found: Sequence[_Found]) -> Iterator[str]:
    """An extra that is not installed would fail every run of its cases, here or in the workers."""
    for name in dict.fromkeys(each.settings.s3_client for each in found if each.settings):
        try:
            registry.load(S3_CLIENTS, name)
        except UsageError as error:
            yield f"{named('s3_client')}: {error}"


def _without_senseless(found: Sequence[_Found], skipped: list[str]) -> Iterator[_Found]:
    """Tells in `skipped` what is left out. Raises UsageError for a senseless case that was asked for by itself."""
    seen: set[str] = set()
    crossed = {_key(each.settings) for each in found if each.settings and not each.wanted.by_name}
    for each in found:
        assert each.settings is not None
        reason = _senseless(each.settings, crossed)
        if reason is not None and each.wanted.by_name:
            raise UsageError(f"{each.wanted.where}: {reason}")
        if reason is None and not each.wanted.by_name and _key(each.settings) in seen:
            shown = " ".join(each.wanted.values.values())
            reason = f"{shown} stands there twice, and is run as one case"
        if reason is None:
            seen.add(_key(each.settings))
            yield each
        elif reason not in skipped:
            skipped.append(reason)


def _key(settings: Settings) -> str:
    """The same for the same settings; compared a thousand times, where settings themselves are slow to compare."""
    return settings.model_dump_json()


def _senseless(settings: Settings, crossed: Collection[str]) -> str | None:
    """Why a case of these is not worth a run; `crossed` are the keys of all that came of a cross product."""
    if settings.materialize != "rows":
        return None
    form = serializers.load(settings.serializer).form
    if form == "bytes":
        return f"{settings.serializer} with --materialize rows is left out: it carries bytes, which have no rows"
    if form == "rows" and _key(settings.model_copy(update={"materialize": "native"})) in crossed:
        return f"{settings.serializer} with --materialize rows is left out: it makes rows anyway, as with native"
    return None


def _named(kept: Sequence[_Found]) -> tuple[ReadyCase, ...]:
    values = [configuration.in_force(each.settings) for each in kept if each.settings]
    variables = differing(values) or [variable_of("serializer"), variable_of("compression")]
    names = [each.wanted.name or made for each, made in zip(kept, names_of(values, variables), strict=True)]
    first: dict[str, Wanted] = {}
    problems = []
    for name, each in zip(names, kept, strict=True):
        other = first.setdefault(name, each.wanted)
        if other is not each.wanted:
            problems.append(
                f"{each.wanted.where or name}: is called {name!r} as another case is ({other.where or name}); "
                "give it a name of its own, also where a case is to be compared with itself"
            )
    if problems:
        raise UsageError(problems)
    return tuple(ReadyCase(name, each.settings) for name, each in zip(names, kept, strict=True) if each.settings)


def _baseline(asked: str | None, kept: Sequence[_Found], cases: Sequence[ReadyCase]) -> str:
    """The name of the case that was named, or marked in a matrix; without that, the first one's."""
    if asked is None:
        return cases[0].name
    for each, case in zip(kept, cases, strict=True):
        if asked in (case.name, each.wanted.where):
            return case.name
    raise UsageError(f"--baseline: {registry.unknown_choice(asked, tuple(case.name for case in cases))}")
