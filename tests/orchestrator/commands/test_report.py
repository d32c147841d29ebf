from __future__ import annotations

import json
import re
import subprocess
import sys
from argparse import ArgumentParser, Namespace
from pathlib import Path

import pytest

from orchestrator.commands import report
from orchestrator.page import bundle, needs, png
from orchestrator.report.summary import Summary
from stepbench.errors import UsageError
from stepbench.settings import Settings
from tests.orchestrator.experiment.plans import write_experiment
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


def _experiment(tmp_path: Path) -> Path:
    write_experiment(tmp_path / "e", {"json": 1_000.0, "arrow": 850.0}, 6)
    return tmp_path / "e"


def test_the_folder_of_an_experiment_is_told_by_its_verdicts(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    folder = _experiment(tmp_path)
    assert report.run(_settings(tmp_path), _arguments(str(folder))) == 0
    assert "Fastest is arrow" in capsys.readouterr().out
    assert report.run(_settings(tmp_path), _arguments(str(folder), "--json")) == 0
    assert json.loads(capsys.readouterr().out)["baseline"] == "json"


def test_a_folder_of_metrics_files_is_one_summary_and_what_is_left_out_is_told(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    make_run(run_id="r1").write(tmp_path)
    (tmp_path / "metrics-r2.jsonl").write_text("")
    assert report.run(_settings(tmp_path), _arguments(str(tmp_path), "--json")) == 0
    told = capsys.readouterr()
    assert json.loads(told.out)["run_ids"] == ["r1"]
    assert "left out" in told.err


def test_all_forms_are_written_at_once_and_again_over_themselves(
    tmp_path: Path, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(bundle, "packed", lambda: "")
    monkeypatch.setattr(png, "picture", lambda _chart: b"\x89PNG" + png.MARK)
    folder = _experiment(tmp_path)
    files = ("--html", "r.html", "--csv", "csv", "--parquet", "parquet", "--json-tables", "t.json", "--png", "png")
    words = [str(folder), *(word if word.startswith("--") else str(tmp_path / word) for word in files)]
    for _ in range(2):
        assert report.run(_settings(tmp_path), _arguments(*words)) == 0
        assert f"{tmp_path / 'r.html'}: open it in a browser" in capsys.readouterr().out
    assert sorted(path.name for path in (tmp_path / "csv").iterdir()) == [
        "cases.csv",
        "events.csv",
        "failures.csv",
        "runs.csv",
        "samples.csv",
    ]
    assert (tmp_path / "png" / "verdict.png").exists()
    assert (tmp_path / "parquet" / "samples.parquet").exists()


def test_a_csv_file_holds_the_samples_alone(tmp_path: Path) -> None:
    path = tmp_path / "steps.csv"
    assert report.run(_settings(tmp_path), _arguments(str(_experiment(tmp_path)), "--csv", str(path))) == 0
    assert path.read_text().startswith("case,round,kind,in_statistics,")


def test_nothing_is_written_where_one_place_is_taken(tmp_path: Path) -> None:
    (tmp_path / "t.json").write_text("{}")
    words = [str(_experiment(tmp_path)), "--json-tables", str(tmp_path / "t.json"), "--csv", str(tmp_path / "a.csv")]
    with pytest.raises(UsageError, match=r"--json-tables: .* is not of an earlier report"):
        report.run(_settings(tmp_path), _arguments(*words))
    assert not (tmp_path / "a.csv").exists()
    assert report.run(_settings(tmp_path), _arguments(*words, "--force")) == 0


@pytest.mark.parametrize("flag", ["--html", "--csv", "--parquet", "--json-tables"])
def test_a_name_that_no_file_can_have_is_told_with_its_flag(flag: str, tmp_path: Path) -> None:
    path = tmp_path / f"{'x' * 300}.{flag.removeprefix('--')}"
    with pytest.raises(UsageError, match=f"{flag}: cannot write .*: File name too long; name another file"):
        report.run(_settings(tmp_path), _arguments(str(_experiment(tmp_path)), flag, str(path)))


def test_a_metrics_file_is_never_written_over(tmp_path: Path) -> None:
    path = make_run(run_id="r1").write(tmp_path)
    before = path.read_bytes()
    with pytest.raises(UsageError, match="is a metrics file that this is made from"):
        report.run(_settings(tmp_path), _arguments(str(path), "--html", str(path), "--force"))
    assert path.read_bytes() == before


@pytest.mark.parametrize(
    ("words", "sentence"),
    [
        (("--json", "--html", "r.html"), "leave out one of them"),
        (("--region", "eu-west-1"), "add --html FILE, or use the command cost"),
        (("--force",), "none is to be written"),
    ],
)
def test_flags_that_do_not_go_together_are_refused(words: tuple[str, ...], sentence: str, tmp_path: Path) -> None:
    make_run(run_id="r1").write(tmp_path)
    with pytest.raises(UsageError, match=sentence):
        report.run(_settings(tmp_path), _arguments("r1", *words))


def test_without_its_packages_it_says_how_to_install_them(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    make_run(run_id="r1").write(tmp_path)
    monkeypatch.setattr(needs, "find_spec", lambda name: None if name == "vl_convert" else name)
    with pytest.raises(UsageError, match=re.escape("pip install 'stepbench[report]'")):
        report.run(_settings(tmp_path), _arguments("r1", "--html", str(tmp_path / "r.html")))
    assert report.run(_settings(tmp_path), _arguments("r1", "--json")) == 0


def test_a_summary_needs_no_package_of_the_page(tmp_path: Path) -> None:
    path = make_run(run_id="r1").write(tmp_path)
    program = (
        "import sys; sys.modules.update(dict.fromkeys(('numpy', 'altair', 'jinja2', 'vl_convert')));"
        "from orchestrator.__main__ import main; main()"
    )
    command = [sys.executable, "-c", program, "report", str(path), "--json"]
    told = subprocess.run(command, check=True, capture_output=True, text=True)
    assert json.loads(told.stdout)["run_ids"] == ["r1"]
