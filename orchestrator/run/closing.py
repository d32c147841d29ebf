"""After the last chain has ended: clean up, write the summary line, copy the metrics file, delete the results queue.

Each is tried whatever became of the others. A right that is missing must not cost a run its figures, nor leave more
behind than it has to.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import TYPE_CHECKING, Literal

from orchestrator.channels import Channel
from orchestrator.report import metrics_file
from orchestrator.report.metrics_file import MetricsFile
from orchestrator.report.statistics import summarise
from orchestrator.report.summary import Summary
from orchestrator.run import results_queue
from orchestrator.run.journal import Journal, now_text
from orchestrator.run.leftovers import left_in_s3
from orchestrator.run.lines import Event, SummaryLine
from orchestrator.run.plan import Plan
from orchestrator.run.site import Site
from orchestrator.s3_copy.keeping import Keeping
from orchestrator.s3_copy.lease import TakenOver
from orchestrator.s3_copy.objects import Objects
from orchestrator.upkeep import batches
from stepbench import aws_errors
from stepbench.errors import EnvironmentRefused, UsageError

if TYPE_CHECKING:
    from mypy_boto3_s3.client import S3Client


@dataclass(frozen=True)
class Ending:
    """The figures, and the sentences for what could not be done."""

    summary: Summary
    refused: tuple[str, ...]


def close(
    plan: Plan, site: Site, journal: Journal, channel: Channel, keeping: Keeping, *, keeps_failed: bool = True
) -> Ending:
    """Ends a run whose chains have all ended. `keeps_failed`: somebody may go on with chains that failed.

    Raises EnvironmentRefused where the summary cannot be written, or where another orchestrator goes on with the run.
    """
    keeping.prove()
    s3 = site.clients.s3
    closing = _Closing(site)
    closing.did(channel.close)
    journal.write([_counted("closing", site)])
    file = _read_again(journal)
    # `resume --retry-failed` begins with the payloads of chains that failed.
    is_kept = keeps_failed and any(not end.ok for end in file.ends.values())
    cleaned = site.settings.cleanup and not is_kept and closing.did(lambda: clean_up(plan, s3))
    keeping.prove()  # again: there may have been much to clean up
    # The file tells what is left, and its copy in S3 is whole: hence this order.
    summary = summarise([file], [left_in_s3(file, gone=cleaned or site.own_stack)])
    journal.write([SummaryLine(**summary.model_dump(mode="json"))])
    if keeping.on:
        if not closing.did(keeping.end):
            keeping.prove()  # it may have been refused for so long that the queue is another's
    elif site.settings.metrics_to_s3:
        closing.did(lambda: Objects.of(s3, plan).put_whole(journal.path, keeping.epoch))
    journal.close()  # not earlier: who has its lock has the run
    if plan.results_queue_is_own and (url := plan.results_queue_url) is not None:
        closing.did(lambda: results_queue.delete(site.clients.sqs, url))
    return Ending(summary, tuple(closing.refused))


def _read_again(journal: Journal) -> MetricsFile:
    try:
        return metrics_file.read(journal.path)
    except UsageError as error:
        raise EnvironmentRefused(f"{error}; somebody else has touched the metrics file of this run") from error


def break_off(site: Site, journal: Journal) -> None:
    """Writes that the run was interrupted. Raises EnvironmentRefused where there is no room for it."""
    journal.write([_counted("interrupted", site)])


def _counted(event: Literal["closing", "interrupted"], site: Site) -> Event:
    return Event(event=event, at=now_text(), sqs_requests=site.clients.sqs_calls.take().requests)


class _Closing:
    """Collects the sentences of what AWS refused."""

    def __init__(self, site: Site) -> None:
        self._settings = site.settings
        self.refused: list[str] = []

    def did(self, work: Callable[[], None]) -> bool:
        try:
            with aws_errors.worded("orchestrator", self._settings):
                work()
        except TakenOver:
            raise  # what is left to do is the other one's
        except EnvironmentRefused as error:
            self.refused.append(str(error))
            return False
        return True


def clean_up(plan: Plan, client: S3Client) -> None:
    """Delete every payload of the run, orphans of duplicate executions too. Raises the SDK's error."""
    pages = client.get_paginator("list_objects_v2").paginate(Bucket=plan.bucket, Prefix=plan.payloads_prefix)
    for page in pages:
        batches.delete(client, plan.bucket, [found["Key"] for found in page.get("Contents", ())])
