from __future__ import annotations

import json
import os
import signal
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import Any

import pytest
from botocore.exceptions import ClientError, NoCredentialsError

from orchestrator.local import environment
from orchestrator.local.stack import REGION
from orchestrator.run import first_payload, site
from orchestrator.run.first_payload import Destination, FirstPayload, Recipe
from stepbench import aws_errors, payload, registry
from stepbench.aws import AwsConfig
from stepbench.errors import EnvironmentRefused, PayloadRefused, UsageError
from stepbench.s3_clients import Encryption, TransferOptions
from stepbench.settings import Settings
from tests.doubles import refused
from tests.embedded import clients_at, emulated

BUCKET = "payloads"
CHILD_ENVIRONMENT = {**environment.cleaned(os.environ), **environment.CREDENTIALS}


def making(**settings: Any) -> Any:
    return first_payload.making(Recipe.of(Settings(PAYLOAD_MB=0.01, **settings)), CHILD_ENVIRONMENT)


def end_of(made: FirstPayload) -> int:
    return made._process.wait(60)


@pytest.fixture(scope="module")
def s3() -> Iterator[str]:
    with emulated("s3") as endpoint:
        clients_at(endpoint).s3.create_bucket(Bucket=BUCKET)
        yield endpoint


def destination(
    endpoint: str, bucket: str = BUCKET, part_bytes: int = 8_000_000, s3_client: str = "boto3"
) -> Destination:
    return Destination(
        uri_prefix=f"s3://{bucket}/runs/r1/payloads/first",
        s3_client=s3_client,
        encryption=Encryption(),
        aws=AwsConfig(region=REGION, endpoint_url=endpoint, max_attempts=1),
        transfer=TransferOptions(part_bytes=part_bytes, part_concurrency=2),
    )


def test_what_is_uploaded_is_what_is_announced(s3: str) -> None:
    with making(SERIALIZER="jsonl", COMPRESSION="gzip") as made:
        made.wait_until_made()
        uploaded, duration_ns = made.upload(destination(s3))
    assert uploaded.uri == f"s3://{BUCKET}/runs/r1/payloads/first.jsonl.gz"
    data = clients_at(s3).s3.get_object(Bucket=BUCKET, Key="runs/r1/payloads/first.jsonl.gz")["Body"].read()
    assert len(data) == uploaded.object_bytes < uploaded.serialized_bytes
    payload.check(data, uploaded.checksum)
    assert (uploaded.serializer, uploaded.compression) == ("jsonl", "gzip:6")
    assert duration_ns > 0


def test_what_s3_refuses_is_raised_as_if_it_had_refused_it_here_and_can_be_worded(s3: str) -> None:
    with making() as made:
        made.wait_until_made()
        with pytest.raises(EnvironmentRefused) as raised, aws_errors.worded("orchestrator", Settings()):
            made.upload(destination(s3, bucket="no-such-bucket"))
    assert "--bucket (ORCH_BUCKET)" in str(raised.value)
    assert isinstance(raised.value.__cause__, ClientError)
    assert raised.value.__cause__.operation_name == "PutObject"


@pytest.mark.parametrize("name", registry.choices("stepbench.s3_clients"))
def test_what_s3_refuses_is_worded_alike_whatever_the_s3_client(s3: str, name: str) -> None:
    with making() as made:
        made.wait_until_made()
        with pytest.raises(EnvironmentRefused) as raised, aws_errors.worded("orchestrator", Settings()):
            made.upload(destination(s3, bucket="no-such-bucket", s3_client=name))
    assert "--bucket (ORCH_BUCKET)" in str(raised.value)


@pytest.mark.parametrize("name", registry.choices("stepbench.s3_clients"))
def test_an_s3_that_cannot_be_reached_is_a_sentence_whatever_the_s3_client(name: str) -> None:
    with making() as made:
        made.wait_until_made()
        with pytest.raises(EnvironmentRefused, match=r"refused|connect|sending request"):
            made.upload(destination("http://127.0.0.1:1", s3_client=name))


def test_what_s3_refuses_of_an_upload_in_parts_is_raised_likewise(s3: str) -> None:
    with making() as made:
        made.wait_until_made()
        with pytest.raises(ClientError, match="NoSuchBucket") as raised:
            made.upload(destination(s3, bucket="no-such-bucket", part_bytes=1_000))
    assert raised.value.operation_name == "CreateMultipartUpload"


def test_a_file_that_cannot_be_used_is_told_before_anything_is_sent(tmp_path: Path) -> None:
    file = tmp_path / "ragged.csv"
    file.write_text("a,b\n1,2\n3\n")
    with making(PAYLOAD_FILE=str(file)) as made:
        with pytest.raises(UsageError, match=r"^--payload-file \(PAYLOAD_FILE\): \S*ragged\.csv: the record that ends"):
            made.wait_until_made()
        assert end_of(made) == 0


def test_a_payload_that_is_made_is_not_waited_for_again() -> None:
    with making() as made:
        made.wait_until_made()
        os.kill(made._process.pid, signal.SIGKILL)
        made.wait_until_made()


def test_a_child_that_is_killed_gives_a_sentence() -> None:
    with making() as made:
        os.kill(made._process.pid, signal.SIGKILL)
        with pytest.raises(EnvironmentRefused, match=r"ended with -9; .*--payload-mb \(PAYLOAD_MB\)"):
            made.wait_until_made()


def test_a_child_that_is_killed_after_it_made_the_payload_gives_a_sentence_too(s3: str) -> None:
    with making() as made:
        made.wait_until_made()
        os.kill(made._process.pid, signal.SIGKILL)
        end_of(made)
        with pytest.raises(EnvironmentRefused, match="ended with -9"):
            made.upload(destination(s3))


def test_the_child_goes_with_the_block_that_needed_it() -> None:
    begun: list[FirstPayload] = []
    with suppress(ZeroDivisionError), making() as made:
        begun.append(made)
        raise ZeroDivisionError
    assert begun[0]._process.poll() is not None


def test_the_child_goes_with_its_parent_even_if_that_is_killed() -> None:
    with making() as made:
        made.wait_until_made()
        made._process.stdin.close()
        assert end_of(made) == 0


@contextmanager
def child_at_work(recipe: Recipe, **pipes: Any) -> Iterator[subprocess.Popen[bytes]]:
    command = [sys.executable, "-m", "orchestrator.run.first_payload"]
    with subprocess.Popen(command, stdin=subprocess.PIPE, stderr=subprocess.PIPE, **pipes) as child:
        assert child.stdin is not None
        child.stdin.write(recipe.model_dump_json().encode() + b"\n")
        child.stdin.flush()
        try:
            yield child
        finally:
            child.kill()


def test_the_child_goes_with_its_parent_also_while_it_makes_the_payload() -> None:
    with child_at_work(Recipe.of(Settings(PAYLOAD_MB=50)), stdout=subprocess.PIPE) as child:
        # Neither made, which it would tell, nor any complaint.
        assert child.communicate(timeout=60) == (b"", b"")
        assert child.returncode == 0


def test_a_child_that_finds_nobody_to_tell_says_nothing() -> None:
    read_end, write_end = os.pipe()
    os.close(read_end)
    with child_at_work(Recipe.of(Settings(PAYLOAD_MB=0.01)), stdout=write_end) as child:
        os.close(write_end)
        assert child.wait(60) == 0
        assert child.stderr is not None
        assert child.stderr.read() == b""


@pytest.mark.parametrize("settings", [Settings(), Settings(ORCH_BUCKET="b")], ids=["embedded", "aws"])
def test_the_child_finds_our_packages_wherever_we_were_started_from(
    settings: Settings, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.delenv("PYTHONPATH")
    with first_payload.making(Recipe.of(Settings(PAYLOAD_MB=0.001)), site.child_environment(settings)) as made:
        made.wait_until_made()


# --- the child's side, in this process ----------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("error", "field"),
    [
        (UsageError(["one", "two"]), {"problems": ("one", "two")}),
        (PayloadRefused("column a, row 3"), {"problems": ("column a, row 3",)}),
        (EnvironmentRefused("no such profile"), {"failure": "no such profile"}),
        (NoCredentialsError(), {"failure": "Unable to locate credentials"}),
    ],
)
def test_errors_are_told_by_whose_fault_they_are(error: Exception, field: dict[str, Any]) -> None:
    assert first_payload._told(error).model_dump(exclude_none=True) == field


def test_an_answer_of_aws_comes_through_the_pipe_whole() -> None:
    answer = first_payload._told(refused("AccessDenied", "PutObject", 403))
    assert answer.refused is not None
    again = first_payload.AwsAnswer.model_validate_json(answer.refused.model_dump_json()).as_error()
    assert isinstance(again, ClientError)
    assert again.operation_name == "PutObject"
    assert again.response["Error"]["Code"] == "AccessDenied"


def test_a_bug_is_raised_again() -> None:
    with pytest.raises(ZeroDivisionError):
        first_payload._told(ZeroDivisionError("a bug of ours"))


def make_here(**settings: Any) -> Any:
    return first_payload._Made(Recipe.of(Settings(PAYLOAD_MB=0.01, **settings)))


@pytest.mark.parametrize("serializer", ["json", "raw"])
def test_the_same_recipe_makes_the_same_payload(serializer: str) -> None:
    assert make_here(SERIALIZER=serializer)._checksum == make_here(SERIALIZER=serializer)._checksum


def test_a_raw_payload_has_exactly_the_size_that_was_asked_for() -> None:
    assert len(make_here(SERIALIZER="raw")._data) == 10_000


def test_a_payload_of_the_users_own_is_his_records(tmp_path: Path) -> None:
    file = tmp_path / "own.json"
    file.write_text('[{"a": 1}, {"a": 2}]')
    assert json.loads(bytes(make_here(PAYLOAD_FILE=str(file))._data)) == [{"a": 1}, {"a": 2}]


def test_no_payload_is_of_no_bytes() -> None:
    assert Recipe.of(Settings(PAYLOAD_MB=1e-9)).payload_bytes == 1


def test_one_child_makes_small_payloads_one_after_another_each_its_own(s3: str) -> None:
    pids, digests = [], []
    with first_payload.Maker(CHILD_ENVIRONMENT) as maker:
        for serializer in ("json", "msgpack", "json"):
            with maker.making(Recipe.of(Settings(PAYLOAD_MB=0.01, SERIALIZER=serializer))) as made:
                made.wait_until_made()
                uploaded, _ = made.upload(destination(s3))
                pids.append(made._process.pid)
                digests.append((uploaded.serializer, uploaded.checksum))
                key = uploaded.uri.partition(f"{BUCKET}/")[2]
                data = clients_at(s3).s3.get_object(Bucket=BUCKET, Key=key)["Body"].read()
                payload.check(data, uploaded.checksum)
    assert len(set(pids)) == 1
    assert digests[0] == digests[2] != digests[1]
    with pytest.raises(ProcessLookupError):
        os.kill(pids[0], 0)


def test_what_ended_badly_or_died_has_a_new_child_for_the_next_payload(s3: str) -> None:
    recipe = Recipe.of(Settings(PAYLOAD_MB=0.01))
    pids = []
    with first_payload.Maker(CHILD_ENVIRONMENT) as maker:
        with maker.making(recipe) as made:
            pids.append(made._process.pid)
            made.wait_until_made()
            with pytest.raises(ClientError):
                made.upload(destination(s3, bucket="no-such-bucket"))
        for _ in range(2):
            with maker.making(recipe) as made:
                pids.append(made._process.pid)
                made.wait_until_made()
                made.upload(destination(s3))
            made._process.kill()
            made._process.wait()
    assert len(set(pids)) == 3


def test_a_large_payload_takes_its_memory_with_it() -> None:
    with first_payload.Maker(CHILD_ENVIRONMENT) as maker:
        with maker.making(Recipe.of(Settings(PAYLOAD_MB=11, SERIALIZER="raw"))) as made:
            made.wait_until_made()
        assert made._process.returncode is not None
