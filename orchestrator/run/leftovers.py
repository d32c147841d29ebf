"""What a run leaves in its bucket, told from its metrics file."""

from __future__ import annotations

from pathlib import Path

from orchestrator.report import metrics_file
from orchestrator.report.summary import LeftInS3
from orchestrator.run.plan import Plan
from orchestrator.run.site import Site
from stepbench.s3_uris import uri


def left_in_s3(plan: Plan, site: Site, path: Path, cleaned: bool) -> LeftInS3:
    """Payloads that stay when the run is over: none after a clean-up, none where the stack goes with the run."""
    where = uri(plan.bucket, plan.payloads_prefix)
    if cleaned or site.own_stack:
        return LeftInS3(uri=where, objects=0, bytes=0)
    found = metrics_file.read(path)
    sizes = {sample.output_uri: sample.bytes_out for sample in (*found.samples, *found.warmups)}
    sizes |= {sample.input_uri: sample.bytes_in for sample in (*found.samples, *found.warmups)}
    return LeftInS3(uri=where, objects=len(sizes), bytes=sum(sizes.values()))
