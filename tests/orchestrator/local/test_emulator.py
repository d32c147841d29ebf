from __future__ import annotations

import os
import socket
import subprocess
import sys
import threading
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from orchestrator.local import environment
from orchestrator.local.children import Child, child
from orchestrator.local.stack import KEYS, REGION
from stepbench.aws import AwsConfig, Clients

LARGE_BYTES = 9_000_000


def emulator(service: str) -> Any:
    command = [sys.executable, "-m", "orchestrator.local.emulator", service]
    return child(f"the emulator of {service}", command, environment.cleaned(os.environ), captured=True)


def clients_of(port: str) -> Clients:
    return Clients(AwsConfig(region=REGION, endpoint_url=f"http://127.0.0.1:{port}", max_attempts=1), keys=KEYS)


@pytest.fixture(scope="module")
def s3_emulator() -> Iterator[tuple[Child, str]]:
    with emulator("s3") as running:
        yield running, running.ready_line(60)


@pytest.fixture(scope="module")
def sqs_port() -> Iterator[str]:
    with emulator("sqs") as running:
        yield running.ready_line(60)


@pytest.fixture
def s3(s3_emulator: tuple[Child, str]) -> Any:
    client = clients_of(s3_emulator[1]).s3
    client.create_bucket(Bucket="payloads")
    return client


@pytest.fixture
def sqs(sqs_port: str) -> Any:
    return clients_of(sqs_port).sqs


@pytest.fixture
def queue(sqs: Any, request: pytest.FixtureRequest) -> str:
    url: str = sqs.create_queue(QueueName=request.node.name[:80])["QueueUrl"]
    return url


def open_connections(client: Any) -> list[Any]:
    """The SDK's own pooled connections to the one host it speaks to."""
    managers = client._endpoint.http_session._manager
    (pool,) = [managers.pools[key] for key in managers.pools.keys()]  # noqa: SIM118 # urllib3's container is no dict
    return [connection for connection in pool.pool.queue if connection is not None]


def test_many_calls_share_one_connection(s3: Any) -> None:
    s3.put_object(Bucket="payloads", Key="kept", Body=b"x")
    (before,) = open_connections(s3)
    local_address = before.sock.getsockname()

    for number in range(5):
        s3.put_object(Bucket="payloads", Key=f"kept/{number}", Body=b"x" * number)
        s3.get_object(Bucket="payloads", Key=f"kept/{number}")["Body"].read()
        s3.head_object(Bucket="payloads", Key=f"kept/{number}")
        s3.delete_object(Bucket="payloads", Key=f"kept/{number}")
    with pytest.raises(s3.exceptions.NoSuchKey):
        s3.get_object(Bucket="payloads", Key="missing")

    (after,) = open_connections(s3)
    assert after.sock.getsockname() == local_address


def answers(port: str, *requests: bytes) -> list[str]:
    """Status lines of the answers to raw requests, sent one after the other over one connection."""
    statuses = []
    with socket.create_connection(("127.0.0.1", int(port))) as connection, connection.makefile("rb") as answer:
        for request in requests:
            connection.sendall(request)
            statuses.append(answer.readline().decode().strip())
            header = dict(line.split(b":", 1) for line in iter(answer.readline, b"\r\n"))
            answer.read(int({name.lower(): value for name, value in header.items()}[b"content-length"]))
    return statuses


def test_a_body_that_nobody_reads_does_not_spoil_the_next_request(s3_emulator: tuple[Child, str]) -> None:
    unsigned = b"PUT /nobodys/key HTTP/1.1\r\nHost: x\r\nContent-Length: 5\r\n\r\nGET /"

    assert answers(s3_emulator[1], unsigned, unsigned) == ["HTTP/1.1 404 NOT FOUND"] * 2


def test_a_call_that_the_emulator_cannot_do_is_answered_as_its_own_fault(s3_emulator: tuple[Child, str]) -> None:
    unknown = b"POST /nobodys/key HTTP/1.1\r\nHost: x\r\nContent-Length: 0\r\n\r\n"

    assert answers(s3_emulator[1], unknown) == ["HTTP/1.1 500 Internal Server Error"]


@pytest.mark.parametrize("size_bytes", [0, 1, 70_000, LARGE_BYTES])
def test_an_object_comes_back_whole_and_in_ranges(s3: Any, size_bytes: int) -> None:
    data = os.urandom(size_bytes)
    s3.put_object(Bucket="payloads", Key="sized", Body=data)

    assert s3.get_object(Bucket="payloads", Key="sized")["Body"].read() == data
    assert s3.head_object(Bucket="payloads", Key="sized")["ContentLength"] == size_bytes
    if size_bytes:
        begin = size_bytes // 3
        part = s3.get_object(Bucket="payloads", Key="sized", Range=f"bytes={begin}-{size_bytes * 2}")
        assert part["Body"].read() == data[begin:]
        assert part["ContentRange"] == f"bytes {begin}-{size_bytes - 1}/{size_bytes}"


def test_an_object_written_in_parts_is_the_parts_joined(s3: Any) -> None:
    parts = [os.urandom(LARGE_BYTES), os.urandom(6_000_000), b"end"]
    upload = s3.create_multipart_upload(Bucket="payloads", Key="joined")["UploadId"]
    there = {"Bucket": "payloads", "Key": "joined", "UploadId": upload}
    tags = [
        {"PartNumber": number, "ETag": s3.upload_part(**there, PartNumber=number, Body=part)["ETag"]}
        for number, part in enumerate(parts, 1)
    ]
    s3.complete_multipart_upload(**there, MultipartUpload={"Parts": tags})

    assert s3.get_object(Bucket="payloads", Key="joined")["Body"].read() == b"".join(parts)


def test_a_large_object_can_be_replaced_by_a_small_one_and_back(s3: Any) -> None:
    for data in (os.urandom(LARGE_BYTES), b"small", os.urandom(LARGE_BYTES)):
        s3.put_object(Bucket="payloads", Key="replaced", Body=data)
        assert s3.get_object(Bucket="payloads", Key="replaced")["Body"].read() == data


def test_an_upload_that_breaks_off_leaves_no_object(s3: Any, s3_emulator: tuple[Child, str]) -> None:
    url = s3.generate_presigned_url("put_object", {"Bucket": "payloads", "Key": "half"})
    path = url.partition(s3_emulator[1])[2]
    with socket.create_connection(("127.0.0.1", int(s3_emulator[1]))) as connection:
        connection.sendall(f"PUT {path} HTTP/1.1\r\nHost: x\r\nContent-Length: 1000\r\n\r\nonly this".encode())
        connection.shutdown(socket.SHUT_WR)
        assert connection.recv(1024) == b""

    assert s3.list_objects_v2(Bucket="payloads", Prefix="half")["KeyCount"] == 0


@pytest.mark.skipif(sys.platform != "linux", reason="reads /proc")
def test_large_objects_lie_in_files_without_a_name(s3: Any, s3_emulator: tuple[Child, str]) -> None:
    s3.put_object(Bucket="payloads", Key="unnamed", Body=os.urandom(LARGE_BYTES))

    descriptors = Path(f"/proc/{s3_emulator[0].process.pid}/fd")
    opened = [str(link.readlink()) for link in descriptors.iterdir()]
    files = [target for target in opened if target.startswith("/") and not target.startswith(("/dev/", "/proc/"))]
    assert files
    assert all(target.endswith("(deleted)") for target in files)


def test_a_long_poll_wakes_when_a_message_comes(sqs: Any, queue: str) -> None:
    received: list[Any] = []
    poll = threading.Thread(target=lambda: received.append(sqs.receive_message(QueueUrl=queue, WaitTimeSeconds=20)))
    poll.start()
    sqs.send_message(QueueUrl=queue, MessageBody="now")
    poll.join()

    assert [message["Body"] for message in received[0]["Messages"]] == ["now"]


def test_a_message_is_not_handed_to_a_receiver_that_is_gone(sqs_port: str, sqs: Any, queue: str) -> None:
    gone = clients_of(sqs_port).sqs
    asked = threading.Event()

    def hang_up(request: Any, **_: Any) -> None:
        body = request.body
        with socket.create_connection(("127.0.0.1", int(sqs_port))) as connection:
            headers = "".join(f"{name}: {_text(value)}\r\n" for name, value in request.headers.items())
            connection.sendall(f"POST / HTTP/1.1\r\nHost: x\r\n{headers}\r\n".encode() + body)
        asked.set()
        raise ConnectionAbortedError

    gone.meta.events.register("before-send.sqs.ReceiveMessage", hang_up)
    with pytest.raises(ConnectionAbortedError):
        gone.receive_message(QueueUrl=queue, WaitTimeSeconds=20)
    assert asked.is_set()

    sqs.send_message(QueueUrl=queue, MessageBody="for the living")
    answer = sqs.receive_message(QueueUrl=queue, WaitTimeSeconds=20, MessageSystemAttributeNames=["All"])
    assert [message["Attributes"]["ApproximateReceiveCount"] for message in answer["Messages"]] == ["1"]


def _text(value: Any) -> str:
    return value.decode() if isinstance(value, bytes) else str(value)


def test_a_message_that_is_handed_back_wakes_a_waiting_receiver(sqs: Any, queue: str) -> None:
    sqs.send_message(QueueUrl=queue, MessageBody="back")
    (message,) = sqs.receive_message(QueueUrl=queue, VisibilityTimeout=600)["Messages"]
    received: list[Any] = []
    poll = threading.Thread(target=lambda: received.append(sqs.receive_message(QueueUrl=queue, WaitTimeSeconds=20)))
    poll.start()
    sqs.change_message_visibility(QueueUrl=queue, ReceiptHandle=message["ReceiptHandle"], VisibilityTimeout=0)
    poll.join()

    assert [again["Body"] for again in received[0]["Messages"]] == ["back"]


def test_no_message_is_lost_or_doubled_among_threads_that_send_receive_and_delete(sqs: Any, queue: str) -> None:
    senders, each = 4, 25
    seen: list[str] = []

    def send(sender: int) -> None:
        for number in range(each):
            sqs.send_message(QueueUrl=queue, MessageBody=f"{sender}/{number}")

    def receive() -> None:
        while len(seen) < senders * each:
            for message in sqs.receive_message(QueueUrl=queue, WaitTimeSeconds=1).get("Messages", ()):
                seen.append(message["Body"])
                sqs.delete_message(QueueUrl=queue, ReceiptHandle=message["ReceiptHandle"])

    threads = [threading.Thread(target=send, args=(sender,)) for sender in range(senders)]
    threads += [threading.Thread(target=receive) for _ in range(3)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()

    assert sorted(seen) == sorted(f"{sender}/{number}" for sender in range(senders) for number in range(each))


def test_it_says_how_it_is_used() -> None:
    answer = subprocess.run(
        [sys.executable, "-m", "orchestrator.local.emulator", "dynamodb"], capture_output=True, text=True, check=False
    )
    assert answer.returncode == 2
    assert "sqs|s3" in answer.stderr


def test_without_moto_it_names_the_extra(tmp_path: Path) -> None:
    (tmp_path / "moto").mkdir()
    (tmp_path / "moto" / "__init__.py").write_text("raise ModuleNotFoundError('No module named moto', name='moto')")
    surroundings = environment.cleaned(os.environ)
    surroundings["PYTHONPATH"] = os.pathsep.join([str(tmp_path), surroundings["PYTHONPATH"]])
    with subprocess.Popen(
        [sys.executable, "-m", "orchestrator.local.emulator", "s3"],
        env=surroundings,
        stdin=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
    ) as started:
        assert started.wait(60) == 3
        assert started.stderr is not None
        assert "pip install 'stepbench[local]'" in started.stderr.read()
