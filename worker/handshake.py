"""What a worker and its executor say to each other before the first step: the one line in, the one line out."""

from __future__ import annotations

from stepbench.aws import AwsConfig
from stepbench.s3_clients import TransferOptions
from stepbench.samples import Frozen

READY = b"ready\n"
"""An executor's first line: imports are done, the S3 client is made and connected."""


class ExecutorConfig(Frozen):
    """What a worker tells its executor once."""

    executor: str
    """Its name in every figure."""
    bucket: str
    connect_key: str
    """Below the worker's own prefix; need not exist."""
    aws: AwsConfig
    transfer: TransferOptions
    log_level: str
    log_format: str
