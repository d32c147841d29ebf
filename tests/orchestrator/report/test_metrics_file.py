from __future__ import annotations

import json
import os
from pathlib import Path

import pytest

from orchestrator.report.metrics_file import MetricsFileDamaged, parse, read
from orchestrator.run.lines import Event, SummaryLine
from stepbench.errors import StepbenchError, UsageError
from tests.orchestrator.report.sample_factory import MadeRun, make_failure, make_run, with_unknown_field


@pytest.fixture
def run() -> MadeRun:
    made = make_run()
    made.lines.insert(4, make_failure(chain=1, step=1))
    made.lines.insert(5, made.samples[0].model_copy(update={"kind": "warmup", "chain": -1}))
    return made


def _write(folder: Path, *lines: bytes) -> Path:
    path = folder / "metrics-r1.jsonl"
    path.write_bytes(b"".join(lines))
    return path


def test_every_line_comes_back_as_it_was_written(run: MadeRun, tmp_path: Path) -> None:
    file = read(run.write(tmp_path))

    together = [file.run, *file.samples, *file.warmups, *file.failures, *file.events, file.summary]
    assert sorted(map(repr, together)) == sorted(map(repr, run.lines))
    assert list(file.samples) == [sample for sample in run.samples if sample.kind == "sample"]
    assert not file.torn_line
    assert file.unknown_lines == 0


def test_a_run_that_goes_on_has_no_summary(tmp_path: Path) -> None:
    assert read(make_run(finished=False).write(tmp_path)).summary is None


def test_the_summary_keeps_what_it_says(tmp_path: Path) -> None:
    run = make_run(finished=False)
    run.lines.append(SummaryLine.model_validate({"counts": {"samples": 6}}))

    summary = read(run.write(tmp_path)).summary

    assert summary is not None
    assert summary.model_extra == {"counts": {"samples": 6}}


def test_a_finished_run_whose_failed_chain_is_tried_again_goes_on(tmp_path: Path) -> None:
    run = make_run()
    chain = next(iter(read(run.write(tmp_path)).ends))
    run.lines += [
        Event(event="resumed", at="now", epoch=2),
        Event(event="dispatching", at="now", chain=chain, step=1, attempt=2, epoch=2),
    ]

    file = read(run.write(tmp_path))

    assert file.summary is None
    assert chain not in file.ends


def test_a_line_torn_at_any_byte_is_left_out_and_told(run: MadeRun, tmp_path: Path) -> None:
    *whole, last = run.texts()
    for torn_at in range(len(last)):
        file = read(_write(tmp_path, *whole, last[:torn_at]))
        assert file.torn_line == (torn_at > 0)
        assert file.summary is None
        assert file.whole_bytes == sum(map(len, whole))


def test_a_sample_torn_at_any_byte_is_left_out(tmp_path: Path) -> None:
    run = make_run(chains=1, steps=1, finished=False)
    *whole, sample, _finished = run.texts()
    for torn_at in range(1, len(sample)):
        file = read(_write(tmp_path, *whole, sample[:torn_at]))
        assert file.torn_line
        assert file.samples == ()


def test_a_torn_first_line_is_a_clear_error(run: MadeRun, tmp_path: Path) -> None:
    with pytest.raises(MetricsFileDamaged, match="nothing but a torn first line"):
        read(_write(tmp_path, run.texts()[0][:-1]))


@pytest.mark.parametrize(
    ("damage", "reason"),
    [
        (b"\n", "EOF"),
        (b"\x00\x00\x00\n", "expected value"),
        (b'{"kind": "sample"}\n', "Field required"),
        (b'{"event": "lost"}\n', "kind"),
        (b"[1]\n", "dictionary|object"),
        (b'{"kind": "event", "event": "lost", "at": 5}\n', "at: .*string"),
        (b'{"kind": "sample", "run_id": "r1\xff\n', "line 7"),
    ],
)
def test_damage_in_the_middle_names_file_and_line(run: MadeRun, tmp_path: Path, damage: bytes, reason: str) -> None:
    texts = run.texts()
    texts[6] = damage

    with pytest.raises(MetricsFileDamaged, match=reason) as caught:
        read(_write(tmp_path, *texts))

    assert "metrics-r1.jsonl line 7 " in str(caught.value)
    assert "\n" not in str(caught.value)


def test_a_cut_line_in_the_middle_is_damage_too(run: MadeRun, tmp_path: Path) -> None:
    texts = run.texts()
    texts[3] = texts[3][:40] + b"\n"
    with pytest.raises(MetricsFileDamaged, match="line 4 is damaged"):
        read(_write(tmp_path, *texts))


def test_what_a_newer_version_writes_is_left_out_and_counted(run: MadeRun, tmp_path: Path) -> None:
    texts = run.texts()
    texts.insert(3, b'{"kind": "weather", "rain": true}\n')
    texts.insert(5, b'{"kind": "event", "event": "rained", "at": "2025-01-02T03:04:05Z"}\n')
    texts[1] = with_unknown_field(run.lines[1])

    file = read(_write(tmp_path, *texts))

    assert file.unknown_lines == 2
    assert len(file.samples) == 6


def test_a_run_line_of_another_format_version_is_refused(run: MadeRun, tmp_path: Path) -> None:
    newer = json.dumps(json.loads(run.texts()[0]) | {"v": 2}).encode() + b"\n"
    with pytest.raises(
        MetricsFileDamaged,
        match=r"line 1 is of version 2 .* reads version 1; use stepbench 0\.1\.0",
    ):
        read(_write(tmp_path, newer))


def test_a_second_run_line_is_refused(run: MadeRun, tmp_path: Path) -> None:
    with pytest.raises(MetricsFileDamaged, match="line 2 is a second run line"):
        read(_write(tmp_path, run.texts()[0], *run.texts()))


def test_a_file_that_has_the_name_of_another_run_is_refused_and_any_other_name_will_do(tmp_path: Path) -> None:
    path = make_run(run_id="20310203-040506-0a1b2c").write(tmp_path)
    for name in ("metrics-20310203-040506-0a1b2c.jsonl", "mine.jsonl", "metrics-before.jsonl"):
        path = path.rename(tmp_path / name)
        assert read(path).run.run_id == "20310203-040506-0a1b2c"
    path = path.rename(tmp_path / "metrics-20310203-040506-ffffff.jsonl")
    with pytest.raises(MetricsFileDamaged, match=r"line 1 is of run .*-0a1b2c, .* another run's name; call it metrics"):
        read(path)


def test_a_sample_of_another_run_is_refused(tmp_path: Path) -> None:
    texts = make_run().texts() + make_run(run_id="r2").texts()[1:]
    with pytest.raises(MetricsFileDamaged, match="belongs to run r2"):
        read(_write(tmp_path, *texts))


@pytest.mark.parametrize(
    ("content", "sentence"),
    [
        (b"", "is empty"),
        (b"a,b\n1,2\n", "no metrics file"),
        (b'{"kind": "summary"}\n', "line 1 is no run line but one of kind 'summary'"),
        (b'{"kind": "weather"}\n', "no run line"),
    ],
)
def test_a_file_that_is_none_is_told_in_one_sentence(tmp_path: Path, content: bytes, sentence: str) -> None:
    with pytest.raises(MetricsFileDamaged, match=sentence) as caught:
        read(_write(tmp_path, content))
    assert "\n" not in str(caught.value)
    assert "metrics-r1.jsonl" in str(caught.value)


def test_a_directory_and_a_missing_file_are_wrong_usage(tmp_path: Path) -> None:
    with pytest.raises(UsageError, match="is a directory"):
        read(tmp_path)
    with pytest.raises(UsageError, match="No such file"):
        read(tmp_path / "metrics-none.jsonl")


def test_parse_refuses_with_an_error_of_values() -> None:
    with pytest.raises(ValueError, match="JSON"):
        parse("{")
    assert issubclass(MetricsFileDamaged, StepbenchError)


def test_a_line_beyond_all_measure_is_refused_and_not_read_to_its_end(run: MadeRun, tmp_path: Path) -> None:
    path = _write(tmp_path, run.texts()[0])
    os.truncate(path, 10**12)  # of which the disk holds nothing
    with pytest.raises(MetricsFileDamaged, match="line 2 is longer than any line of a metrics file"):
        read(path)
