"""From what was measured to verdicts: the one file that hands numbers to `orchestrator.verdicts`."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from statistics import median

from orchestrator.experiment import answer, contrasts, dollars, schedule
from orchestrator.experiment.figures import RunFigures
from orchestrator.experiment.lines import EARLY_ENDS, WARM_UP_ROUND, Case, ExperimentEvent
from orchestrator.experiment.reading import Experiment, ExperimentRun
from orchestrator.experiment.request import as_typed
from orchestrator.experiment.result import CaseResult, PartResult, Result
from orchestrator.report import memory
from orchestrator.report.statistics import LABELS
from orchestrator.report.summary import PARTS
from orchestrator.verdicts import pareto, ranking
from orchestrator.verdicts.comparison import Comparison
from orchestrator.verdicts.doubts import Ended, Signals, doubts, of_load
from orchestrator.verdicts.own_median import own_median
from orchestrator.verdicts.pareto import Point
from orchestrator.verdicts.ranking import Rank
from stepbench.channels import traits
from stepbench.samples import Sample
from stepbench.settings import variable_of

Rounds = Mapping[int, RunFigures]
CHANNEL, CONCURRENCY, EXECUTORS = (variable_of(field) for field in ("channel", "concurrency", "executors"))
SERIALIZER, OF_BYTES = variable_of("serializer"), "raw"
"""The one that hands bytes on; by its name, because to load all of them to ask would load their libraries."""
SMALL_SHARE = 0.01
"""Of a step: parts below it are not told."""
WAITS = ("queue_wait", "worker_wait")


def relative_width(rounds: Rounds) -> float | None:
    """Of the interval of a case's median step, as a share of it; null where that cannot be told yet."""
    return own_median(step_times(rounds)).relative_width


def step_times(rounds: Rounds) -> dict[int, float]:
    return {number: found.step_ns for number, found in rounds.items()}


def judged(experiment: Experiment) -> Result:
    """The whole result, of an experiment that has finished or that has not."""
    times = {name: step_times(rounds) for name, rounds in experiment.measured.items()}
    against = contrasts.of_step(experiment.measured, experiment.plan.baseline)
    floors = _floors(experiment)
    choices = {name: values for name, values in times.items() if name not in floors}
    faster = ranking.beaten({name: values for name, values in choices.items() if values})
    points = {name: point for name, point in _points(experiment).items() if name not in floors}
    front = pareto.front(points, faster)
    ranks = (*ranking.ranked(choices), *(_unranked(name, times[name]) for name in floors))
    parts = _parts(experiment)
    cases = tuple(
        _case(experiment, rank, against.get(rank.case), parts[rank.case], front, rank.case in floors) for rank in ranks
    )
    if not memory.is_told_apart(_samples(experiment)):
        cases = tuple(case.model_copy(update={"peak_rss_bytes": None}) for case in cases)
    return Result(
        experiment_id=experiment.plan.experiment_id,
        folder=str(experiment.folder),
        environment=experiment.plan.environment,
        label=LABELS[experiment.plan.environment],
        finished=experiment.manifest.finished,
        rounds=min((case.rounds for case in cases if not case.left_out), default=0),
        repeats=experiment.plan.repeats,
        may_end_early=experiment.plan.may_end_early,
        ended_by=_ended_by(experiment),
        baseline=experiment.plan.baseline,
        answer=tuple(answer.sentences(cases, experiment.plan.baseline, only_warm=_only_warm(experiment))),
        cases=cases,
        warnings=tuple(_warnings(experiment, cases)),
        skipped=experiment.plan.skipped,
    )


def _only_warm(experiment: Experiment) -> bool:
    ends = experiment.manifest.ends
    return any(end.ok for end in ends) and all(end.round == WARM_UP_ROUND for end in ends)


def _floors(experiment: Experiment) -> list[str]:
    """Cases that carry bytes, where others carry records; where all carry bytes, that is what is compared."""
    by_case = {case.name: experiment.settings_of(case).get(SERIALIZER) for case in experiment.plan.cases}
    floors = [name for name, serializer in by_case.items() if serializer == OF_BYTES]
    return floors if len(floors) < len(by_case) else []


def _unranked(name: str, values: Mapping[int, float]) -> Rank:
    middle = float(median(values.values())) if values else None
    return Rank(case=name, median=middle, best=None, worst=None, not_told_apart=())


def _parts(experiment: Experiment) -> dict[str, dict[str, PartResult]]:
    """By case and part."""
    found: dict[str, dict[str, PartResult]] = {name: {} for name in experiment.measured}
    for part in PARTS:
        large = {name for name, rounds in experiment.measured.items() if _is_large(rounds, part)}
        shown = found if experiment.plan.baseline in large else large
        against = contrasts.of_part(experiment.measured, experiment.plan.baseline, part) if shown else {}
        for name in shown:
            if (middle := _part(experiment.measured[name], part)) is not None:
                found[name][part] = PartResult(median_ns=middle, against_baseline=against.get(name))
    return found


def _is_large(rounds: Rounds, part: str) -> bool:
    step = _middle(rounds, lambda run: run.step_ns)
    middle = _part(rounds, part)
    return step is not None and middle is not None and middle >= SMALL_SHARE * step


def _part(rounds: Rounds, part: str) -> float | None:
    return _middle(rounds, lambda run: run.parts_ns.get(part))


def _samples(experiment: Experiment) -> dict[str, list[Sample]]:
    return {name: [s for file in experiment.files(name) for s in file.samples] for name in experiment.measured}


def _points(experiment: Experiment) -> dict[str, Point]:
    return {
        name: Point(
            time=_middle(rounds, lambda run: run.step_ns) or 0, size=_middle(rounds, lambda r: r.bytes_out) or 0
        )
        for name, rounds in experiment.measured.items()
        if rounds
    }


def _case(
    experiment: Experiment,
    rank: Rank,
    against: Comparison | None,
    parts: dict[str, PartResult],
    front: tuple[str, ...],
    is_floor: bool,
) -> CaseResult:
    case = experiment.plan.case(rank.case)
    rounds = experiment.measured[case.name]
    runs = [run for run in experiment.runs if run.end.case == case.name]
    failed = [run.end for run in runs if not run.end.ok]
    return CaseResult(
        name=case.name,
        is_baseline=case.name == experiment.plan.baseline,
        settings=case.settings,
        rounds=len(rounds),
        failed_runs=len(failed),
        left_out=case.name in schedule.left_out(run.end for run in runs),
        error=failed[-1].error if failed else None,
        step_ns=own_median(step_times(rounds)),
        against_baseline=against,
        parts=parts,
        is_floor=is_floor,
        rank=rank,
        bytes_out=_middle(rounds, lambda run: run.bytes_out),
        cpu_ns=_middle(rounds, lambda run: run.cpu_ns),
        peak_rss_bytes=_middle(rounds, lambda run: run.peak_rss_bytes),
        steps_per_second=_middle(rounds, lambda run: run.steps_per_second),
        usd_per_1000_steps=dollars.per_1000_steps(experiment.files(case.name)),
        on_front=case.name in front,
        doubts=doubts(step_times(rounds), _signals(experiment, case, runs)) if rounds else (),
    )


def _middle(rounds: Rounds, number: Callable[[RunFigures], float | None]) -> float | None:
    known = [value for found in rounds.values() if (value := number(found)) is not None]
    return float(median(known)) if known else None


def _signals(experiment: Experiment, case: Case, runs: list[ExperimentRun]) -> Signals:
    rounds = experiment.measured[case.name]
    measured = [run for run in runs if run.is_measured]
    stolen = [run.end.steal_share for run in measured if run.end.steal_share is not None]
    files = [run.file for run in measured if run.file is not None]
    # Of one run: between two of them a worker may have replaced an executor.
    executors = min((len({sample.executor for sample in file.samples}) for file in files), default=0)
    in_flight = files[0].run.plan.concurrency if files else 0
    return Signals(
        rounds_asked=experiment.plan.repeats,
        ended=_ended(experiment),
        failed_rounds=len([run for run in runs if run.end.round and not run.end.ok]),
        retries=sum(found.retries for found in rounds.values()),
        throttled=sum(found.throttled for found in rounds.values()),
        steal_share=sum(stolen) / len(stolen) if stolen else None,
        cold_share=len([found for found in rounds.values() if found.cold_only]) / len(rounds),
        # Where there is an executor for each chain, none waits for one: that is the queue's own time.
        waiting_share=_middle(rounds, _waiting) if in_flight > executors else None,
        in_flight=in_flight,
        executors=executors,
    )


def _about_unseen(experiment: Experiment) -> str | None:
    """Where the experiment ended before all was seen."""
    plan = experiment.plan
    going_on = schedule.going_on(plan, experiment.manifest.ends)
    if plan.to_see is None or not experiment.manifest.finished or plan.baseline not in going_on:
        return None
    if (event := _early_end(experiment)) is not None and event.event == "seen":
        return None
    missing = contrasts.farthest(experiment.measured, plan.baseline, plan.to_see, going_on)
    if missing is None:
        return None
    return (
        f"The rounds were not enough to see a difference of {as_typed(plan.to_see)} everywhere: {missing.words}. Try a "
        "quieter machine, more --repeats (with --to-see), or be content with less."
    )


def _about_load(experiment: Experiment) -> str | None:
    """Of this machine, where it does the steps."""
    plan = experiment.plan
    cases = [experiment.settings_of(case) for case in plan.cases]
    is_here = plan.environment == "embedded" or all(traits(case[CHANNEL]).own_executors for case in cases)
    loads = [run.end.load_1min for run in experiment.runs if run.is_measured and run.end.load_1min is not None]
    cores = plan.machine.get("cores")
    if not is_here or not loads or not cores:
        return None
    own = max(min(case.get(CONCURRENCY) or 1, case.get(EXECUTORS) or cores) for case in cases)
    return of_load(median(loads), cores, own)


def _waiting(found: RunFigures) -> float:
    return sum(found.parts_ns.get(name, 0) for name in WAITS) / found.step_ns if found.step_ns > 0 else 0.0


def _ended_by(experiment: Experiment) -> str | None:
    event = _early_end(experiment)
    return event.message if event else None


def _early_end(experiment: Experiment) -> ExperimentEvent | None:
    events = (line for line in experiment.manifest.lines if isinstance(line, ExperimentEvent))
    return next((event for event in events if event.event in EARLY_ENDS), None)


def _ended(experiment: Experiment) -> Ended:
    event = _early_end(experiment)
    if event is not None:
        return "by the clock" if event.event == "limit" else "enough"
    return "as asked" if experiment.manifest.finished else "not yet"


def _warnings(experiment: Experiment, cases: tuple[CaseResult, ...]) -> Iterator[str]:
    """What is true of all, then what is true of some; the same words about several cases once."""
    if experiment.manifest.torn_line:
        yield f"The last line of {experiment.manifest.path} is torn, as a crash leaves it; it is left out."
    yield from (f"{problem[0].upper()}{problem[1:]}" for problem in experiment.problems)
    yield from filter(None, (_about_load(experiment), _about_unseen(experiment)))
    for case in cases:
        if case.left_out:
            yield f"{case.name} was left out after {schedule.FAILURES_IN_A_ROW} failures in a row: {case.error}"
    said: dict[str, list[str]] = {}
    for case in cases:
        for doubt in case.doubts:
            said.setdefault(doubt, []).append(case.name)
    for doubt, names in said.items():
        whom = "All cases" if len(names) == len([case for case in cases if case.rounds]) > 1 else ", ".join(names)
        yield f"{whom}: {doubt}"
