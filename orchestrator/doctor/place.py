"""Where everything is, and what time it is there."""

from __future__ import annotations

from typing import Any

from botocore.exceptions import ClientError

from orchestrator.doctor.findings import Check, note, ok, wrong
from orchestrator.doctor.ground import Ground
from stepbench.iam_policy import region_of
from stepbench.lambda_functions import Function

MOST_SKEW_SECONDS = 60.0
"""AWS refuses what was signed five minutes ago or ahead, and STEP_EXPIRY compares the clocks of two hosts."""
LITTLE_SKEW_SECONDS = 2.0


def region(ground: Ground) -> Check:
    """Raises the SDK's error where S3 does not answer at all."""
    ours = ground.clients.s3.meta.region_name
    queue, bucket = region_of(ground.steps_queue_url) if ground.has_steps_queue else None, _region_of_bucket(ground)
    # Servers of one's own name any region, and take every one.
    places = {"the steps queue": ground.sqs_is_aws and queue, "the bucket": ground.s3_is_aws and bucket}
    places |= {"the function": Function.of(ground.function).region} if ground.has_function else {}
    known = {what: where for what, where in places.items() if where}
    elsewhere = [f"{what} is in {where}" for what, where in known.items() if where != ours]
    if elsewhere:
        found = f"{ours}, but {' and '.join(elsewhere)}"
        return wrong("Region", found, "--aws-region (AWS_REGION) names the region of all of them")
    if not known:
        return ok("Region", f"{ours}; neither queue nor bucket says where it is")
    return ok("Region", f"{ours}, as {' and '.join(known)}")


def clock(ground: Ground) -> Check:
    skew = ground.replies.skew_seconds()
    if skew is None:
        return note("Clock", "no reply told the time")
    if abs(skew) <= LITTLE_SKEW_SECONDS:
        return ok("Clock", "within two seconds of the servers'")
    found = f"{abs(skew):.0f} s {'ahead of' if skew > 0 else 'behind'} the servers'"
    mend = "have this machine's clock set by the network (chrony, systemd-timesyncd)"
    if abs(skew) <= MOST_SKEW_SECONDS:
        return note("Clock", found, mend)
    return wrong("Clock", f"{found}: AWS refuses what is signed 300 s off, and expiries are told by it", mend)


def _region_of_bucket(ground: Ground) -> str | None:
    """Also answers that refuse the look tell it."""
    answer: Any
    try:
        answer = ground.clients.s3.head_bucket(Bucket=ground.bucket)
    except ClientError as error:
        answer = error.response
    region: str | None = answer["ResponseMetadata"]["HTTPHeaders"].get("x-amz-bucket-region")
    return region
