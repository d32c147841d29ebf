"""After the last chain has ended: clean up, write the summary line, copy the metrics file, delete the results queue.

Each is tried whatever became of the others. A right that is missing must not cost a run its figures, nor leave more
behind than it has to.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import TYPE_CHECKING

from orchestrator.channels import Channel
from orchestrator.report import metrics_file
from orchestrator.report.metrics_file import MetricsFile
from orchestrator.report.statistics import summarise
from orchestrator.report.summary import Summary
from orchestrator.run import results_queue
from orchestrator.run.journal import Journal
from orchestrator.run.leftovers import left_in_s3
from orchestrator.run.lines import SummaryLine
from orchestrator.run.plan import Plan
from orchestrator.run.site import Site
from stepbench import aws_errors
from stepbench.errors import EnvironmentRefused, UsageError
from stepbench.s3_clients import Encryption
from stepbench.s3_clients.boto3 import encryption_arguments

if TYPE_CHECKING:
    from mypy_boto3_s3.client import S3Client


@dataclass(frozen=True)
class Ending:
    """The figures, and the sentences for what could not be done."""

    summary: Summary
    refused: tuple[str, ...]


def close(plan: Plan, site: Site, journal: Journal, channel: Channel) -> Ending:
    """Ends a run whose chains have all ended. Raises EnvironmentRefused where the summary cannot be written."""
    s3, sqs = site.clients.s3, site.clients.sqs
    closing = _Closing(site)
    closing.did(channel.close)
    cleaned = site.settings.cleanup and closing.did(lambda: _clean_up(plan, s3))
    # The file tells what is left, and its copy in S3 is whole: hence this order.
    file = _read_again(journal)
    summary = summarise([file], [left_in_s3(file, gone=cleaned or site.own_stack)])
    journal.write([SummaryLine(**summary.model_dump(mode="json"))])
    journal.close()
    if site.settings.metrics_to_s3:
        closing.did(lambda: _copy(plan, s3, journal))
    if plan.results_queue_is_own:
        closing.did(lambda: results_queue.delete(sqs, plan.results_queue_url))
    return Ending(summary, tuple(closing.refused))


def _read_again(journal: Journal) -> MetricsFile:
    try:
        return metrics_file.read(journal.path)
    except UsageError as error:
        raise EnvironmentRefused(f"{error}; somebody else has touched the metrics file of this run") from error


class _Closing:
    """Collects the sentences of what AWS refused."""

    def __init__(self, site: Site) -> None:
        self._settings = site.settings
        self.refused: list[str] = []

    def did(self, work: Callable[[], None]) -> bool:
        try:
            with aws_errors.worded("orchestrator", self._settings):
                work()
        except EnvironmentRefused as error:
            self.refused.append(str(error))
            return False
        return True


def _copy(plan: Plan, client: S3Client, journal: Journal) -> None:
    encryption = encryption_arguments(Encryption(sse=plan.sse, kms_key_id=plan.kms_key_id))
    client.upload_file(str(journal.path), plan.bucket, plan.metrics_key, ExtraArgs=encryption)


def _clean_up(plan: Plan, client: S3Client) -> None:
    """Delete every payload of the run, orphans of duplicate executions too. Raises the SDK's error."""
    pages = client.get_paginator("list_objects_v2").paginate(Bucket=plan.bucket, Prefix=plan.payloads_prefix)
    for page in pages:
        for found in page.get("Contents", ()):
            client.delete_object(Bucket=plan.bucket, Key=found["Key"])
