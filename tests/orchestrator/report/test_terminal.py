from __future__ import annotations

import io
import re
from pathlib import Path

import pytest

from orchestrator.report.audit import parts_of_wall
from orchestrator.report.metrics_file import read
from orchestrator.report.statistics import summarise
from orchestrator.report.summary import PARTS, LeftInS3, Summary, Throttled
from orchestrator.report.terminal import show
from orchestrator.run.lines import Event
from stepbench.samples import S3Facts, S3Requests
from tests.orchestrator.report.sample_factory import (
    AT,
    MS,
    MadeRun,
    announced,
    make_failure,
    make_run,
    make_run_line,
    make_sample,
    without_queues,
)


@pytest.fixture(autouse=True)
def eighty_columns(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.setenv("COLUMNS", "80")
    for name in ("FORCE_COLOR", "NO_COLOR", "TTY_COMPATIBLE"):
        monkeypatch.delenv(name, raising=False)
    monkeypatch.chdir(tmp_path)


def _summary(*runs: MadeRun, left: tuple[LeftInS3, ...] = ()) -> Summary:
    return summarise([read(run.write(Path())) for run in runs], left)


def _shown(summary: Summary, *next_commands: str) -> str:
    stream = io.StringIO()
    show(summary, stream, next_commands or None)
    return stream.getvalue()


def _row(shown: str, name: str) -> str:
    return next(line for line in shown.splitlines() if line.startswith(name))


def _runs() -> list[MadeRun]:
    troubled = make_run(
        5, chains=12, steps=12, payload_mb=5000.0, compression="zstd:3", serializer="parquet", transform="cpu"
    )
    for sample in troubled.samples:
        facts = S3Facts(get=S3Requests(requests=999, statuses={"206": 999, "503": 99}, retries=99))
        phases = {name: duration * 1000 for name, duration in sample.phases_ns.items()}
        troubled.replace(sample, sample.model_copy(update={"s3": facts, "phases_ns": phases, "transit_ns": -9 * MS}))
    troubled.lines.insert(9, make_failure(chain=1, step=1, message="a long message " * 20))
    cold = make_run(2, chains=1, steps=1)
    empty = MadeRun(cold.plan, cold.lines[:1])
    quick = make_run(3, environment="aws", cold=False)
    return [troubled, cold, empty, quick]


@pytest.mark.parametrize("index", range(4))
def test_no_line_is_longer_than_80_columns_and_none_holds_an_escape_code(index: int) -> None:
    shown = _shown(_summary(_runs()[index]))
    assert max(map(len, shown.splitlines())) <= 80
    assert "\x1b" not in shown
    assert not re.search(r"\bnan\b|\bNone\b|\binf\b", shown)
    assert all(line == line.rstrip() for line in shown.splitlines())


def test_where_the_time_went_comes_first_in_the_order_of_the_flow() -> None:
    shown = _shown(_summary(make_run(chains=4, steps=6)))
    names = [name.replace("_", " ") for name in PARTS]
    found = [line for name in names for line in shown.splitlines() if line.startswith(f"{name} ")]
    assert len(found) == len(names)
    assert [shown.index(line) for line in found] == sorted(shown.index(line) for line in found)
    assert shown.index("Where the time went") < shown.index("Steps")


def test_a_row_tells_percentiles_rate_cpu_share_and_a_bar() -> None:
    run = make_run(finished=False)
    run.lines[1:] = announced(make_sample())
    shown = _shown(_summary(run))
    row = _row(shown, "upload")
    assert re.fullmatch(r"upload +100\.0 +100\.0 +100\.0 +500 +50% +12\.3% +━{12}", row)
    assert re.fullmatch(r"transit +5\.0 +5\.0 +5\.0 +0\.6% +╸", _row(shown, "transit"))
    assert re.fullmatch(r"total +815\.0 +815\.0 +815\.0", _row(shown, "total"))
    assert "98.3% in the steps' own work, 1.7% in orchestration." in shown


@pytest.mark.parametrize(
    ("columns", "headings"),
    [
        (100, ["p50 ms", "p95 ms", "max ms", "MB/s", "CPU", "share"]),
        (60, ["p50 ms", "p95 ms", "max ms", "MB/s", "CPU", "share"]),
        (56, ["p50 ms", "p95 ms", "max ms", "MB/s", "share"]),
        (50, ["p50 ms", "p95 ms", "max ms", "share"]),
        (40, ["p50 ms", "p95 ms", "share"]),
        (30, ["p50 ms", "share"]),
    ],
)
def test_a_narrow_terminal_has_fewer_columns_and_no_shorter_numbers(
    columns: int, headings: list[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("COLUMNS", str(columns))
    run = make_run(finished=False)
    run.lines[1:] = announced(make_sample(total_ns=12_345 * MS))
    shown = _shown(_summary(run))
    assert re.split(r"  +", _row(shown, "part"))[1:] == headings
    assert ("━" in shown) is (columns > 60)
    assert "…" not in shown
    durations = [heading for heading in headings if heading.endswith(" ms")]
    assert _row(shown, "total").split()[1:] == ["12345.0"] * len(durations)
    upload = ["100.0"] * len(durations)
    upload += ["500"] * ("MB/s" in headings) + ["50%"] * ("CPU" in headings) + ["0.8%"]
    assert _row(shown, "upload").split()[1 : 1 + len(upload)] == upload


def test_a_terminal_of_unknown_width_is_taken_for_one_of_80_columns(monkeypatch: pytest.MonkeyPatch) -> None:
    usual = _shown(_summary(make_run()))
    monkeypatch.setenv("COLUMNS", "0")
    assert _shown(_summary(make_run())) == usual
    assert "Where the time went" in usual


def test_retry_and_redelivery_have_a_row_only_where_they_happened() -> None:
    run = make_run(finished=False)
    run.lines[1:] = announced(make_sample())
    shown = _shown(_summary(run))
    assert parts_of_wall(make_sample())["retry"] == 0
    assert "\nretry" not in shown
    assert "\nredelivery" not in shown
    assert "\ntransit" in shown


def test_the_label_of_the_environment_stands_with_the_figures() -> None:
    assert "these figures describe this machine, not AWS" in _shown(_summary(make_run()))
    assert "this machine" not in _shown(_summary(make_run(environment="aws")))


def test_it_says_what_was_left_out_of_the_statistics() -> None:
    assert "(4 samples; left out: 2 cold)" in _shown(_summary(make_run()))
    assert "(1 cold sample)" in _shown(_summary(make_run(chains=1, steps=1)))


def test_retries_that_an_s3_client_does_not_tell_are_not_told_to_be_none() -> None:
    untold = S3Requests(requests=None, statuses=None, retries=None, connections_opened=None)
    run = make_run(s3_client="obstore")
    for sample in run.samples:
        told = {"s3": S3Facts(get=untold, put=untold), "s3_client": "obstore"}
        run.replace(sample, sample.model_copy(update=told))
    assert "retries within S3 are not told by obstore" in " ".join(_shown(_summary(run)).split())
    assert "not told" not in _shown(_summary(make_run()))


def test_without_samples_there_is_no_table_but_the_failures() -> None:
    run = make_run(finished=False)
    run.lines[1:] = [make_failure(chain=1, step=1)]
    shown = _shown(_summary(run))
    assert "nothing to say about time" in shown
    assert "p50" not in shown
    assert "1 x ChecksumMismatch in download: announced abc, found def" in shown
    assert "0 of 6 done" in shown


def test_of_failures_that_are_alike_the_last_ones_message_is_told_as_that() -> None:
    run = make_run(finished=False)
    run.lines[1:] = [make_failure(chain=1, step=1, attempt=attempt, message=f"boom {attempt}") for attempt in (1, 2)]
    assert "2 x ChecksumMismatch in download, the last: boom 2" in _shown(_summary(run))


def test_steps_whose_samples_went_with_a_machine_are_done_all_the_same() -> None:
    run = make_run()
    run.lines.remove(run.samples[1])
    run.lines.insert(2, Event(event="resumed", at=AT, epoch=2))
    assert re.search(r"\nSteps +6 of 6 done \(1 without a sample\) in ", _shown(_summary(run)))


def test_a_message_cannot_take_over_the_terminal_nor_the_markup() -> None:
    run = make_run()
    run.lines.insert(3, make_failure(chain=1, step=1, message="[bold]x[/] \x1b]0;title\x07\nnext"))
    shown = _shown(_summary(run))
    assert "[bold]x[/] ]0;title next" in shown
    assert "\x1b" not in shown


def test_sizes_and_the_ratio_are_told() -> None:
    run = make_run(compression="zstd:3")
    for sample in run.samples:
        run.replace(sample, sample.model_copy(update={"bytes_out": 20_000_000, "bytes_in": 20_000_000}))
    assert "20.0 MB in, 20.0 MB out; 50.0 MB before compression, ratio 2.50" in _shown(_summary(run))
    assert "50.0 MB in, 50.0 MB out, not compressed" in _shown(_summary(make_run()))


def test_paths_and_the_next_command_are_whole_however_long_they_are() -> None:
    command = "python -m orchestrator resume " + "x" * 100
    shown = _shown(_summary(make_run()), command)
    assert f"Next         {command}\n" in shown
    assert "Metrics      metrics-r1.jsonl\n" in shown
    default = _shown(_summary(make_run()))
    assert "Next         python -m orchestrator report --json metrics-r1.jsonl\n" in default


def test_what_was_left_in_s3_is_told() -> None:
    left = LeftInS3(uri="s3://bucket/runs/r1/", objects=6, bytes=300_000_000)
    assert "6 objects, 300 MB, below s3://bucket/runs/r1/" in _shown(_summary(make_run(), left=(left,)))


def test_the_uri_of_what_was_left_in_s3_is_whole_however_long_it_is() -> None:
    left = LeftInS3(uri=f"s3://bucket/{'x' * 100}/", objects=6, bytes=300_000_000)
    shown = _shown(_summary(make_run(), left=(left,)))
    assert f"\nLeft in S3   6 objects, 300 MB, below {left.uri}\n" in shown
    assert shown.index("Trouble") < shown.index("Left in S3") < shown.index("Metrics")


def test_a_run_that_goes_on_is_told_to_be_unfinished() -> None:
    run = make_run(finished=False)
    run.lines.pop()
    assert "Not finished: 6 of 6 steps so far." in _shown(_summary(run))
    assert "Not finished" not in _shown(_summary(make_run()))


def _interrupted(bucket: str | None, run_id: str = "r1") -> MadeRun:
    run = make_run(finished=False, run_id=run_id)
    run.lines[0] = make_run_line(run.plan, ORCH_BUCKET=bucket)
    run.lines[-1] = Event(event="interrupted", at=AT)
    return run


def test_an_interrupted_run_is_told_as_such_with_how_to_go_on() -> None:
    shown = _shown(_summary(_interrupted("payloads")))
    assert "\nInterrupted after 6 of 6 steps.\n" in shown
    assert "Not finished" not in shown
    assert "Next         python -m orchestrator resume metrics-r1.jsonl\n" in shown
    assert "\n             python -m orchestrator report --json metrics-r1.jsonl\n" in shown


def _failed(bucket: str | None) -> MadeRun:
    run = make_run()
    run.lines[0] = make_run_line(run.plan, ORCH_BUCKET=bucket)
    end = next(line for line in run.lines if isinstance(line, Event) and line.event == "chain_finished")
    run.replace(end, end.model_copy(update={"ok": False}))
    return run


def test_a_run_whose_chains_failed_is_told_how_they_are_tried_again() -> None:
    shown = _shown(_summary(_failed("payloads")))
    assert "Next         python -m orchestrator resume --retry-failed metrics-r1.jsonl\n" in shown
    assert "\n             python -m orchestrator report --json metrics-r1.jsonl\n" in shown
    for run in (_failed(None), make_run()):
        assert "resume" not in _shown(_summary(run)), "its stack went with it, or nothing failed"


def test_an_interrupted_run_whose_stack_went_with_it_is_not_said_to_be_resumable() -> None:
    shown = _shown(_summary(_interrupted(None)))
    assert "Run r1 cannot be resumed: its payloads were on the embedded stack.\n" in shown
    assert "orchestrator resume" not in shown


def test_a_run_that_was_gone_on_with_is_interrupted_no_more() -> None:
    run = _interrupted("payloads")
    run.lines.append(Event(event="resumed", at=AT, epoch=2))
    shown = _shown(_summary(run))
    assert "Not finished: 6 of 6 steps so far." in shown
    assert "orchestrator resume" not in shown


def test_one_interrupted_run_among_others_does_not_speak_for_them() -> None:
    going_on = make_run(2, finished=False, run_id="r2")
    going_on.lines.pop()
    shown = _shown(_summary(_interrupted("payloads"), going_on))
    assert "Not finished: 12 of 12 steps so far." in shown
    assert "python -m orchestrator resume metrics-r1.jsonl\n" in shown
    assert "resume metrics-r2" not in shown


def test_a_stream_without_unicode_gets_plain_letters() -> None:
    raw = io.BytesIO()
    stream = io.TextIOWrapper(raw, encoding="ascii")
    show(_summary(make_run()), stream)
    assert b"####" in raw.getvalue()


def test_long_steps_are_told_in_seconds() -> None:
    shown = _shown(_summary(_runs()[0]))
    assert "p50 s" in shown
    assert "p50 ms" not in shown


def test_a_few_steps_that_waited_long_take_no_digits_from_all_the_others() -> None:
    run = make_run(finished=False, steps=40)
    waited = make_sample(step=40, retry_ns=120_000 * MS, queue_wait_ns=100_000 * MS)
    run.lines[1:] = announced(*(make_sample(step=step) for step in range(1, 40)), waited)
    shown = _shown(_summary(run))
    assert re.match(r"retry +0\.0 +0\.0 +120000\.0 ", _row(shown, "retry"))
    assert re.match(r"queue wait +3\.0 +3\.0 +100000\.0 ", _row(shown, "queue wait"))
    assert re.match(r"transit +5\.0 +5\.0 +5\.0 ", _row(shown, "transit"))
    assert max(map(len, shown.splitlines())) <= 80


def test_throttling_is_told_with_who_asked_and_what_failed_of_it() -> None:
    run = make_run(3)
    facts = S3Facts(get=S3Requests(requests=9, statuses={"200": 7, "503": 2}), put=S3Requests(statuses={"429": 1}))
    for sample in list(run.samples[:2]):
        run.replace(sample, sample.model_copy(update={"s3": facts, "sqs_throttled": 4}))
    run.lines += [make_failure(1, 1, error_class=name) for name in ("SlowDown", "RequestThrottled", "NoSuchKey")]
    summary = _summary(run)
    assert summary.throttled == Throttled(s3_answers=6, sqs_answers=8, attempts=2)
    shown = _shown(summary)
    assert "Throttled    6 answers of S3, 8 answers of SQS to workers, 2 attempts failed" in shown
    assert "1 x SlowDown in download" in shown


def test_a_run_that_nothing_throttled_says_nothing_of_it() -> None:
    assert "Throttled" not in _shown(_summary(make_run(3)))


def test_a_run_without_queues_has_no_rows_for_them_and_says_so() -> None:
    shown = _shown(_summary(without_queues(make_run(3, steps=5))))
    assert "boto3, channel direct\n" in shown
    for part in ("queue wait", "results wait", "redelivery"):
        assert f"\n{part}" not in shown
    assert "\nworker wait" in shown
    assert "\nChannel      direct, which has no queue wait, results wait or redelivery\n" in shown


def test_runs_with_and_without_queues_together_are_told_to_be_a_mixture() -> None:
    shown = _shown(_summary(make_run(3), without_queues(make_run(4, run_id="r2"))))
    assert "differ in channel" in shown
    assert "\nqueue wait" in shown
    assert "\nChannel" not in shown
