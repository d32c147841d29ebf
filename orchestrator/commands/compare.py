"""`compare`: which case is fastest, by an experiment; or two runs or experiments that there are already."""

from __future__ import annotations

import argparse
import shlex
import sys
from contextlib import suppress
from pathlib import Path
from typing import TYPE_CHECKING

from stepbench import flags, settings_table
from stepbench.settings import flag_of

if TYPE_CHECKING:
    from orchestrator.experiment.estimate import Estimate
    from orchestrator.experiment.launching import Underway
    from orchestrator.experiment.lines import ExperimentLine
    from orchestrator.experiment.request import Request
    from stepbench.settings import Settings

HELP = "run cases in randomised rounds and rank them; or compare two runs or experiments that there are already"
SETTINGS: tuple[str, ...] | None = ("METRICS_DIR", "LOG_LEVEL", "LOG_FORMAT")

EXIT_FAILED = 1
EXIT_SLOWER = 4
ONLY_OF_TWO = ("fail_if_slower", "anyway")
ONLY_OF_AN_EXPERIMENT = ("plan", "matrix", "baseline", "repeats", "seed", "until_stable", "to_see", "max_minutes")
"""Flags of one that begins: it goes on as it was planned."""
ASKS_ABOVE_MINUTES = 10
ASKS_ABOVE_BYTES = 10 * 10**9
"""Written by all runs together. On AWS anything is asked about: it costs money."""


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """What to compare, and how sure to be."""
    parser.add_argument(
        "two",
        nargs="*",
        metavar="A B",
        help="two metrics files or run ids, or two folders of experiments: B is held against A; nothing is run",
    )
    _add_cases(parser)
    _add_rounds(parser)
    parser.add_argument(
        "--resume",
        nargs="?",
        const="",
        metavar="FOLDER",
        help="go on with the experiment in FOLDER, or with the newest one of --metrics-dir",
    )
    parser.add_argument(
        "--fail-if-slower",
        metavar="SHARE",
        help=f"with A B: exit code {EXIT_SLOWER} if B is shown to be slower by more than so much, such as 5%%",
    )
    parser.add_argument("--anyway", action="store_true", help="with A B: compare what should not be compared, too")
    parser.add_argument("--yes", action="store_true", help="do not ask, however long it takes")
    parser.add_argument("--json", action="store_true", help="print the result as one JSON object")
    parser.add_argument("--quiet", action="store_true", help="show no progress")


def _add_cases(parser: argparse.ArgumentParser) -> None:
    from orchestrator.experiment.names import PLURALS

    cases = parser.add_argument_group(
        "cases",
        "a list with commas for any setting of a run makes a case of each value, several lists all combinations",
    )
    for plural, variable in PLURALS.items():
        cases.add_argument(
            f"--{plural}", dest=variable, default=argparse.SUPPRESS, metavar="A,B", help=f"the same as {variable}=A,B"
        )
    cases.add_argument("--plan", type=Path, metavar="FILE.toml", help="an experiment in a file; flags win over it")
    cases.add_argument("--matrix", type=Path, metavar="FILE.csv", help="a row for each case, a column for each setting")
    cases.add_argument(
        "--baseline", metavar="CASE", help="the case that others are held against; the first where not set"
    )
    run = (row.variable for row in settings_table.table() if "orchestrator" in row.programs)
    flags.add(parser, (variable for variable in run if variable not in (SETTINGS or ())))


def _add_rounds(parser: argparse.ArgumentParser) -> None:
    from orchestrator.experiment.request import DEFAULT_SEED
    from orchestrator.verdicts import MOST_ROUNDS, TO_SEE

    rounds = parser.add_argument_group("rounds", "each has every case once, in an order of its own")
    rounds.add_argument(
        "--repeats",
        metavar="N",
        help="measured rounds: so many, or with --to-see or --until-stable at most so many; where not set at most "
        f"{MOST_ROUNDS}",
    )
    rounds.add_argument(
        "--to-see",
        metavar="SHARE",
        help="end when a difference to the baseline of so much would be seen in nine of ten experiments, in a step and "
        "in each phase that takes a tenth of the baseline's step or more; "
        f"{TO_SEE:.0%}% where neither --repeats nor --until-stable is set",
    )
    rounds.add_argument("--seed", metavar="N", help=f"of the order of the cases; {DEFAULT_SEED} where not set")
    rounds.add_argument(
        "--until-stable", metavar="WIDTH", help="end when each median is known within so much of itself, such as 2%%"
    )
    rounds.add_argument("--max-minutes", metavar="N", help="begin no round that would end later than that")


def run(settings: Settings, arguments: argparse.Namespace) -> int:
    """As EXIT_CODES tells. Raises UsageError, EnvironmentRefused, KeyboardInterrupt."""
    from orchestrator.experiment import needs

    needs.check()
    if arguments.two:
        return _compare_two(settings, arguments)
    if arguments.resume is not None:
        return _resume(settings, arguments)
    return _begin(settings, arguments)


def _compare_two(settings: Settings, arguments: argparse.Namespace) -> int:
    from orchestrator.experiment import two, two_terminal
    from orchestrator.experiment.request import share_of
    from stepbench.errors import UsageError

    if vain := _flags_given(arguments, *ONLY_OF_AN_EXPERIMENT, "resume", settings_too=True):
        raise UsageError(
            f"compare A B holds two against each other and runs nothing, so {flag} has no meaning here; leave it out"
            for flag in vain
        )
    if len(arguments.two) != 2:
        named = "one is" if len(arguments.two) == 1 else f"{len(arguments.two)} are"
        raise UsageError(f"compare takes two runs or experiments, and {named} named")
    limit = None if arguments.fail_if_slower is None else share_of(arguments.fail_if_slower)
    sides = [two.side(settings.metrics_dir, target) for target in arguments.two]
    result = two.compared(*sides, limit=limit, anyway=arguments.anyway)
    if arguments.json:
        print(result.model_dump_json())
    else:
        two_terminal.show(result, sys.stdout)
    gates = [case.gate for case in result.cases if case.gate is not None]
    if any(each.fails for each in gates):
        return EXIT_SLOWER
    if untold := [each.sentence for each in gates if each.outcome == "cannot tell"]:
        raise UsageError(f"--fail-if-slower {arguments.fail_if_slower}: {sentence}" for sentence in untold)
    return 0


def _begin(settings: Settings, arguments: argparse.Namespace) -> int:
    from orchestrator.experiment import cases, estimate, launching, planning
    from stepbench.errors import UsageError

    if vain := _flags_given(arguments, *ONLY_OF_TWO):
        raise UsageError(f"{flag} goes with two runs or experiments to compare: compare A B" for flag in vain)
    request = _request(arguments)
    resolved = cases.resolve(request)
    plan = planning.new(resolved, request)
    expected = estimate.estimate(resolved.cases, plan.repeats + 1, settings.metrics_dir)
    _tell_before(plan, expected)
    _ask_above_limits(plan, expected, arguments)
    with launching.begun(plan, settings.metrics_dir) as underway:
        return _see_through(underway, arguments, expected.seconds / expected.runs)


def _resume(settings: Settings, arguments: argparse.Namespace) -> int:
    from orchestrator.experiment import launching, reading
    from stepbench.errors import UsageError

    if vain := _flags_given(arguments, *ONLY_OF_AN_EXPERIMENT, *ONLY_OF_TWO, settings_too=True):
        raise UsageError(
            f"--resume goes on with the experiment as it was planned, so {flag} has no meaning here; leave it out"
            for flag in vain
        )
    folder = Path(arguments.resume) if arguments.resume else launching.newest(settings.metrics_dir)
    if reading.read(folder).manifest.finished:
        _say(f"{folder}: the experiment has ended, and nothing is left to do. Its answer:")
        return _told(folder, arguments)
    with launching.taken_up(folder, _say) as underway:
        return _see_through(underway, arguments, None)


def _flags_given(arguments: argparse.Namespace, *names: str, settings_too: bool = False) -> list[str]:
    """Those of `names` that were given, as one types them; `settings_too`: and the settings of runs."""
    given = [name for name in names if getattr(arguments, name) not in (None, False)]
    settings = [name for name in flags.given(arguments) if name not in (SETTINGS or ())] if settings_too else []
    return [*(f"--{name.replace('_', '-')}" for name in given), *(flag_of(name) for name in settings)]


def _request(arguments: argparse.Namespace) -> Request:
    from orchestrator.experiment import asked

    return asked.request(
        {name: text for name, text in flags.given(arguments).items() if name not in (SETTINGS or ())},
        plan=arguments.plan,
        matrix=arguments.matrix,
        baseline=arguments.baseline,
        repeats=arguments.repeats,
        seed=arguments.seed,
        until_stable=arguments.until_stable,
        to_see=arguments.to_see,
        max_minutes=arguments.max_minutes,
    )


def _see_through(underway: Underway, arguments: argparse.Namespace, run_seconds: float | None) -> int:
    from orchestrator.experiment.lines import RunEnd
    from orchestrator.experiment.view import State, view_on

    gone_seconds = sum(line.seconds for line in underway.lines if isinstance(line, RunEnd))
    state = State(underway.plan, estimated_seconds=run_seconds, gone_seconds=gone_seconds)
    try:
        with view_on(sys.stderr, arguments.quiet, state) as view:
            underway.see_through(view, view.update, _say)
    except BaseException as error:
        _tell_what_is_kept(underway, arguments, error)
        raise
    return _told(underway.folder, arguments)


def _tell_what_is_kept(underway: Underway, arguments: argparse.Namespace, error: BaseException) -> None:
    """After Ctrl-C the figures so far, to stderr: what is on stdout is a whole result."""
    from orchestrator.experiment import judging, launching, reading, terminal
    from stepbench.errors import EnvironmentRefused, UsageError

    if isinstance(error, KeyboardInterrupt | EnvironmentRefused):
        with suppress(UsageError):  # a folder that was moved must not hide what ended this
            for sentence in launching.what_stays(underway.folder):
                _say(sentence)
    if isinstance(error, KeyboardInterrupt):
        _say("Interrupted. What is known so far:")
        terminal.show(judging.judged(reading.read(underway.folder)), sys.stderr)
    elif isinstance(error, EnvironmentRefused):
        folder = shlex.quote(str(underway.folder))
        _say(f"What was measured is kept. To go on: python -m orchestrator compare --resume {folder}")


def _told(folder: Path, arguments: argparse.Namespace) -> int:
    from orchestrator.experiment import judging, reading, terminal

    result = judging.judged(reading.read(folder))
    if arguments.json:
        print(result.model_dump_json())
    else:
        terminal.show(result, sys.stdout)
    return EXIT_FAILED if any(case.failed_runs for case in result.cases) else 0


def _tell_before(plan: ExperimentLine, expected: Estimate) -> None:
    from orchestrator.experiment.prospect import sentences

    for sentence in sentences(plan, expected):
        _say(sentence)


def _ask_above_limits(plan: ExperimentLine, expected: Estimate, arguments: argparse.Namespace) -> None:
    """Raises UsageError where nobody can be asked, or where the answer is no."""
    from stepbench.errors import UsageError

    most = expected.within(plan.max_minutes)
    is_much = most.seconds > ASKS_ABOVE_MINUTES * 60 or most.written_bytes > ASKS_ABOVE_BYTES
    if arguments.yes or not (is_much or plan.environment == "aws"):
        return
    if not sys.stdin.isatty():
        raise UsageError("nobody is there to be asked whether that is wanted; --yes begins it")
    sys.stderr.write("Begin? [y/N] ")
    sys.stderr.flush()
    if sys.stdin.readline().strip().casefold() not in ("y", "yes"):
        raise UsageError("not begun; --yes begins without asking")


def _say(sentence: str) -> None:
    print(sentence, file=sys.stderr, flush=True)
