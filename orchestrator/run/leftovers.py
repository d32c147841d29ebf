"""What a run leaves in its bucket, told from its metrics file."""

from __future__ import annotations

from orchestrator.report.metrics_file import MetricsFile
from orchestrator.report.summary import LeftInS3
from stepbench.s3_uris import uri


def left_in_s3(file: MetricsFile, *, gone: bool) -> LeftInS3:
    """Payloads that stay when the run is over, as far as its lines tell; none where they are `gone`.

    What an execution wrote that nobody accepted (a duplicate, one that died after its upload) is in no line.
    """
    plan = file.run.plan
    where = uri(plan.bucket, plan.payloads_prefix)
    if gone:
        return LeftInS3(uri=where, objects=0, bytes=0)
    sizes = {event.payload.uri: event.payload.object_bytes for event in file.events if event.payload is not None}
    sizes |= {sample.output_uri: sample.bytes_out for sample in (*file.samples, *file.warmups)}
    return LeftInS3(uri=where, objects=len(sizes), bytes=sum(sizes.values()))
