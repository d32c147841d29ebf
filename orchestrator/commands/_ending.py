"""How a run's end is told, and with which exit code."""

from __future__ import annotations

import shlex
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from typing import TextIO

from orchestrator.channels import Channel
from orchestrator.report.summary import Summary
from orchestrator.report.terminal import show
from orchestrator.run import closing, resumption
from orchestrator.run.journal import Journal
from orchestrator.run.plan import Plan
from orchestrator.run.site import Site
from orchestrator.s3_copy.keeping import Keeping
from orchestrator.s3_copy.lease import TakenOver
from stepbench import aws_errors, streams
from stepbench.errors import EnvironmentRefused

EXIT_CHAIN_FAILED = 1


def say(sentence: str) -> None:
    """Beside what a command prints."""
    print(sentence, file=sys.stderr, flush=True)


def tell(plan: Plan, site: Site, journal: Journal, channel: Channel, keeping: Keeping, *, as_json: bool) -> int:
    """Closes a run whose chains have all ended and prints its figures; exit code.

    Raises EnvironmentRefused, after the figures where there are any, for what could not be done at the end.
    """
    try:
        with _refusals_with_what_is_kept(plan, site, journal):
            ending = closing.close(plan, site, journal, channel, keeping)
    except KeyboardInterrupt:
        say(f"Interrupted after the last chain had ended. {_kept(plan, site, journal)}")
        raise
    _print(ending.summary, as_json, streams.read_or_not(sys.stdout))
    if ending.refused:
        raise EnvironmentRefused("\n".join(ending.refused))
    return EXIT_CHAIN_FAILED if ending.summary.counts.chains_failed else 0


@contextmanager
def telling_what_is_kept(plan: Plan, site: Site, journal: Journal) -> Iterator[None]:
    """Whatever ends a run before its time, the user learns where its figures are and how to go on.

    An interrupt is told in the metrics file too.

    Raises EnvironmentRefused for what AWS or the disk refused, and KeyboardInterrupt.
    """
    try:
        with _refusals_with_what_is_kept(plan, site, journal):
            yield
    except KeyboardInterrupt:
        try:
            closing.break_off(site, journal)
        except EnvironmentRefused as error:
            say(str(error))
        say(f"Interrupted. {_kept(plan, site, journal)}")
        raise


@contextmanager
def _refusals_with_what_is_kept(plan: Plan, site: Site, journal: Journal) -> Iterator[None]:
    try:
        with aws_errors.worded("orchestrator", site.settings):
            yield
    except TakenOver:
        raise  # somebody else goes on with it
    except EnvironmentRefused as error:
        raise EnvironmentRefused(f"{error}\n{_kept(plan, site, journal)}") from error


def _kept(plan: Plan, site: Site, journal: Journal) -> str:
    file = shlex.quote(str(journal.path))  # a run id alone would be looked for in another --metrics-dir
    kept = f"All that is known of it: python -m orchestrator report {file}"
    if site.own_stack:
        return f"{kept}\nThe run cannot be resumed: its payloads were on the embedded stack."
    if (obstacle := resumption.obstacle(journal.path)) is not None:
        return f"{kept}\nThe run cannot be resumed: {obstacle}."
    return f"{kept}\nTo go on with it: python -m orchestrator resume {file}"


def _print(summary: Summary, as_json: bool, stream: TextIO) -> None:
    if as_json:
        print(summary.model_dump_json(), file=stream, flush=True)
    else:
        show(summary, stream)
