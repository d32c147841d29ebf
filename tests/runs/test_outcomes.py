from __future__ import annotations

import json
import os
import signal
import subprocess
import sys
from hashlib import sha256
from pathlib import Path

import pytest
from botocore.exceptions import ClientError

from orchestrator.run import closing
from stepbench.s3_uris import bucket_and_key
from tests.runs.fleet import Fleet
from tests.runs.programs import Line
from tests.runs.sums import check_sums

MANY_STEPS, MANY_CHAINS = 3, 5
PART_MB = 5.243
KEY_ID = "arn:aws:kms:us-east-1:123456789012:key/1234abcd-12ab-34cd-56ef-1234567890ab"


def head(fleet: Fleet, uri: str) -> Line:
    bucket, key = bucket_and_key(uri)
    return dict(fleet.clients.s3.head_object(Bucket=bucket, Key=key))


def tags_below(fleet: Fleet, prefix: str) -> dict[str, dict[str, str]]:
    """Tags of every object of a run, by key."""
    listed = fleet.clients.s3.list_objects_v2(Bucket=fleet.bucket, Prefix=prefix)["Contents"]
    keys = [found["Key"] for found in listed]
    stored = {key: fleet.clients.s3.get_object_tagging(Bucket=fleet.bucket, Key=key)["TagSet"] for key in keys}
    return {key: {tag["Key"]: tag["Value"] for tag in tags} for key, tags in stored.items()}


def test_more_chains_than_are_in_flight_add_up_too(shared_fleet: Fleet) -> None:
    outcome = shared_fleet.run(f"--steps={MANY_STEPS}", f"--chains={MANY_CHAINS}", "--concurrency=2")

    assert outcome.exit_code == 0, outcome.stderr
    assert len(outcome.samples) == MANY_STEPS * MANY_CHAINS
    assert len(outcome.events("chain_finished")) == MANY_CHAINS
    check_sums(outcome.lines)


def test_a_flag_that_overrides_a_variable_which_is_wrong_is_enough_to_the_end_and_for_a_resume(
    shared_fleet: Fleet,
) -> None:
    wrong = {"PAYLOAD_MB": "abc", "STALL_TIMEOUT": "-3"}
    flags = ("--payload-mb=0.05", "--stall-timeout=2", "--json")
    outcome = shared_fleet.run("--steps=2", *flags, **wrong)

    assert outcome.exit_code == 0, outcome.stderr
    assert outcome.summary["counts"]["samples"] == 2
    folder = shared_fleet.folder / "other"
    (folder / "out").mkdir(parents=True)
    unfinished = [json.dumps(line) + "\n" for line in outcome.lines[:-1]]
    (folder / "out" / f"metrics-{outcome.plan['run_id']}.jsonl").write_text("".join(unfinished))
    again = shared_fleet.resume(folder, outcome.plan["run_id"], *flags, **wrong)
    assert again.exit_code == 0, again.stderr
    assert again.summary["counts"]["samples"] == 2


def test_json_is_one_object_and_nothing_else_on_stdout(shared_fleet: Fleet) -> None:
    outcome = shared_fleet.run("--steps=2", "--json")

    assert outcome.exit_code == 0
    assert outcome.stdout.count("\n") == 1
    assert outcome.summary["run_ids"] == [outcome.plan["run_id"]]
    assert outcome.summary["environments"] == ["embedded"]
    assert outcome.summary["counts"]["samples"] == 2
    assert outcome.stderr == ""


def test_a_run_that_ends_well_leaves_its_payloads_and_no_queue(shared_fleet: Fleet) -> None:
    outcome = shared_fleet.run("--steps=2", "--json")

    payloads = shared_fleet.keys(outcome.plan["prefix"])
    assert len(payloads) == 3
    assert outcome.summary["left_in_s3"][0]["objects"] == 3
    assert shared_fleet.results_queues(outcome.plan["run_id"]) == []


def test_cleanup_leaves_no_payload_and_metrics_to_s3_the_metrics_file(shared_fleet: Fleet) -> None:
    outcome = shared_fleet.run("--steps=2", "--json", CLEANUP="true", METRICS_TO_S3="true")

    assert outcome.exit_code == 0, outcome.stderr
    [left] = shared_fleet.keys(outcome.plan["prefix"])
    assert left == f"{outcome.plan['prefix']}metrics/metrics-{outcome.plan['run_id']}.jsonl"
    copy = shared_fleet.clients.s3.get_object(Bucket=shared_fleet.bucket, Key=left)["Body"].read().decode()
    assert [json.loads(line) for line in copy.splitlines()] == list(outcome.lines)
    assert outcome.lines[-1]["kind"] == "summary"
    assert [(place["objects"], place["bytes"]) for place in outcome.summary["left_in_s3"]] == [(0, 0)]
    assert outcome.summary["copies"] == [f"s3://{shared_fleet.bucket}/{left}"]


def test_a_refused_clean_up_costs_neither_the_figures_nor_what_comes_after_it(
    shared_fleet: Fleet, monkeypatch: pytest.MonkeyPatch
) -> None:
    def refused(*_: object) -> None:
        raise ClientError({"Error": {"Code": "AccessDenied", "Message": "no"}}, "DeleteObject")

    monkeypatch.setattr(closing, "clean_up", refused)

    outcome = shared_fleet.run("--steps=2", "--json", CLEANUP="true", METRICS_TO_S3="true")

    assert outcome.exit_code == 3
    assert "s3:DeleteObject" in outcome.stderr
    assert outcome.stderr.count("\n") == 1
    assert json.loads(outcome.stdout)["left_in_s3"][0]["objects"] == 3
    assert len(shared_fleet.keys(outcome.plan["prefix"] + "payloads/")) == 3
    assert len(shared_fleet.keys(outcome.plan["prefix"] + "metrics/")) == 1
    assert shared_fleet.results_queues(outcome.plan["run_id"]) == []


def test_a_reader_that_goes_before_the_figures_come_changes_no_exit_code_and_leaves_no_queue(fleet: Fleet) -> None:
    fleet.worker()
    reading, writing = os.pipe()
    os.close(reading)
    with subprocess.Popen(
        [sys.executable, "-m", "orchestrator", "start", "--quiet", "--json", "--steps=2", "--transform=cpu"],
        env=fleet.environment(TRANSFORM_CPU_MS="2000", STEP_TIMEOUT="1", MAX_ATTEMPTS="1"),
        stdout=writing,
        stderr=subprocess.PIPE,
        text=True,
    ) as run:
        os.close(writing)
        _, told = run.communicate()

    assert run.returncode == 1, told
    assert "Traceback" not in told
    [path] = Path("out").glob("metrics-*.jsonl")
    assert fleet.results_queues(path.stem.removeprefix("metrics-")) == []


def test_a_run_goes_on_when_nobody_reads_its_progress_any_more(fleet: Fleet) -> None:
    fleet.worker()
    reading, writing = os.pipe()
    os.close(reading)
    with subprocess.Popen(
        [sys.executable, "-m", "orchestrator", "start", "--json", "--steps=2"],
        env=fleet.environment(LOG_LEVEL="debug"),
        stdout=subprocess.PIPE,
        stderr=writing,
        text=True,
    ) as run:
        os.close(writing)
        figures, _ = run.communicate()

    assert run.returncode == 0
    assert json.loads(figures)["counts"]["samples"] == 2


def test_a_metrics_file_that_somebody_takes_away_is_written_again_whole(fleet: Fleet) -> None:
    run = fleet.start("--steps=2")
    run.until("a dispatch", lambda so_far: so_far.events("dispatching"))
    [path] = (run.folder / "out").iterdir()
    path.unlink()
    fleet.worker()

    outcome = run.outcome()

    assert outcome.exit_code == 0, outcome.stderr
    assert len(outcome.samples) == 2
    assert "the metrics file was removed while its run went on" in outcome.stderr


def test_warm_up_steps_are_recorded_as_such_and_are_in_no_figure(shared_fleet: Fleet) -> None:
    outcome = shared_fleet.run("--steps=2", "--json", WARMUP="3", CONCURRENCY="2")

    assert outcome.exit_code == 0, outcome.stderr
    warmups = outcome.of_kind("warmup")
    assert sorted((line["chain"], line["step"]) for line in warmups) == [
        (chain, step) for chain in (-2, -1) for step in (1, 2, 3)
    ]
    assert sorted((line["chain"], line["step"]) for line in outcome.samples) == [(1, 1), (1, 2), (2, 1), (2, 2)]
    # Measured chains begin when every warm-up chain has ended.
    last_warmup_ns = max(line["completed_at_ns"] for line in warmups)
    assert min(line["dispatched_at_ns"] for line in outcome.samples) > last_warmup_ns
    assert not any(line["cold"] for line in outcome.samples)
    counts = outcome.summary["counts"]
    assert (counts["warmup"], counts["samples"], counts["in_statistics"], counts["chains"]) == (6, 4, 4, 2)
    check_sums(outcome.lines)


@pytest.mark.parametrize(
    ("flags", "asked"),
    [
        (["--sse=s3"], {"ServerSideEncryption": "AES256"}),
        (["--sse=kms", f"--kms-key-id={KEY_ID}"], {"ServerSideEncryption": "aws:kms", "SSEKMSKeyId": KEY_ID}),
    ],
)
def test_every_payload_is_encrypted_as_asked(flags: list[str], asked: dict[str, str], shared_fleet: Fleet) -> None:
    outcome = shared_fleet.run("--steps=1", *flags)

    assert outcome.exit_code == 0, outcome.stderr
    [sample] = outcome.samples
    for uri in (sample["input_uri"], sample["output_uri"]):
        assert head(shared_fleet, uri).items() >= asked.items()


@pytest.mark.parametrize(("flags", "value"), [([], "payload"), (["--payload-tag=false"], None)])
def test_every_payload_carries_the_tag_and_nothing_else_does(
    flags: list[str], value: str | None, shared_fleet: Fleet
) -> None:
    outcome = shared_fleet.run("--steps=2", "--metrics-to-s3", "--metrics-sync-seconds=1", *flags)

    assert outcome.exit_code == 0, outcome.stderr
    tags = tags_below(shared_fleet, outcome.plan["prefix"])
    payloads = {key for key in tags if "/payloads/" in key}
    assert len(payloads) == 3
    assert {key for key in tags if tags[key] == {"stepbench": "payload"}} == (payloads if value else set())
    assert all(not tags[key] for key in tags.keys() - payloads)
    assert len(tags) > len(payloads)


def test_a_payload_larger_than_a_part_goes_in_parts_and_arrives_whole(fleet: Fleet) -> None:
    fleet.worker(S3_PART_MB=str(PART_MB))

    outcome = fleet.run("--steps=1", "--serializer=raw", PAYLOAD_MB="12", S3_PART_MB=str(PART_MB))

    assert outcome.exit_code == 0, outcome.stderr
    [sample] = outcome.samples
    bucket, key = bucket_and_key(sample["output_uri"])
    stored = fleet.clients.s3.get_object(Bucket=bucket, Key=key)
    data = stored["Body"].read()
    assert len(data) == 12_000_000
    assert f"sha256:{sha256(data).hexdigest()}" == sample["checksum_out"] == sample["checksum_in"]
    # 12 MB in parts of 5.243: three of them, the begin and the end of the upload.
    assert stored["ETag"].strip('"').endswith("-3")
    assert head(fleet, sample["input_uri"])["ETag"].strip('"').endswith("-3")
    assert sample["s3"]["put"]["requests"] == 5
    assert sample["s3"]["get"]["requests"] >= 3


@pytest.mark.parametrize(
    ("variable", "value", "named"),
    [
        ("ORCH_BUCKET", "no-such-bucket", "--bucket (ORCH_BUCKET)"),
        ("ORCH_STEPS_QUEUE_URL", "no-such-queue", "--steps-queue-url (ORCH_STEPS_QUEUE_URL)"),
        ("ORCH_RESULTS_QUEUE_URL", "no-such-queue", "--results-queue-url (ORCH_RESULTS_QUEUE_URL)"),
    ],
)
def test_what_is_not_there_is_told_in_a_sentence_before_anything_is_made(
    variable: str, value: str, named: str, fleet: Fleet
) -> None:
    folder = fleet.steps_queue_url.rpartition("/")[0]
    value = f"{folder}/{value}" if variable.endswith("URL") else value

    outcome = fleet.run("--steps=1", "--json", **{variable: value})

    assert outcome.exit_code == 3
    assert outcome.stdout == ""
    assert outcome.stderr.count("\n") == 1
    assert named in outcome.stderr
    assert outcome.lines == ()
    assert fleet.depth() == (0, 0)


def test_ctrl_c_keeps_what_was_measured_and_says_so(fleet: Fleet) -> None:
    run = fleet.start("--steps=2", "--json")
    run.until("the step is dispatched", lambda so_far: so_far.events("dispatching"))
    # Its message is there, so the run is past the sending and waits.
    fleet.until_depth((1, 0))

    run.send(signal.SIGINT)
    outcome = run.outcome()

    assert outcome.exit_code == 130
    assert outcome.lines[-1]["event"] == "interrupted"
    assert outcome.stdout == ""
    assert "Traceback" not in outcome.stderr
    assert outcome.plan["run_id"] in outcome.stderr
    assert len(fleet.results_queues(outcome.plan["run_id"])) == 1
    assert len(fleet.keys(outcome.plan["prefix"])) == 1
