"""`compare` of an experiment that there is already."""

from __future__ import annotations

from pathlib import Path

import pytest

from orchestrator import cli
from orchestrator.experiment.manifest import NAME
from tests.orchestrator.experiment.plans import make_event, write_experiment

FOLDER = Path("out/experiment-x")


def compare(capsys: pytest.CaptureFixture[str], *words: str) -> tuple[int, str, str]:
    """Exit code, stdout and stderr."""
    code = cli.main(["compare", *words])
    return code, *capsys.readouterr()


@pytest.mark.parametrize("last", ["finished", "limit", "stable"])
def test_an_experiment_that_has_ended_has_nothing_left_to_do_and_shows_its_answer(
    last: str, capsys: pytest.CaptureFixture[str]
) -> None:
    write_experiment(FOLDER, {"json": 1000, "arrow": 400}, finished=False)
    with (FOLDER / NAME).open("a") as file:
        file.write(f"{make_event(last, message='it was enough').model_dump_json()}\n")
    before = (FOLDER / NAME).read_bytes()

    code, out, err = compare(capsys, "--resume")

    assert code == 0
    assert err == f"{FOLDER}: the experiment has ended, and nothing is left to do. Its answer:\n"
    assert "Fastest is arrow" in out
    assert (FOLDER / NAME).read_bytes() == before


def test_flags_that_an_experiment_does_not_listen_to_any_more_are_refused_each_by_name(
    capsys: pytest.CaptureFixture[str],
) -> None:
    write_experiment(FOLDER, {"json": 1000, "arrow": 400})

    code, out, err = compare(capsys, "--resume", str(FOLDER), "--repeats=6", "--anyway", "--steps=3")

    assert (code, out) == (2, "")
    assert [line.partition(", so ")[2] for line in err.splitlines()] == [
        f"{flag} has no meaning here; leave it out" for flag in ("--repeats", "--anyway", "--steps")
    ]
