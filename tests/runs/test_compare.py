"""Experiments as a user makes them: whole processes, on embedded stacks of their own."""

from __future__ import annotations

import json
import os
import resource
import signal
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from orchestrator.experiment import manifest
from orchestrator.experiment.lines import RunEnd
from orchestrator.experiment.manifest import Manifest
from orchestrator.report import metrics_file
from tests.runs.programs import Program
from tests.runs.waiting import eventually

SMALL = ("--payload-mb=0.05", "--steps=3")
MATRIX = """\
name,SERIALIZER,STEP_TIMEOUT,EXECUTORS,baseline
json,json,,,
arrow,arrow,,2,yes
too slow,json,0.001,,
"""


@pytest.fixture
def compare() -> Iterator[Callable[..., Program]]:
    """`python -m orchestrator compare` in the current folder; ended with the test."""
    started: list[Program] = []

    def start(*words: str) -> Program:
        environment = {**os.environ, "MAX_ATTEMPTS": "1"}
        started.append(Program(["orchestrator", "compare", *words], Path.cwd(), environment))
        return started[-1]

    yield start
    for program in started:
        program.kill()


def the_manifest() -> Manifest | None:
    found = list(Path("out").glob(f"experiment-*/{manifest.NAME}"))
    return manifest.read(found[0]) if found and found[0].stat().st_size else None


def ends() -> list[RunEnd]:
    known = the_manifest()
    return known.ends if known else []


def test_an_experiment_is_interrupted_and_gone_on_with_and_a_case_that_fails_fails_alone(
    compare: Callable[..., Program],
) -> None:
    Path("cases.csv").write_text(MATRIX)
    first = compare("--matrix=cases.csv", *SMALL, "--repeats=2")
    eventually("four runs have ended", lambda: len(ends()) >= 4)
    first.send(signal.SIGINT)
    assert first.exit_code() == 130, first.stderr
    said = first.stderr
    assert "Interrupted. What is known so far:" in said
    assert "compare --resume out/experiment-" in said
    before = ends()

    second = compare("--resume", "--json")

    assert second.exit_code() == 1, second.stderr
    result = json.loads(second.stdout)
    known = the_manifest()
    assert known is not None
    assert known.finished
    assert known.ends[: len(before)] == before
    assert {(end.round, end.case) for end in known.ends if end.round and end.ok} == {
        (number, case) for number in (1, 2) for case in ("json", "arrow")
    }
    assert {case["name"]: (case["rounds"], case["left_out"]) for case in result["cases"]} == {
        "json": (2, False),
        "arrow": (2, False),
        "too slow": (0, True),
    }
    assert [end.case for end in known.ends if not end.ok] == ["too slow"] * 2
    assert all("StepTimeout" in (end.error or "") for end in known.ends if not end.ok)
    assert result["baseline"] == "arrow"
    files = [metrics_file.read(known.path.parent / f"metrics-{end.run_id}.jsonl") for end in known.ends if end.ok]
    assert all(file.summary is not None and not file.torn_line for file in files)
    in_folder = {path.stem.removeprefix("metrics-") for path in known.path.parent.glob("metrics-*.jsonl")}
    assert in_folder == {end.run_id for end in known.ends}
    # Payloads are gone when their run has ended; what an embedded S3 still held would fill its memory.
    assert all((file.summary.model_extra or {})["left_in_s3"][0]["objects"] == 0 for file in files if file.summary)


def test_more_than_a_little_is_asked_about_and_without_a_terminal_refused(compare: Callable[..., Program]) -> None:
    long = compare("--payload-mb=1000", "--steps=100", "--serializers=raw,json", "--repeats=50")

    assert long.exit_code() == 2
    said = long.stderr
    assert "2 cases x (50 rounds + 1 to warm up) = 102 runs; baseline is raw." in said
    assert "written to S3." in said
    assert said.endswith("--yes begins it\n")
    assert not Path("out").exists()


def test_cases_with_and_without_queues_are_held_against_each_other(compare: Callable[..., Program]) -> None:
    Path("cases.csv").write_text("CHANNEL\nsqs\ndirect\n")
    ended = compare("--matrix=cases.csv", *SMALL, "--repeats=2", "--json")

    assert ended.exit_code() == 0, ended.stderr
    files = [metrics_file.read(path) for path in Path("out").glob("experiment-*/**/metrics-*.jsonl")]
    queued = {(file.run.plan.channel, sample.queue_wait_ns is not None) for file in files for sample in file.samples}
    assert queued == {("sqs", True), ("direct", False)}
    assert {case["name"] for case in json.loads(ended.stdout)["cases"]} == {"sqs", "direct"}


def test_a_disk_without_room_is_no_failure_of_a_case_and_what_it_cost_is_measured_when_there_is_room_again(
    compare: Callable[..., Program],
) -> None:
    small = ("--serializers=json,raw", "--payload-mb=0.01", "--steps=3", "--repeats=1")
    limits = resource.getrlimit(resource.RLIMIT_FSIZE)
    resource.setrlimit(resource.RLIMIT_FSIZE, (8_192, limits[1]))  # a metrics file's first line, and hardly more
    try:
        first = compare(*small)
    finally:
        resource.setrlimit(resource.RLIMIT_FSIZE, limits)
    assert first.exit_code() == 3, first.stderr
    assert "cannot write to out/experiment-" in first.stderr
    assert ends() == []

    second = compare("--resume")

    assert second.exit_code() == 0, second.stderr
    assert all(end.ok for end in ends())
    assert {(end.round, end.case) for end in ends()} == {
        (number, case) for number in (0, 1) for case in ("json", "raw")
    }


def test_an_experiment_ends_when_what_it_is_to_see_would_be_seen(compare: Callable[..., Program]) -> None:
    ended = compare("--serializers=json,pickle", "--payload-mb=0.01", "--steps=1", "--to-see=100%", "--json")

    assert ended.exit_code() == 0, ended.stderr
    assert "2 cases x (10 to 500 rounds + 1 to warm up) = 22 to 1002 runs; baseline is json." in ended.stderr
    result = json.loads(ended.stdout)
    assert result["finished"]
    assert 10 <= result["rounds"] < 500
    assert result["ended_by"] == "that is enough to see a difference of 100%, or a quarter of a larger one"
    assert "Ended here: that is enough" in ended.stderr
