"""One run of one case, as `start` would make it, and what became of it as a line of the manifest."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import ExitStack, contextmanager, suppress
from dataclasses import dataclass
from pathlib import Path
from time import monotonic

from orchestrator.experiment import noise
from orchestrator.experiment.lines import RunEnd
from orchestrator.experiment.places import Places
from orchestrator.experiment.schedule import Turn
from orchestrator.report.pace import Progress
from orchestrator.report.summary import Summary
from orchestrator.report.tally import Tally
from orchestrator.report.units import one_line, shortened
from orchestrator.run import closing, first_payload, single
from orchestrator.run.closing import Ending
from orchestrator.run.journal import now_text
from orchestrator.run.single import Identity, Run
from orchestrator.run.site import Site
from orchestrator.s3_copy.lease import TakenOver
from stepbench import aws_errors
from stepbench.errors import EnvironmentRefused, FileRefused, StepbenchError
from stepbench.settings import Settings

ERROR_CHARACTERS = 500


@dataclass(frozen=True)
class Hands:
    """What a run is made with."""

    folder: Path
    places: Places
    payloads: first_payload.Maker
    say: Callable[[str], None]
    show: Callable[[Progress], None]


def run(turn: Turn, settings: Settings, hands: Hands) -> RunEnd:
    """Raises EnvironmentRefused for what would end every other run too, and KeyboardInterrupt; both leave its file."""
    identity = Identity.new(hands.folder)
    began, before, load = monotonic(), noise.cpu_ticks(), noise.load_1min()
    error: str | None = None
    try:
        error = _outcome(_ended(identity, settings, hands))
    except FileRefused:
        raise  # no fault of the case: no other run could be written down either
    except StepbenchError as refusal:
        hands.places.prove(settings)
        error = str(refusal)
    return RunEnd(
        at=now_text(),
        round=turn.round,
        case=turn.case,
        run_id=identity.run_id,
        ok=error is None,
        error=error and shortened(one_line(error), ERROR_CHARACTERS),
        seconds=round(monotonic() - began, 3),
        steal_share=noise.steal_share(before, noise.cpu_ticks()),
        load_1min=load,
    )


def _ended(identity: Identity, settings: Settings, hands: Hands) -> Ending:
    recipe = first_payload.Recipe.of(settings)
    with ExitStack() as stack:
        # The one after the other: nothing is to run beside a run, and its worker may be ready since long.
        payload = stack.enter_context(hands.payloads.making(recipe))
        payload.wait_until_made()
        place = hands.places.site(settings)
        stack.enter_context(aws_errors.worded("orchestrator", place.settings))
        run = stack.enter_context(single.begun(identity, place, settings, hands.say, warn_of_distance=False))
        stack.enter_context(_emptied(run, place))
        tally = Tally(run.plan, hands.show, run.site.no_worker_warning_seconds)
        try:
            channel = run.execute(payload, tally.saw)
        except KeyboardInterrupt:
            with suppress(EnvironmentRefused):  # a full disk must not hide the interrupt
                closing.break_off(run.site, run.journal)
            raise
        return run.close(channel, keeps_failed=False)


@contextmanager
def _emptied(run: Run, place: Site) -> Iterator[None]:
    """At its end the run's payloads are gone, also where it failed: nobody goes on with it.

    On AWS not after an interrupt, as its workers may still write, nor where the run is another orchestrator's.
    """
    try:
        yield
    except TakenOver:
        raise
    except Exception:
        if not place.own_stack:
            _empty(run, place)
        raise
    finally:
        if place.own_stack:  # it holds them in memory
            _empty(run, place)


def _empty(run: Run, place: Site) -> None:
    try:
        with aws_errors.worded("orchestrator", place.settings):
            closing.clean_up(run.plan, place.clients.s3)
    except EnvironmentRefused:
        return  # what ended the run is told; that its payloads stayed must not hide it


def _outcome(ending: Ending) -> str | None:
    """Why the run is of no use; null where it is. What could not be cleaned up takes nothing from its figures."""
    summary = ending.summary
    if not summary.counts.chains_failed:
        return None
    return f"{summary.counts.chains_failed} of {summary.counts.chains} chains failed{_last_failure(summary)}"


def _last_failure(summary: Summary) -> str:
    if not summary.failures:
        return ""
    last = summary.failures[-1]
    phase = f" in {last.phase}" if last.phase else ""
    return f": {last.error_class}{phase}: {last.message}"
