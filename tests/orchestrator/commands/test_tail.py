from __future__ import annotations

import os
import signal
import subprocess
import sys
from argparse import ArgumentParser, Namespace
from pathlib import Path

import pytest

from orchestrator.commands import tail
from stepbench.errors import UsageError
from stepbench.settings import Settings
from tests.orchestrator.report.sample_factory import make_run
from tests.runs.waiting import DEADLINE_SECONDS


def _arguments(*words: str) -> Namespace:
    parser = ArgumentParser()
    tail.add_arguments(parser)
    return parser.parse_args(words)


def _settings(folder: Path) -> Settings:
    return Settings.model_validate({"METRICS_DIR": folder})


def test_it_tells_a_line_for_each_line_and_ends_with_the_run(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    run = make_run()
    run.write(tmp_path)
    assert tail.run(_settings(tmp_path), _arguments()) == 0
    lines = capsys.readouterr().out.splitlines()
    assert len(lines) == len(run.lines)
    assert lines[0].startswith("run r1")
    assert lines[-1] == "run finished"


def test_json_passes_the_lines_through(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    path = make_run().write(tmp_path)
    assert tail.run(_settings(tmp_path), _arguments("r1", "--json")) == 0
    assert capsys.readouterr().out.encode() == path.read_bytes()


def test_a_run_that_has_not_begun_is_waited_for(
    tmp_path: Path, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("time.sleep", lambda seconds: make_run().write(tmp_path))
    assert tail.run(_settings(tmp_path), _arguments("r1")) == 0
    told = capsys.readouterr()
    assert "not there yet" in told.err
    assert told.out.endswith("run finished\n")


def test_a_file_that_is_not_there_is_wrong_usage(tmp_path: Path) -> None:
    with pytest.raises(UsageError, match="no metrics file"):
        tail.run(_settings(tmp_path), _arguments(str(tmp_path / "metrics-r1.jsonl")))


@pytest.mark.parametrize("target", [".", os.devnull])
def test_what_is_no_regular_file_is_wrong_usage(target: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("time.sleep", lambda seconds: pytest.fail("it waits"))
    with pytest.raises(UsageError, match=f"^{target} is no regular file"):
        tail.run(_settings(tmp_path), _arguments(target))


def test_a_file_that_may_not_be_read_is_wrong_usage(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    path = make_run().write(tmp_path)

    def refuse(*_: object, **__: object) -> None:
        raise PermissionError(13, "Permission denied")

    monkeypatch.setattr(Path, "open", refuse)
    with pytest.raises(UsageError, match=r"cannot follow .*: Permission denied"):
        tail.run(_settings(tmp_path), _arguments(str(path)))


def test_ctrl_c_ends_it(tmp_path: Path) -> None:
    path = make_run(finished=False).write(tmp_path)
    tailing = subprocess.Popen(
        [sys.executable, "-P", "-m", "orchestrator", "tail", str(path)], stdout=subprocess.PIPE, stderr=subprocess.PIPE
    )
    assert tailing.stdout is not None
    assert tailing.stdout.readline()
    tailing.send_signal(signal.SIGINT)
    _, stderr = tailing.communicate(timeout=DEADLINE_SECONDS)
    assert (tailing.returncode, stderr) == (130, b"")


def test_it_opens_the_file_for_reading_only(tmp_path: Path) -> None:
    path = make_run().write(tmp_path)
    before = (path.read_bytes(), path.stat().st_mtime_ns)
    tail.run(_settings(tmp_path), _arguments("r1"))
    assert (path.read_bytes(), path.stat().st_mtime_ns) == before
