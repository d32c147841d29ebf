"""What an executor and its keeper say to each other before the first step: the one line in, the one line out."""

from __future__ import annotations

from typing import TYPE_CHECKING

from stepbench import prefix
from stepbench.aws import AwsConfig
from stepbench.s3_clients import TransferOptions
from stepbench.samples import Frozen

if TYPE_CHECKING:
    from stepbench.settings import Settings

CONNECT_KEY = "connect"
"""Looked for below the prefix to open a first connection; never written."""
READY = b"ready\n"
"""An executor's first line: imports are done, the S3 client is made and connected."""


class ExecutorConfig(Frozen):
    """What an executor is told once."""

    executor: str
    """Its name in every figure."""
    bucket: str
    connect_key: str
    """Below the prefix of its keeper's settings; need not exist."""
    aws: AwsConfig
    transfer: TransferOptions
    log_level: str
    log_format: str

    @classmethod
    def of(cls, settings: Settings, keeper: str, log_level: str) -> ExecutorConfig:
        """`settings` have a bucket; `keeper` is the name that the executors' names begin with."""
        assert settings.bucket is not None
        return cls(
            executor=keeper,
            bucket=settings.bucket,
            connect_key=prefix.literal_part(settings.prefix) + CONNECT_KEY,
            aws=AwsConfig.of(settings),
            transfer=TransferOptions.of(settings),
            log_level=log_level,
            log_format=settings.log_format,
        )
