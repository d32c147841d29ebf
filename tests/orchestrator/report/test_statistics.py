from __future__ import annotations

import json
import math
from collections.abc import Callable
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from orchestrator.report.metrics_file import MetricsFile, read
from orchestrator.report.statistics import in_statistics, orchestration_share, parts, run_wall_ns, summarise
from orchestrator.report.summary import PARTS, LeftInS3, Summary
from orchestrator.run.lines import Event, SummaryLine
from stepbench.samples import PHASES, S3Facts, S3Requests
from tests.orchestrator.report.sample_factory import (
    AT,
    MS,
    MadeRun,
    announced,
    by_function,
    make_failure,
    make_interrupted,
    make_run,
    make_sample,
    without_queues,
)


@pytest.fixture
def summary_of(tmp_path: Path) -> Callable[..., Summary]:
    def summarise_runs(*runs: MadeRun) -> Summary:
        return summarise([_file(run, tmp_path) for run in runs])

    return summarise_runs


def _file(run: MadeRun, folder: Path) -> MetricsFile:
    return read(run.write(folder))


def _numbers(value: object) -> list[float]:
    if isinstance(value, dict):
        return [number for part in value.values() for number in _numbers(part)]
    if isinstance(value, list):
        return [number for part in value for number in _numbers(part)]
    return [value] if isinstance(value, int | float) else []


def _mark(run: MadeRun, **changes: object) -> None:
    for sample in run.samples:
        run.replace(sample, sample.model_copy(update=changes))


def test_cold_late_and_interrupted_steps_are_left_out() -> None:
    warm = make_sample()
    others = [make_sample(cold=True), make_sample(late=True), make_interrupted(make_sample())]
    assert in_statistics([warm, *others]) == ([warm], False)


def test_cold_steps_are_used_where_nothing_else_is_left() -> None:
    cold = make_sample(cold=True)
    assert in_statistics([cold, make_sample(late=True)]) == ([cold], True)
    assert in_statistics([]) == ([], False)


@settings(max_examples=30)
@given(st.integers(0, 10**6), st.integers(1, 3), st.integers(1, 4))
def test_the_shares_of_the_parts_are_the_whole(seed: int, chains: int, steps: int) -> None:
    found = parts(make_run(seed, chains=chains, steps=steps).samples)
    assert tuple(found) == PARTS
    assert sum(part.share or 0 for part in found.values()) == pytest.approx(1)
    waits = [found[name].share or 0 for name in PARTS if name not in (*PHASES, "other")]
    assert orchestration_share(found) == pytest.approx(sum(waits))
    walls = [
        (s.turnaround_ns or 0) + (s.retry_ns or 0) + (s.total_ns or 0)
        for s in make_run(seed, chains=chains, steps=steps).samples
    ]
    assert sum(part.total_ns for part in found.values()) == sum(walls)


def test_a_part_has_its_median_rate_and_cpu() -> None:
    found = parts([make_sample(), make_sample()])
    assert found["upload"].mb_per_second == 500.0
    assert found["checksum"].mb_per_second == 1000.0
    assert found["upload"].cpu_share == 0.5
    assert found["queue_wait"].mb_per_second is None
    assert found["queue_wait"].cpu_share is None
    assert found["upload"].duration_ns.p50 == 100 * MS


def test_phases_use_the_bytes_that_they_work_on() -> None:
    sample = make_sample(
        bytes_in=1_000_000, serialized_bytes_in=2_000_000, serialized_bytes_out=4_000_000, bytes_out=8_000_000
    )
    rates = {name: part.mb_per_second for name, part in parts([sample]).items() if part.mb_per_second is not None}
    assert rates == {
        "download": 10.0,
        "decompress": 20.0,
        "deserialize": 20.0,
        "transform": 20.0,
        "serialize": 40.0,
        "compress": 40.0,
        "checksum": 90.0,
        "upload": 80.0,
    }


def test_a_phase_that_did_nothing_has_no_rate() -> None:
    phases = {name: 1_000 if name == "compress" else 100 * MS for name in make_sample().phases_ns}
    assert parts([make_sample(phases_ns=phases)])["compress"].mb_per_second is None


def test_a_sample_that_lacks_a_phase_leaves_the_rates_of_the_others() -> None:
    found = parts([make_sample(), make_sample(phases_ns={"upload": 5 * MS})])
    assert found["upload"].duration_ns.count == 2
    assert found["download"].duration_ns.count == 1
    assert found["download"].mb_per_second == parts([make_sample()])["download"].mb_per_second


def test_everything_in_a_summary_is_a_number_that_json_knows(summary_of: Callable[..., Summary]) -> None:
    for run in (make_run(), make_run(finished=False), MadeRun(make_run().plan, make_run().lines[:1])):
        numbers = _numbers(json.loads(summary_of(run).model_dump_json()))
        assert all(math.isfinite(number) for number in numbers)


def test_a_summary_survives_being_the_summary_line(summary_of: Callable[..., Summary]) -> None:
    summary = summary_of(make_run())
    line = SummaryLine.model_validate(summary.model_dump(mode="json"))
    again = Summary.model_validate_json(line.model_dump_json())
    assert again == summary


def test_counts_are_over_everything(summary_of: Callable[..., Summary]) -> None:
    run = make_run(3, chains=3, steps=4)
    run.lines.insert(9, make_failure(chain=2, step=4, attempt=2))
    run.lines += [Event(event=name, at=AT, chain=1, step=1, attempt=1) for name in ("duplicate", "duplicate", "lost")]
    run.lines.append(Event(event="foreign", at=AT))
    run.lines.append(make_sample(kind="warmup", chain=-1))
    run.lines.append(Event(event="chain_finished", at=AT, chain=-1, ok=True, wall_ns=5))
    end = next(line for line in run.lines if isinstance(line, Event) and line.event == "chain_finished")
    run.replace(end, end.model_copy(update={"ok": False}))

    summary = summary_of(run)

    counts = summary.counts
    assert (counts.chains, counts.chains_ok, counts.chains_failed) == (3, 2, 1)
    assert (counts.steps, counts.samples, counts.in_statistics, counts.cold, counts.warmup) == (12, 12, 9, 3, 1)
    assert (counts.duplicates, counts.lost, counts.foreign, counts.expired) == (2, 1, 1, 0)
    assert summary.chain_wall_ns is not None
    assert summary.chain_wall_ns.count == 2
    assert [(group.error_class, group.phase, group.count) for group in summary.failures] == [
        ("ChecksumMismatch", "download", 1)
    ]


def test_a_retried_step_counts_each_attempt_beyond_the_first_once(summary_of: Callable[..., Summary]) -> None:
    run = make_run(cold=False, chains=1, steps=1)
    _mark(run, attempt=3)
    run.lines += [make_failure(chain=1, step=1, attempt=attempt) for attempt in (1, 2)]
    assert summary_of(run).counts.retries == 2


def test_what_a_stranger_says_of_attempts_is_no_retry(summary_of: Callable[..., Summary]) -> None:
    run = make_run(cold=False, finished=False)
    run.lines[1:] = announced(make_sample())
    run.lines.append(Event(event="duplicate", at="now", chain=7, step=9, attempt=2**59))
    counts = summary_of(run).counts
    assert (counts.retries, counts.duplicates) == (0, 1)


def test_the_wall_of_a_resumed_run_is_the_sum_of_its_pieces(tmp_path: Path) -> None:
    first = make_sample(dispatched_at_ns=100, completed_at_ns=300, retry_ns=20)
    second = make_sample(step=2, epoch=2, dispatched_at_ns=5, completed_at_ns=25)
    between = make_interrupted(make_sample(step=3, completed_at_ns=10**15))
    run = make_run(finished=False)
    run.lines[1:] = announced(first, second, between)
    assert run_wall_ns([_file(run, tmp_path)]) == 220 + 20


def test_several_runs_are_one_body_of_samples(summary_of: Callable[..., Summary]) -> None:
    one, other = make_run(1), make_run(2, run_id="r2", environment="aws", serializer="arrow")
    together = summary_of(one, other)
    used = [sample for sample in (*one.samples, *other.samples) if not sample.cold]

    assert together.run_ids == ("r1", "r2")
    assert together.parts == parts(used)
    assert together.choices["serializer"] == ("json", "arrow")
    assert "mixed" in together.label
    assert any("mix runs" in warning for warning in together.warnings)
    assert any("differ in serializer" in warning for warning in together.warnings)


def test_the_label_says_what_the_figures_describe(summary_of: Callable[..., Summary]) -> None:
    assert "this machine, not AWS" in summary_of(make_run()).label
    assert "this machine" not in summary_of(make_run(environment="aws")).label


def test_s3_facts_are_added_up_and_null_where_no_client_could_tell(summary_of: Callable[..., Summary]) -> None:
    run = make_run()
    facts = S3Facts(get=S3Requests(requests=2, statuses={"206": 2, "503": 1}, retries=1))
    _mark(run, s3=facts)

    s3 = summary_of(run).s3

    assert (s3["get"].requests, s3["get"].retries, s3["get"].statuses) == (12, 6, {"206": 12, "503": 6})
    assert s3["get"].connections_opened is None
    assert s3["put"].requests is None
    assert s3["put"].statuses is None


def test_the_compression_ratio_is_of_all_bytes(summary_of: Callable[..., Summary]) -> None:
    run = make_run()
    _mark(run, bytes_out=10, serialized_bytes_out=25)
    sizes = summary_of(run).sizes
    assert sizes is not None
    assert sizes.compression_ratio == 2.5


def test_what_was_left_in_s3_is_given_or_read_again(tmp_path: Path) -> None:
    run = make_run(finished=False)
    left = (LeftInS3(uri="s3://bucket/prefix/", objects=6, bytes=300),)
    summary = summarise([_file(run, tmp_path)], left)
    run.lines.append(SummaryLine.model_validate(summary.model_dump(mode="json")))
    assert summarise([_file(run, tmp_path)]).left_in_s3 == left


def test_no_sample_is_no_statistics_but_still_a_summary(summary_of: Callable[..., Summary]) -> None:
    run = MadeRun(make_run().plan, make_run().lines[:1])
    summary = summary_of(run)
    assert (summary.parts, summary.sizes, summary.wall_ns, summary.steps_per_second) == ({}, None, None, None)
    assert summary.choices["serializer"] == ("json",)
    assert not summary.finished


def _warnings_of(summary: Summary, words: str) -> list[str]:
    return [warning for warning in summary.warnings if words in warning]


def test_a_sound_run_draws_no_warning(summary_of: Callable[..., Summary]) -> None:
    run = make_run(cold=False, chains=5, steps=5)
    _mark(run, attempt=1)
    run.lines = [line for line in run.lines if not (isinstance(line, Event) and line.attempt == 2)]
    assert summary_of(run).warnings == ()


@pytest.mark.parametrize(
    ("change", "words"),
    [
        ({"transit_ns": -2 * MS - 1}, "below -2 ms in 4 samples, down to -2.0 ms in chain 1 step 2"),
        ({"cold": True}, "--warmup"),
        ({"late": True}, "--stall-timeout"),
        ({"attempt": 2}, "retries: the time up to"),
        ({"interrupted": True}, "the orchestrator was down while"),
        ({"s3": S3Facts(put=S3Requests(retries=1))}, "6 PUT retries"),
        ({"total_ns": 1}, "do not add up: chain 1 step 1: its parts"),
        ({}, "4 samples: too few for p95"),
    ],
)
def test_a_doubtful_figure_draws_a_warning(
    summary_of: Callable[..., Summary], change: dict[str, object], words: str
) -> None:
    run = make_run()
    _mark(run, **change)
    assert len(_warnings_of(summary_of(run), words)) == 1


def _distant(trip_ns: int, step_ns: int, environment: str = "aws") -> MadeRun:
    """A run that was so far away from SQS."""
    run = make_run(cold=False, environment=environment)
    run.replace(run.lines[0], run.lines[0].model_copy(update={"sqs_round_trips_ns": (trip_ns,) * 4 + (9 * trip_ns,)}))
    for sample in run.samples:
        durations = {"total_ns": step_ns, "turnaround_ns": 0, "retry_ns": 0}
        run.replace(sample, sample.model_copy(update=durations))
    return run


@pytest.mark.parametrize(
    ("trip_ns", "step_ns", "told"),
    [
        (84 * MS, 400 * MS, True),
        (84 * MS, 4_000 * MS, False),
        (5 * MS, 20 * MS, False),
        (30 * MS, 300 * MS, True),
        (29 * MS, 100 * MS, False),
    ],
    ids=["far, short steps", "far, long steps", "near, tiny steps", "just far", "not quite"],
)
def test_a_distance_to_sqs_that_drowns_the_figures_is_told_with_what_mends_it(
    summary_of: Callable[..., Summary], trip_ns: int, step_ns: int, told: bool
) -> None:
    summary = summary_of(_distant(trip_ns, step_ns))
    assert summary.sqs_round_trip_ns is not None
    assert summary.sqs_round_trip_ns.p50 == trip_ns
    warnings = _warnings_of(summary, "away from the orchestrator, there and back")
    assert len(warnings) == told
    assert all("scripts/run-on-aws" in warning and f"{trip_ns // MS} ms" in warning for warning in warnings)


def test_a_slow_emulator_on_this_machine_is_no_distance(summary_of: Callable[..., Summary]) -> None:
    assert _warnings_of(summary_of(_distant(84 * MS, 400 * MS, "embedded")), "away from the orchestrator") == []


def test_a_file_from_before_distances_were_measured_says_nothing_of_one(summary_of: Callable[..., Summary]) -> None:
    assert summary_of(make_run()).sqs_round_trip_ns is None


def _shared(executors: int, waiting_ns: int) -> MadeRun:
    """A run of four chains in flight whose samples of 1 s were waiting for so long, half at SQS, half at a worker."""
    run = make_run(chains=4, steps=2, concurrency=4, cold=False)
    for number, sample in enumerate(run.samples):
        waits = {
            "queue_wait_ns": waiting_ns // 2,
            "worker_wait_ns": waiting_ns // 2,
            "executor": f"e{number % executors}",
        }
        durations = {"total_ns": 1000 * MS, "turnaround_ns": 0, "retry_ns": 0}
        run.replace(sample, sample.model_copy(update=waits | durations))
    return run


def test_waiting_for_one_of_too_few_executors_is_told_with_what_to_try(summary_of: Callable[..., Summary]) -> None:
    [told] = _warnings_of(summary_of(_shared(2, 600 * MS)), "4 chains in flight shared 2 executors")
    assert "60.0% of the wall" in told
    assert "--executors or workers, or --concurrency 2." in told


def test_waiting_for_room_in_a_function_is_its_transit_and_told_with_what_to_try(
    summary_of: Callable[..., Summary],
) -> None:
    [told] = _warnings_of(summary_of(by_function(_shared(4, 600 * MS))), "4 environments of the Lambda function")
    assert "reserved concurrency" in told
    assert _warnings_of(summary_of(by_function(_shared(4, 10 * MS))), "Lambda function") == []


@pytest.mark.parametrize(("executors", "waiting_ns"), [(4, 600 * MS), (2, 99 * MS)])
def test_executors_that_suffice_or_waits_that_do_not_matter_draw_no_warning(
    summary_of: Callable[..., Summary], executors: int, waiting_ns: int
) -> None:
    assert _warnings_of(summary_of(_shared(executors, waiting_ns)), "in flight shared") == []


def test_a_run_without_an_accepted_attempt_draws_no_warning_about_one(summary_of: Callable[..., Summary]) -> None:
    run = make_run(finished=False)
    run.lines[1:] = [make_failure(chain=1, step=1, attempt=attempt) for attempt in (1, 2, 3)]
    summary = summary_of(run)
    assert summary.counts.retries == 2
    assert summary.warnings == ()


def test_whole_numbers_among_the_choices_stay_whole(summary_of: Callable[..., Summary]) -> None:
    choices = json.loads(summary_of(make_run(steps=3)).model_dump_json())["choices"]
    assert json.dumps([choices["steps"], choices["concurrency"]]) == "[[3], [2]]"


def test_the_size_of_generated_records_is_no_choice_of_a_run_over_a_file(summary_of: Callable[..., Summary]) -> None:
    assert summary_of(make_run()).choices["payload_mb"] == (50.0,)
    choices = summary_of(make_run(payload_file="flights.csv")).choices
    assert choices["payload_file"] == ("flights.csv",)
    assert "payload_mb" not in choices


def test_each_of_several_runs_is_asked_for_its_own_executors(summary_of: Callable[..., Summary]) -> None:
    scarce, ample = _shared(2, 600 * MS), make_run(2, run_id="r2", cold=False)
    assert len(_warnings_of(summary_of(scarce, ample), "in flight shared")) == 1


def test_transit_of_minus_two_milliseconds_is_what_whole_milliseconds_allow(summary_of: Callable[..., Summary]) -> None:
    run = make_run()
    _mark(run, transit_ns=-2 * MS)
    assert _warnings_of(summary_of(run), "below -2 ms") == []


def test_many_sums_that_do_not_come_out_are_told_briefly(summary_of: Callable[..., Summary]) -> None:
    run = make_run(chains=9, steps=9)
    _mark(run, total_ns=1)
    told = _warnings_of(summary_of(run), "do not add up")
    assert len(told) == 6
    assert "more places" in told[-1]


def test_a_torn_line_and_lines_of_tomorrow_are_told(tmp_path: Path) -> None:
    path = make_run().write(tmp_path)
    path.write_bytes(path.read_bytes() + b'{"kind": "weather"}\n{"ki')
    summary = summarise([read(path)])
    assert _warnings_of(summary, "is torn")
    assert _warnings_of(summary, "1 line of")
    assert (summary.counts.torn_lines, summary.counts.unknown_lines) == (1, 1)


def test_a_run_is_finished_when_its_chains_are(summary_of: Callable[..., Summary]) -> None:
    run = make_run(finished=False)
    assert summary_of(run).finished
    run.lines.pop()
    assert not summary_of(run).finished


def test_more_chains_than_executors_without_a_queue_are_told_to_wait_for_an_executor(
    summary_of: Callable[..., Summary],
) -> None:
    run = make_run(chains=4, steps=3, concurrency=4)
    _mark(run, queue_wait_ns=0, worker_wait_ns=5_000 * MS, transit_ns=0)
    (told,) = [text for text in summary_of(without_queues(run)).warnings if "in flight shared" in text]
    assert "so most of worker wait, " in told
    assert "try more --executors, or --concurrency 1." in told
