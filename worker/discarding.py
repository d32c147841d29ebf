"""Removes what a step wrote for a run that is over."""

from __future__ import annotations

import structlog

from stepbench.aws import Clients
from stepbench.messages import Completion
from stepbench.refusals import refusal
from stepbench.s3_uris import bucket_and_key
from stepbench.settings import Settings
from worker.identity import identity_of

log = structlog.get_logger()


def discard_output(clients: Clients, settings: Settings, completion: Completion) -> None:
    """Deletes the object of a completion that nobody waits for. Raises nothing."""
    if completion.output is None:
        return
    uri = completion.output.uri
    bucket, key = bucket_and_key(uri)
    try:
        clients.s3.delete_object(Bucket=bucket, Key=key)
    except Exception as error:  # noqa: BLE001 # an orphan object harms nothing; clean-up finds it
        reason = refusal(error, "worker", settings) or str(error)
        log.warning(
            "could not delete an output that nobody waits for", **identity_of(completion), uri=uri, error=reason
        )
