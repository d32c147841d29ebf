from __future__ import annotations

import json
from argparse import ArgumentParser, Namespace
from pathlib import Path

import pytest

from orchestrator.commands import report
from orchestrator.report.summary import Summary
from stepbench.settings import Settings
from tests.orchestrator.report.sample_factory import make_run


def _arguments(*words: str) -> Namespace:
    parser = ArgumentParser()
    report.add_arguments(parser)
    return parser.parse_args(words)


def _settings(folder: Path) -> Settings:
    return Settings.model_validate({"METRICS_DIR": folder})


def test_it_prints_the_summary_of_a_run_id(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    make_run().write(tmp_path)
    assert report.run(_settings(tmp_path), _arguments("r1")) == 0
    told = capsys.readouterr()
    assert "Where the time went" in told.out
    assert "not AWS" in told.out
    assert told.err == ""


def test_json_is_one_object_on_one_line(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    paths = [str(make_run(run_id=run_id).write(tmp_path)) for run_id in ("r1", "r2")]
    assert report.run(_settings(tmp_path), _arguments(*paths, "--json")) == 0
    out = capsys.readouterr().out
    assert out.count("\n") == 1
    assert json.loads(out)["run_ids"] == ["r1", "r2"]
    assert Summary.model_validate_json(out).counts.samples == 12
