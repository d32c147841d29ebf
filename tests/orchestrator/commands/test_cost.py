from __future__ import annotations

import json
from argparse import ArgumentParser
from pathlib import Path

import pytest

from orchestrator.commands import cost
from orchestrator.cost import prices
from stepbench.errors import UsageError
from stepbench.settings import Settings
from tests.orchestrator.experiment.plans import write_experiment
from tests.orchestrator.report.sample_factory import make_run


def ran(folder: Path, *words: str) -> int:
    parser = ArgumentParser()
    cost.add_arguments(parser)
    return cost.run(Settings.model_validate({"METRICS_DIR": folder}), parser.parse_args(words))


def test_it_prints_a_table_with_all_that_it_rests_on(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    make_run().write(tmp_path)
    assert ran(tmp_path, "--rate", "1000", "--instance-type", "c7g.large") == 0
    told = capsys.readouterr().out
    for part in ("This run, 6 steps", "per 1,000 steps", "A month at the given rate", "idle worker", "rests on"):
        assert part in told
    assert max(map(len, told.splitlines())) <= 80


def test_json_is_one_object_over_all_runs(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    paths = [str(make_run(run_id=run_id).write(tmp_path)) for run_id in ("r1", "r2")]
    assert ran(tmp_path, *paths, "--json") == 0
    out = capsys.readouterr().out
    assert out.count("\n") == 1
    assert json.loads(out)["run_ids"] == ["r1", "r2"]


def test_prices_of_ones_own_take_the_place_of_the_shipped_ones(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    make_run().write(tmp_path)
    mine = tmp_path / "mine.toml"
    shipped = prices.SHIPPED.read_text()
    mine.write_text(shipped.replace("get_and_others_per_1000 = 0.0004", "get_and_others_per_1000 = 1000"))
    assert ran(tmp_path, "--json", "--prices", str(mine)) == 0
    lines = json.loads(capsys.readouterr().out)["runs"]["lines"]
    assert next(float(line["usd"]) for line in lines if line["what"] == "S3 GET and others") == 42


@pytest.mark.parametrize("words", [("--rate", "x"), ("--rate", "-1"), ("--keep-days", "nan"), ("--rate", "1e99")])
def test_a_number_that_is_none_is_told_with_its_flag(words: tuple[str, str], tmp_path: Path) -> None:
    make_run().write(tmp_path)
    with pytest.raises(UsageError, match=f"{words[0]} {words[1]} is not a number from 0 to"):
        ran(tmp_path, *words)


def test_the_folder_of_an_experiment_is_costed_over_its_measured_runs_and_one_of_files_over_all(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    write_experiment(tmp_path / "e", {"json": 1_000.0, "arrow": 850.0, "failing": 0.0}, 3)
    assert ran(tmp_path, str(tmp_path / "e"), "--json") == 0
    assert len(json.loads(capsys.readouterr().out)["run_ids"]) == 2 * 3, "two cases, three rounds, no warm-up"
    (tmp_path / "f").mkdir()
    paths = [make_run(run_id=run_id).write(tmp_path / "f") for run_id in ("r1", "r2")]
    assert ran(tmp_path, str(tmp_path / "f"), str(paths[0]), "--json") == 0
    assert sorted(json.loads(capsys.readouterr().out)["run_ids"]) == ["r1", "r2"]


def test_a_folder_without_runs_is_refused_with_what_to_name(tmp_path: Path) -> None:
    with pytest.raises(UsageError, match="holds no run to cost; name the folder of an experiment or of metrics files"):
        ran(tmp_path, str(tmp_path))
