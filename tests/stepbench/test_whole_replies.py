from __future__ import annotations

import re
import time
from collections.abc import Callable, Iterator
from socketserver import StreamRequestHandler, ThreadingTCPServer
from threading import Thread
from types import SimpleNamespace
from typing import Any

import pytest
from botocore.exceptions import ClientError

from stepbench import whole_replies
from stepbench.aws import AwsConfig, Clients
from stepbench.failures import is_retryable

URL = "https://sqs.us-east-1.amazonaws.com/123456789012/q"
TRIES = 3
JSON = b"HTTP/1.1 200 OK\r\nConnection: close\r\nContent-Type: application/x-amz-json-1.0\r\n"
LISTING = (
    b"HTTP/1.1 200 OK\r\nConnection: close\r\n\r\n<ListBucketResult><IsTruncated>false</IsTruncated><Contents>"
    b"<Key>k</Key><Size>%b</Size><LastModified>%b</LastModified></Contents></ListBucketResult>"
)
S3 = b'HTTP/1.1 200 OK\r\nConnection: close\r\nETag: "e"\r\n'

Calls = dict[str, Callable[[Clients], Any]]
CALLS: Calls = {
    "SendMessage": lambda aws: aws.sqs.send_message(QueueUrl=URL, MessageBody="b"),
    "SendMessageBatch": lambda aws: aws.sqs.send_message_batch(QueueUrl=URL, Entries=[{"Id": "0", "MessageBody": "b"}]),
    "ReceiveMessage": lambda aws: aws.sqs.receive_message(QueueUrl=URL),
    "DeleteMessageBatch": lambda aws: aws.sqs.delete_message_batch(
        QueueUrl=URL, Entries=[{"Id": "0", "ReceiptHandle": "r"}]
    ),
    "ChangeMessageVisibilityBatch": lambda aws: aws.sqs.change_message_visibility_batch(
        QueueUrl=URL, Entries=[{"Id": "0", "ReceiptHandle": "r"}]
    ),
    "GetQueueAttributes": lambda aws: aws.sqs.get_queue_attributes(QueueUrl=URL, AttributeNames=["QueueArn"]),
    "CreateQueue": lambda aws: aws.sqs.create_queue(QueueName="q"),
    "ListQueues": lambda aws: aws.sqs.list_queues(),
    "PutObject": lambda aws: aws.s3.put_object(Bucket="bucket", Key="k", Body=b"1"),
    "GetObject": lambda aws: aws.s3.get_object(Bucket="bucket", Key="k"),
    "HeadObject": lambda aws: aws.s3.head_object(Bucket="bucket", Key="k"),
    "CreateMultipartUpload": lambda aws: aws.s3.create_multipart_upload(Bucket="bucket", Key="k"),
    "UploadPart": lambda aws: aws.s3.upload_part(Bucket="bucket", Key="k", PartNumber=1, UploadId="u", Body=b"1"),
    "CompleteMultipartUpload": lambda aws: aws.s3.complete_multipart_upload(
        Bucket="bucket", Key="k", UploadId="u", MultipartUpload={"Parts": [{"ETag": "e", "PartNumber": 1}]}
    ),
    "ListObjectsV2": lambda aws: aws.s3.list_objects_v2(Bucket="bucket"),
    "ListMultipartUploads": lambda aws: aws.s3.list_multipart_uploads(Bucket="bucket"),
    "DeleteObject": lambda aws: aws.s3.delete_object(Bucket="bucket", Key="k"),
    "AbortMultipartUpload": lambda aws: aws.s3.abort_multipart_upload(Bucket="bucket", Key="k", UploadId="u"),
    "DeleteQueue": lambda aws: aws.sqs.delete_queue(QueueUrl=URL),
    "DeleteObjects": lambda aws: aws.s3.delete_objects(Bucket="bucket", Delete={"Objects": [{"Key": "k"}]}),
}


class Server:
    """Answers each request with the same bytes, and ends the connection."""

    def __init__(self) -> None:
        self.reply = b""
        self.requests = 0


@pytest.fixture(scope="module")
def whole_server() -> Iterator[tuple[Server, Clients]]:
    told = Server()

    class Handler(StreamRequestHandler):
        def handle(self) -> None:
            head = b""
            while not head.endswith(b"\r\n\r\n"):
                head += self.rfile.readline()
            if b"expect: 100-continue" in head.lower():
                self.wfile.write(b"HTTP/1.1 100 Continue\r\n\r\n")
            length = re.search(rb"content-length: *(\d+)", head.lower())
            self.rfile.read(int(length[1]) if length else 0)
            told.requests += 1
            self.wfile.write(told.reply)

    with ThreadingTCPServer(("127.0.0.1", 0), Handler) as server:
        Thread(target=lambda: server.serve_forever(poll_interval=0.02), daemon=True).start()
        config = AwsConfig(
            region="us-east-1",
            endpoint_url=f"http://127.0.0.1:{server.server_address[1]}",
            max_attempts=TRIES,
            retry_mode="legacy",  # the standard one stops trying for a client that has met so many errors as this one
        )
        yield told, Clients(config, keys=("AKIAIOSFODNN7EXAMPLE", "secret"))
        server.shutdown()


@pytest.fixture
def clients(whole_server: tuple[Server, Clients]) -> Clients:
    return whole_server[1]


@pytest.fixture
def server(whole_server: tuple[Server, Clients], monkeypatch: pytest.MonkeyPatch) -> Server:
    """Without the SDK's pauses between its tries."""
    unhurried = {name: value for name, value in vars(time).items() if name != "sleep"}
    monkeypatch.setattr("botocore.endpoint.time", SimpleNamespace(**unhurried, sleep=lambda seconds: None))
    server, _ = whole_server
    server.requests = 0
    return server


def test_every_call_that_is_looked_at_is_tried_here() -> None:
    assert set(CALLS) == set(whole_replies.FIELDS) | whole_replies.BODIES | whole_replies.EMPTY


@pytest.mark.parametrize("call", CALLS.values(), ids=CALLS.keys())
@pytest.mark.parametrize("reply", [b"HTTP/1.1 200 OK\r\n", JSON + b"Da"], ids=["at once", "later"])
def test_a_reply_that_is_cut_within_its_headers_is_retried_and_then_a_retryable_error(
    reply: bytes, call: Callable[[Clients], Any], server: Server, clients: Clients
) -> None:
    server.reply = reply
    with pytest.raises(ClientError, match=whole_replies.CODE) as caught:
        call(clients)
    assert server.requests == TRIES
    assert is_retryable(caught.value)


CUT = {
    "a body that is shorter than its length": ("ReceiveMessage", JSON + b"Content-Length: 20\r\n\r\n{"),
    "the length of a body": ("ReceiveMessage", JSON + b"Content-Length: "),
    "half a letter": ("ReceiveMessage", JSON + b"Content-Length: 1\r\n\r\n\xc3"),
    "no JSON": ("SendMessage", JSON + b'Content-Length: 18\r\n\r\n{"MessageId" "abc"}'),
    "a date": ("HeadObject", S3 + b"Content-Length: 5\r\nLast-Modified: Sat, 2"),
    "a date of an object": ("GetObject", S3 + b"Content-Length: 5\r\nLast-Modified: Sat, 2"),
    "the range of a part": (
        "GetObject",
        b"HTTP/1.1 206 Partial Content\r\n" + S3.partition(b"\n")[2] + b"Content-Length: 5\r\nContent-Range: bytes 0-",
    ),
    "the name of a part": ("UploadPart", b'HTTP/1.1 200 OK\r\nConnection: close\r\nETag: "d41d8'),
    "an object without its length": ("GetObject", S3 + b"\r\n"),
    "a listing": ("ListObjectsV2", b"HTTP/1.1 200 OK\r\nConnection: close\r\nContent-Length: 50\r\n\r\n<a></a>"),
    "a date within a listing": ("ListObjectsV2", LISTING % (b"1", b"2026-11-21T21:43:;8.000Z")),
    "a size within a listing": ("ListObjectsV2", LISTING % (b"q", b"2026-11-21T21:43:38.000Z")),
}


@pytest.mark.parametrize(("call", "reply"), CUT.values(), ids=CUT.keys())
def test_a_reply_that_is_cut_elsewhere_is_too(call: str, reply: bytes, server: Server, clients: Clients) -> None:
    server.reply = reply
    with pytest.raises(ClientError, match=whole_replies.CODE) as caught:
        CALLS[call](clients)
    assert server.requests == TRIES
    assert is_retryable(caught.value)


WHOLE = {
    "a queue without messages": ("ReceiveMessage", JSON + b"Content-Length: 2\r\n\r\n{}"),
    "no queues": ("ListQueues", JSON + b"Content-Length: 2\r\n\r\n{}"),
    "an object of nothing": ("GetObject", S3 + b"Content-Length: 0\r\n\r\n"),
    "what a HEAD tells": ("HeadObject", S3 + b"Content-Length: 5\r\n\r\n"),
    "what is stored": ("PutObject", S3 + b"Content-Length: 0\r\n\r\n"),
    "a body in chunks": (
        "SendMessage",
        JSON + b'Transfer-Encoding: chunked\r\n\r\n13\r\n{"MessageId": "ab"}\r\n0\r\n\r\n',
    ),
    "nothing that is left": ("DeleteObject", b"HTTP/1.1 204 No Content\r\nConnection: close\r\n\r\n"),
    "nothing to tell": ("DeleteQueue", JSON + b"Content-Length: 0\r\n\r\n"),
    "nothing to tell in chunks": ("DeleteQueue", JSON + b"Transfer-Encoding: chunked\r\n\r\n0\r\n\r\n"),
    "a listing": ("ListObjectsV2", LISTING % (b"1", b"2026-11-21T21:43:38.000Z")),
    "nothing that was refused": (
        "DeleteObjects",
        b"HTTP/1.1 200 OK\r\nConnection: close\r\nContent-Length: 15\r\n\r\n<DeleteResult/>",
    ),
}


@pytest.mark.parametrize(("call", "reply"), WHOLE.values(), ids=WHOLE.keys())
def test_a_whole_reply_is_taken_as_it_is(call: str, reply: bytes, server: Server, clients: Clients) -> None:
    server.reply = reply
    CALLS[call](clients)
    assert server.requests == 1


@pytest.mark.parametrize("mode", ["standard", "adaptive"])
def test_it_is_retried_in_the_other_modes_of_the_sdk(mode: Any, server: Server, clients: Clients) -> None:
    server.reply = JSON
    of_this_mode = Clients(clients._config.model_copy(update={"retry_mode": mode}), keys=("key", "secret"))
    with pytest.raises(ClientError, match=whole_replies.CODE):
        CALLS["SendMessage"](of_this_mode)
    assert server.requests == TRIES


def test_an_error_after_a_good_begin_keeps_its_own_name(server: Server, clients: Clients) -> None:
    error = b"<Error><Code>InternalError</Code><Message>m</Message></Error>"
    server.reply = b"HTTP/1.1 200 OK\r\nConnection: close\r\nContent-Length: %d\r\n\r\n%s" % (len(error), error)
    with pytest.raises(ClientError, match="InternalError"):
        CALLS["CompleteMultipartUpload"](clients)
