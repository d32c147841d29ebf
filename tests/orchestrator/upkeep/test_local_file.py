from __future__ import annotations

import os
from collections.abc import Callable
from pathlib import Path

import pytest

from orchestrator.run import journal
from orchestrator.run.journal import Journal, now_text
from orchestrator.run.lines import Event, SummaryLine
from orchestrator.upkeep.local_file import LocalFile, held
from stepbench.errors import UsageError
from stepbench.settings import Settings
from tests.orchestrator.report.sample_factory import make_plan

RUN = "20310203-040506-0a1b2c"
FOLDER = Path()


def begin() -> Journal:
    return journal.begin(journal.path_of(FOLDER, RUN), make_plan(run_id=RUN, step_expiry_seconds=77.0), Settings())


def looked() -> LocalFile:
    with held(FOLDER, RUN) as file:
        return file


def test_a_run_of_another_machine_is_not_here() -> None:
    assert looked() == LocalFile(Path(f"metrics-{RUN}.jsonl"), "not here")


@pytest.mark.parametrize("make", [os.mkfifo, Path.mkdir, lambda path: path.symlink_to("/dev/zero")])
def test_what_is_no_regular_file_tells_nothing_and_is_not_waited_for(make: Callable[[Path], None]) -> None:
    make(journal.path_of(FOLDER, RUN))

    assert looked().state == "unreadable"


def test_a_run_whose_orchestrator_lives_is_at_work() -> None:
    log = begin()

    assert looked().state == "at work"
    log.close()
    assert looked().state == "unfinished"


def test_a_run_has_finished_when_its_last_line_is_its_summary() -> None:
    log = begin()
    log.write([SummaryLine()])
    log.close()

    assert (looked().state, looked().step_expiry_seconds) == ("finished", 77.0)


def test_a_finished_run_whose_failed_chains_were_begun_again_is_unfinished() -> None:
    log = begin()
    log.write([SummaryLine(), Event(event="resumed", at=now_text(), epoch=2)])
    log.close()

    assert looked().state == "unfinished"


def test_a_torn_line_behind_the_summary_is_of_a_run_that_was_begun_again() -> None:
    log = begin()
    log.write([SummaryLine()])
    log.close()
    with log.path.open("a") as file:
        file.write('{"kind":"event"')

    assert looked().state == "unfinished"


@pytest.mark.parametrize("content", ["", "no metrics\n"])
def test_a_file_that_cannot_be_read_tells_nothing(content: str) -> None:
    Path(f"metrics-{RUN}.jsonl").write_text(content)

    assert looked().state == "unreadable"


def test_a_file_of_another_run_tells_nothing() -> None:
    begin().close()
    other = RUN.replace("0a", "ff")
    Path(f"metrics-{RUN}.jsonl").rename(f"metrics-{other}.jsonl")

    with held(FOLDER, other) as file:
        assert file.state == "unreadable"


def test_nobody_goes_on_with_a_run_while_it_is_held() -> None:
    begin().close()
    path = journal.path_of(FOLDER, RUN)

    with held(FOLDER, RUN), pytest.raises(UsageError, match="another process"):
        Journal(path, again=True)
    Journal(path, again=True).close()
