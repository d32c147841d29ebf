from __future__ import annotations

import json
from argparse import ArgumentParser
from pathlib import Path

import pytest

from orchestrator.commands import trace
from stepbench.errors import UsageError
from stepbench.settings import Settings
from tests.orchestrator.report.sample_factory import make_run
from tests.orchestrator.trace.otlp_messages import request_in
from tests.orchestrator.trace.trace_event_format import faults


def ran(folder: Path, *words: str) -> int:
    parser = ArgumentParser()
    trace.add_arguments(parser)
    return trace.run(Settings.model_validate({"METRICS_DIR": folder}), parser.parse_args(words))


def test_it_writes_both_files_of_the_newest_run(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    make_run().write(tmp_path)
    one, other = tmp_path / "trace.json", tmp_path / "otlp.json"
    assert ran(tmp_path, "--perfetto", str(one), "--otlp", str(other)) == 0
    assert faults(json.loads(one.read_text())) == []
    assert len(request_in(other.read_text()).resource_spans) == 2
    told = capsys.readouterr().out.splitlines()
    assert [line.partition(":")[0] for line in told] == [str(one), str(other)]
    assert "ui.perfetto.dev" in told[0]


@pytest.mark.parametrize("flag", ["--perfetto", "--otlp"])
def test_only_an_earlier_trace_is_written_over_unless_told(flag: str, tmp_path: Path) -> None:
    make_run().write(tmp_path)
    path = tmp_path / "plan.json"
    path.write_text('{"resourceSpans":[], "written": "by hand"}')
    with pytest.raises(UsageError, match=rf"{flag}: .*plan.json is not of an earlier trace; .* or add --force"):
        ran(tmp_path, flag, str(path))
    assert "by hand" in path.read_text()
    assert ran(tmp_path, flag, str(path), "--force") == 0
    assert ran(tmp_path, flag, str(path)) == 0, "it does not know its own file"


@pytest.mark.parametrize(
    ("words", "sentence"),
    [
        ((), "nothing to write: --perfetto FILE or --otlp FILE names what"),
        (("--perfetto", "x", "--otlp", "x"), "--perfetto and --otlp name the same file; name two"),
        (("r2", "--perfetto", "x"), "there is no metrics file"),
        (("metrics-r1.jsonl", "--perfetto", "metrics-r1.jsonl"), "is a metrics file that this is made from"),
    ],
)
def test_what_cannot_be_written_is_one_sentence_and_nothing_is_written(
    words: tuple[str, ...], sentence: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    path = make_run().write(tmp_path)
    with pytest.raises(UsageError, match=sentence):
        ran(tmp_path, *words)
    assert list(tmp_path.iterdir()) == [path]


def test_of_a_folder_it_takes_the_only_file_and_names_those_of_many(tmp_path: Path) -> None:
    folder, path = tmp_path / "folder", tmp_path / "trace.json"
    folder.mkdir()
    with pytest.raises(UsageError, match="folder holds no metrics file; name one, or a run id"):
        ran(tmp_path, str(folder), "--perfetto", str(path))
    make_run(run_id="r1").write(folder)
    assert ran(tmp_path, str(folder), "--perfetto", str(path)) == 0
    make_run(run_id="r2").write(folder)
    with pytest.raises(UsageError, match=r"holds 2 metrics files, .* name one of .*metrics-r1.jsonl, .*r2.jsonl$"):
        ran(tmp_path, str(folder), "--perfetto", str(path))
