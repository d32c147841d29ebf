from __future__ import annotations

import io
import sys

import pytest

from orchestrator.commands import _fleet
from stepbench.errors import UsageError
from stepbench.settings import Settings


class Terminal(io.StringIO):
    """A person who answers, where a stream of text would be a pipe."""

    def isatty(self) -> bool:
        return True


@pytest.mark.parametrize(
    ("answer", "leave"),
    [("y\n", True), ("Yes\n", True), ("n\n", False), ("\n", False), ("", False), ("yesterday\n", False)],
)
def test_a_person_is_asked_on_stderr_and_only_a_clear_yes_is_one(
    answer: str, leave: bool, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setattr(sys, "stdin", Terminal(answer))
    _fleet.require_somebody_to_ask(yes=False)

    assert _fleet.may("Delete it?", yes=False) is leave
    assert capsys.readouterr() == ("", "Delete it? [y/N] ")


def test_leave_that_was_given_is_not_asked_for(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setattr(sys, "stdin", io.StringIO("n\n"))
    _fleet.require_somebody_to_ask(yes=True)

    assert _fleet.may("Delete it?", yes=True)
    assert capsys.readouterr() == ("", "")


def test_a_pipe_is_nobody_to_ask(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(sys, "stdin", io.StringIO("y\n"))

    with pytest.raises(UsageError, match="--yes"):
        _fleet.require_somebody_to_ask(yes=False)


def test_whoever_names_no_bucket_is_told_where_its_name_comes_from() -> None:
    with pytest.raises(UsageError) as refusal:
        _fleet.require(Settings())

    for told in ("--bucket (ORCH_BUCKET)", "scripts/deploy", "python -m orchestrator local"):
        assert told in str(refusal.value)
