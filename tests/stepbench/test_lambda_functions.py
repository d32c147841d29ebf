from __future__ import annotations

import pytest

from stepbench.lambda_functions import Function

NAMED = "arn:aws:lambda:eu-west-1:123456789012:function:steps"


@pytest.mark.parametrize("arn", [NAMED, f"{NAMED}:7", f"{NAMED}:live", f"{NAMED}:$LATEST"])
def test_an_arn_tells_region_account_and_name_whatever_version_it_means(arn: str) -> None:
    assert Function.of(arn) == Function("aws", "eu-west-1", "123456789012", "steps")


@pytest.mark.parametrize(
    "arn",
    [
        "",
        "steps",
        "arn:aws:lambda:eu-west-1:123456789012:layer:steps",
        "arn:aws:lambda:eu-west-1:1234:function:steps",
        "arn:aws:sqs:eu-west-1:123456789012:steps",
        f"{NAMED} ",
        f"{NAMED}:",
    ],
)
def test_what_is_no_arn_of_a_function_is_refused_with_an_example_of_one(arn: str) -> None:
    with pytest.raises(ValueError, match="is no ARN of a Lambda function; arn:aws:lambda:REGION:ACCOUNT:function:NAME"):
        Function.of(arn)


@pytest.mark.parametrize(
    ("arn", "endpoint", "folder"),
    [
        (NAMED, None, "https://sqs.eu-west-1.amazonaws.com/123456789012"),
        (NAMED, "http://127.0.0.1:9324/", "http://127.0.0.1:9324/123456789012"),
        (
            "arn:aws-cn:lambda:cn-north-1:123456789012:function:steps",
            None,
            "https://sqs.cn-north-1.amazonaws.com.cn/123456789012",
        ),
        (
            "arn:aws-us-gov:lambda:us-gov-west-1:123456789012:function:steps",
            None,
            "https://sqs.us-gov-west-1.amazonaws.com/123456789012",
        ),
    ],
)
def test_results_queues_are_in_the_account_and_the_region_of_the_function(
    arn: str, endpoint: str | None, folder: str
) -> None:
    assert Function.of(arn).queue_folder(endpoint) == folder
