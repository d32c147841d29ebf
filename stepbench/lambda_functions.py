"""What the ARN of a Lambda function tells: the region and the account that its runs' results queues are in, too.

https://docs.aws.amazon.com/lambda/latest/api/API_Invoke.html
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from typing import Self

# A function may be named with a version or an alias behind it.
_ARN = re.compile(
    r"arn:(?P<partition>aws[a-z-]*):lambda:(?P<region>[a-z]{2,4}(-[a-z]+)+-\d{1,2}):(?P<account>\d{12})"
    r":function:(?P<name>[A-Za-z0-9_-]{1,64})(:[A-Za-z0-9$_-]{1,128})?"
)
EXAMPLE = "arn:aws:lambda:REGION:ACCOUNT:function:NAME"
# https://docs.aws.amazon.com/general/latest/gr/rande.html
_DOMAINS = {"aws-cn": "amazonaws.com.cn", "aws-eusc": "amazonaws.eu"}


@dataclass(frozen=True, slots=True)
class Function:
    """Where a function is."""

    partition: str
    region: str
    account: str
    name: str

    @classmethod
    def of(cls, arn: str) -> Self:
        """Raises ValueError for what is no function's ARN."""
        found = _ARN.fullmatch(arn)
        if found is None:
            raise ValueError(f"{arn!r} is no ARN of a Lambda function; {EXAMPLE} is one")
        return cls(found["partition"], found["region"], found["account"], found["name"])

    def queue_folder(self, sqs_endpoint: str | None) -> str:
        """What the URLs of its account's queues begin with, without the slash before a queue's name."""
        domain = _DOMAINS.get(self.partition, "amazonaws.com")
        return f"{(sqs_endpoint or f'https://sqs.{self.region}.{domain}').rstrip('/')}/{self.account}"
