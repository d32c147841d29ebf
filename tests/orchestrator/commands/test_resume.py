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
from stepbench.errors import UsageError
from stepbench.settings import Settings
from tests.orchestrator.report.sample_factory import make_run

RUN = "20310203-040506-0a1b2c"


@pytest.fixture
def stack() -> Iterator[ExitStack]:
    with ExitStack() as stack:
        yield stack


def test_a_copy_that_another_resume_has_taken_up_since_it_was_fetched_is_left_to_it(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, stack: ExitStack
) -> None:
    def fetch(_: object, path: Path) -> bool:
        make_run(finished=False, run_id=RUN).write(path.parent)
        stack.callback(Journal(path, again=True).close)
        return True

    monkeypatch.setattr(fetching, "copy_of", lambda *_: SimpleNamespace(place="s3://bucket/metrics/"))
    monkeypatch.setattr(fetching, "fetch", fetch)
    parser = ArgumentParser()
    resume.add_arguments(parser)

    with pytest.raises(UsageError, match="being written by another process"):
        resume.run(Settings(METRICS_DIR=tmp_path, AWS_REGION="eu-west-1"), parser.parse_args([RUN]))

    assert (tmp_path / f"metrics-{RUN}.jsonl").exists()
