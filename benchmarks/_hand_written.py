"""What stepbench is compared with: an orchestrator and a worker as an engineer would write them in an afternoon.

Plain boto3 calls, JSON bodies, no batches, no measuring, no checking: the least that moves the same payload through
the same S3 and SQS calls. Nothing of stepbench is imported. boto3 finds its endpoints in the environment.

    python benchmarks/_hand_written.py worker BUCKET STEPS_QUEUE_URL RESULTS_QUEUE_URL
    python benchmarks/_hand_written.py orchestrator BUCKET STEPS_QUEUE_URL RESULTS_QUEUE_URL CHAINS STEPS PAYLOAD_BYTES
"""

from __future__ import annotations

import json
import os
import sys
import time
import uuid
from typing import TYPE_CHECKING, Any

import boto3

if TYPE_CHECKING:
    from mypy_boto3_sqs.client import SQSClient

PREFIX = "hand-written/"
RECEIVE: dict[str, Any] = {
    "WaitTimeSeconds": 20,
    "VisibilityTimeout": 60,
    "MessageSystemAttributeNames": [
        "SentTimestamp",
        "ApproximateFirstReceiveTimestamp",
        "ApproximateReceiveCount",
    ],
}
"""What stepbench asks of each receive too."""


def work(bucket: str, steps_url: str, results_url: str) -> None:
    """One step at a time, for ever."""
    sqs, s3 = boto3.client("sqs"), boto3.client("s3")
    print("ready", flush=True)
    while True:
        received = sqs.receive_message(QueueUrl=steps_url, MaxNumberOfMessages=1, **RECEIVE)
        for message in received.get("Messages", ()):
            step = json.loads(message["Body"])
            data = s3.get_object(Bucket=bucket, Key=step["input"])["Body"].read()
            output = f"{PREFIX}{uuid.uuid4().hex}"
            s3.put_object(Bucket=bucket, Key=output, Body=data)
            done = {"chain": step["chain"], "step": step["step"], "output": output}
            sqs.send_message(QueueUrl=results_url, MessageBody=json.dumps(done))
            sqs.delete_message(QueueUrl=steps_url, ReceiptHandle=message["ReceiptHandle"])


def orchestrate(bucket: str, steps_url: str, results_url: str, chains: int, steps: int, payload_bytes: int) -> None:
    """All chains to their end; a line for each step that is done, then one with the wall of it all."""
    sqs, s3 = boto3.client("sqs"), boto3.client("s3")
    first = f"{PREFIX}first-{uuid.uuid4().hex}"
    s3.put_object(Bucket=bucket, Key=first, Body=os.urandom(payload_bytes))
    sqs.get_queue_attributes(QueueUrl=steps_url)  # the connection is open before the clock runs
    began = time.monotonic()
    for chain in range(chains):
        _send(sqs, steps_url, chain, 1, first)
    left, received_at = chains * steps, began
    while left:
        received = sqs.receive_message(QueueUrl=results_url, MaxNumberOfMessages=10, **RECEIVE)
        received_at = time.monotonic()
        for message in received.get("Messages", ()):
            done: dict[str, Any] = json.loads(message["Body"])
            print(json.dumps(done), flush=True)
            if done["step"] < steps:
                _send(sqs, steps_url, done["chain"], done["step"] + 1, done["output"])
            sqs.delete_message(QueueUrl=results_url, ReceiptHandle=message["ReceiptHandle"])
            left -= 1
    print(json.dumps({"wall_seconds": received_at - began}), flush=True)


def _send(sqs: SQSClient, url: str, chain: int, step: int, payload: str) -> None:
    body = json.dumps({"chain": chain, "step": step, "input": payload})
    sqs.send_message(QueueUrl=url, MessageBody=body, MessageGroupId="hand-written")


if __name__ == "__main__":
    role, bucket_name, steps_queue, results_queue, *numbers = sys.argv[1:]
    if role == "worker":
        work(bucket_name, steps_queue, results_queue)
    else:
        chain_count, step_count, size = map(int, numbers)
        orchestrate(bucket_name, steps_queue, results_queue, chain_count, step_count, size)
