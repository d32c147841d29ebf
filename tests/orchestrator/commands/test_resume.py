from __future__ import annotations

from argparse import ArgumentParser
from collections.abc import Iterator
from contextlib import ExitStack
from pathlib import Path
from types import SimpleNamespace

import pytest

from orchestrator.commands import resume
from orchestrator.run.journal import Journal
from orchestrator.s3_copy import fetching
from stepbench import flags
from stepbench.errors import UsageError
from stepbench.settings import Settings
from tests.orchestrator.report.sample_factory import make_run

RUN = "20310203-040506-0a1b2c"


@pytest.fixture
def stack() -> Iterator[ExitStack]:
    with ExitStack() as stack:
        yield stack


def resumed(settings: Settings, *words: str) -> int:
    parser = ArgumentParser()
    resume.add_arguments(parser)
    flags.add(parser, ["STEPS"])
    return resume.run(settings, parser.parse_args([RUN, *words]))


def test_a_flag_that_contradicts_a_run_that_has_finished_is_refused(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    make_run(run_id=RUN, steps=3).write(tmp_path)

    with pytest.raises(UsageError, match=rf"--steps \(STEPS\): 7 contradicts run {RUN}, which has 3"):
        resumed(Settings(METRICS_DIR=tmp_path, STEPS=7), "--steps=7")
    assert not capsys.readouterr().err

    assert resumed(Settings(METRICS_DIR=tmp_path, STEPS=3), "--steps=3") == 0
    assert resumed(Settings(METRICS_DIR=tmp_path, STEPS=7)) == 0, "what is configured now is for other runs"
    assert capsys.readouterr().err.count(f"Run {RUN} has finished") == 2


def test_a_copy_that_another_resume_has_taken_up_since_it_was_fetched_is_left_to_it(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, stack: ExitStack
) -> None:
    def fetch(_: object, path: Path) -> bool:
        make_run(finished=False, run_id=RUN).write(path.parent)
        stack.callback(Journal(path, again=True).close)
        return True

    monkeypatch.setattr(fetching, "copy_of", lambda *_: SimpleNamespace(place="s3://bucket/metrics/"))
    monkeypatch.setattr(fetching, "fetch", fetch)

    with pytest.raises(UsageError, match="being written by another process"):
        resumed(Settings(METRICS_DIR=tmp_path, AWS_REGION="eu-west-1"))

    assert (tmp_path / f"metrics-{RUN}.jsonl").exists()
