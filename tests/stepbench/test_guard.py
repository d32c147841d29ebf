from __future__ import annotations

import pytest

from stepbench.errors import MessageRefused
from stepbench.guard import Guard
from stepbench.queue_urls import folder_of
from tests.factories import BUCKET, PREFIX, QUEUES, STEPS_QUEUE, make_message, make_output_spec, make_ref

FLEET = Guard(
    bucket=BUCKET,
    literal_prefix=PREFIX,
    results_folder=folder_of(STEPS_QUEUE),
    steps_queue_url=STEPS_QUEUE,
    results_queue_prefix="stepbench-results-",
    results_queue_url=None,
)
FIXED_URL = f"{QUEUES}/all-results"
FLEET_WITH_FIXED_QUEUE = Guard(
    bucket=BUCKET,
    literal_prefix=PREFIX,
    results_folder=folder_of(STEPS_QUEUE),
    steps_queue_url=STEPS_QUEUE,
    results_queue_prefix="stepbench-results-",
    results_queue_url=FIXED_URL,
)

ALLOWED_OBJECTS = [
    f"s3://{BUCKET}/{PREFIX}2025-01-02/r1/payloads/first.json",
    f"s3://{BUCKET}/{PREFIX}x",
    f"s3://{BUCKET}/{PREFIX}a..b/...json",
    f"s3://{BUCKET}/{PREFIX}%2e%2e/x",  # three characters each to S3, which decodes nothing
]

HOSTILE_OBJECTS = {
    "another bucket": f"s3://other/{PREFIX}x",
    "a bucket that begins alike": f"s3://{BUCKET}-2/{PREFIX}x",
    "a bucket in other letters": f"s3://{BUCKET.upper()}/{PREFIX}x",
    "a bucket after userinfo": f"s3://{BUCKET}@evil/{PREFIX}x",
    "an access point": f"s3://arn:aws:s3:eu-west-1:999999999999:accesspoint/{PREFIX}x",
    "another prefix": f"s3://{BUCKET}/elsewhere/x",
    "the bucket's root": f"s3://{BUCKET}/x",
    "a prefix that begins alike": f"s3://{BUCKET}/orchestration-bench/runs-2/x",
    "a prefix in other letters": f"s3://{BUCKET}/{PREFIX.upper()}x",
    "the prefix without its slash": f"s3://{BUCKET}/orchestration-bench/runs",
    "the prefix behind a slash": f"s3://{BUCKET}//{PREFIX}x",
    "the prefix percent-encoded": f"s3://{BUCKET}/orchestration-bench%2Fruns/x",
    "up and out": f"s3://{BUCKET}/{PREFIX}../../secrets",
    "up in the middle": f"s3://{BUCKET}/{PREFIX}r1/../r2/x",
    "up at the end": f"s3://{BUCKET}/{PREFIX}..",
}

ALLOWED_QUEUES = [f"{QUEUES}/stepbench-results-r1", f"{QUEUES}/stepbench-results-20250102-030405-abcdef"]

HOSTILE_QUEUES = {
    "another account": "https://sqs.eu-west-1.amazonaws.com/999999999999/stepbench-results-r1",
    "another region": "https://sqs.us-east-1.amazonaws.com/123456789012/stepbench-results-r1",
    "another host": "https://evil.example/123456789012/stepbench-results-r1",
    "a host that begins alike": "https://sqs.eu-west-1.amazonaws.com.evil.example/123456789012/stepbench-results-r1",
    "another port": "https://sqs.eu-west-1.amazonaws.com:8443/123456789012/stepbench-results-r1",
    "no encryption on the way": "http://sqs.eu-west-1.amazonaws.com/123456789012/stepbench-results-r1",
    "userinfo": "https://sqs.eu-west-1.amazonaws.com@evil.example/123456789012/stepbench-results-r1",
    "userinfo of ours": "https://someone@sqs.eu-west-1.amazonaws.com/123456789012/stepbench-results-r1",
    "another name": f"{QUEUES}/orders",
    "the steps queue": STEPS_QUEUE,
    "a name that ends alike": f"{QUEUES}/orders-stepbench-results-r1",
    "a name in other letters": f"{QUEUES}/Stepbench-Results-r1",
    "the prefix by itself, which is no run's": f"{QUEUES}/stepbench-results-",
    "a query": f"{QUEUES}/stepbench-results-r1?Action=DeleteQueue",
    "an empty query": f"{QUEUES}/stepbench-results-r1?",
    "a fragment": f"{QUEUES}/stepbench-results-r1#x",
    "path parameters": f"{QUEUES}/stepbench-results-r1;x",
    "a percent-encoded way out": f"{QUEUES}/stepbench-results-%2e%2e%2forders",
    "a way out": f"{QUEUES}/stepbench-results-r1/../orders",
    "a way round": "https://sqs.eu-west-1.amazonaws.com/999999999999/../123456789012/stepbench-results-r1",
    "a folder below": f"{QUEUES}/stepbench-results-r1/stepbench-results-r1",
    "a slash too many": f"{QUEUES}//stepbench-results-r1",
    "a backslash": f"{QUEUES}\\stepbench-results-r1",
    "a line break, which URL parsers leave out": f"{QUEUES}/stepbench-\nresults-r1",
    "a line break at the end": f"{QUEUES}/stepbench-results-r1\n",
    "a space before": f" {QUEUES}/stepbench-results-r1",
    "letters that look alike": f"{QUEUES}/stepbench-results-r\N{CYRILLIC SMALL LETTER ER}1",
    "a FIFO queue": f"{QUEUES}/stepbench-results-r1.fifo",
    "a name that is too long": f"{QUEUES}/stepbench-results-{'r' * 80}",
    "no URL": "stepbench-results-r1",
    "no URL at all": "https://[",
    "nothing": "",
}


@pytest.mark.parametrize("uri", ALLOWED_OBJECTS)
def test_objects_below_the_prefix_are_read_and_written(uri: str) -> None:
    FLEET.check_objects(make_message(input=make_ref(uri=uri), output=make_output_spec(key_prefix=uri)))


@pytest.mark.parametrize("uri", HOSTILE_OBJECTS.values(), ids=HOSTILE_OBJECTS.keys())
def test_no_other_object_is_read(uri: str) -> None:
    with pytest.raises(MessageRefused, match=r"ORCH_BUCKET and ORCH_PREFIX"):
        FLEET.check_objects(make_message(input=make_ref(uri=uri)))


@pytest.mark.parametrize("uri", HOSTILE_OBJECTS.values(), ids=HOSTILE_OBJECTS.keys())
def test_no_other_object_is_written(uri: str) -> None:
    with pytest.raises(MessageRefused, match=r"ORCH_BUCKET and ORCH_PREFIX"):
        FLEET.check_objects(make_message(output=make_output_spec(key_prefix=uri)))


@pytest.mark.parametrize("url", ALLOWED_QUEUES)
def test_runs_of_this_fleet_are_answered(url: str) -> None:
    FLEET.check_results_queue(make_message(results_queue_url=url))


@pytest.mark.parametrize("url", HOSTILE_QUEUES.values(), ids=HOSTILE_QUEUES.keys())
@pytest.mark.parametrize("guard", [FLEET, FLEET_WITH_FIXED_QUEUE], ids=["queue per run", "fixed queue"])
def test_nobody_else_is_answered(guard: Guard, url: str) -> None:
    with pytest.raises(MessageRefused, match=r"ORCH_RESULTS_QUEUE_PREFIX or ORCH_RESULTS_QUEUE_URL"):
        guard.check_results_queue(make_message(results_queue_url=url))


def test_with_a_fixed_results_queue_that_alone_is_answered_whatever_its_name() -> None:
    FLEET_WITH_FIXED_QUEUE.check_results_queue(make_message(results_queue_url=FIXED_URL))
    with pytest.raises(MessageRefused):
        FLEET_WITH_FIXED_QUEUE.check_results_queue(make_message(results_queue_url=ALLOWED_QUEUES[0]))
    with pytest.raises(MessageRefused):
        FLEET.check_results_queue(make_message(results_queue_url=FIXED_URL))


def test_the_steps_queue_is_no_results_queue_even_if_it_is_called_so() -> None:
    url = f"{QUEUES}/stepbench-results-and-steps"
    with pytest.raises(MessageRefused):
        Guard(BUCKET, PREFIX, folder_of(url), "stepbench-results-", None, url).check_results_queue(
            make_message(results_queue_url=url)
        )


def test_an_emulators_queues_are_told_apart_by_their_port() -> None:
    guard = Guard(BUCKET, PREFIX, "http://127.0.0.1:4100/123456789012", "stepbench-results-", None)
    guard.check_results_queue(make_message(results_queue_url="http://127.0.0.1:4100/123456789012/stepbench-results-r"))
    with pytest.raises(MessageRefused):
        guard.check_results_queue(
            make_message(results_queue_url="http://127.0.0.1:4101/123456789012/stepbench-results-r")
        )
