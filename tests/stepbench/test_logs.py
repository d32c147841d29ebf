from __future__ import annotations

import io
import json
import sys
from collections.abc import Iterator
from typing import Any

import pytest
import structlog

from stepbench import logs


class Terminal(io.StringIO):
    def isatty(self) -> bool:
        return True


@pytest.fixture(autouse=True)
def as_before() -> Iterator[None]:
    before = structlog.get_config()
    yield
    structlog.configure(**before)
    structlog.contextvars.clear_contextvars()


def lines(text: str) -> list[dict[str, Any]]:
    return [json.loads(line) for line in text.splitlines()]


def test_piped_logs_are_json_a_line_each_on_stderr(capsys: pytest.CaptureFixture[str]) -> None:
    logs.configure("info", "auto")
    structlog.get_logger().info("done", chain=1)
    structlog.get_logger().warning("late", error="two\nlines")

    told = capsys.readouterr()
    first, second = lines(told.err)
    assert first.pop("timestamp").endswith("Z")
    assert first == {"event": "done", "level": "info", "chain": 1}
    assert (second["level"], second["error"]) == ("warning", "two\nlines")
    assert told.out == ""


def test_on_a_terminal_they_are_for_people(monkeypatch: pytest.MonkeyPatch) -> None:
    terminal = Terminal()
    monkeypatch.setattr(sys, "stderr", terminal)
    logs.configure("info", "auto")
    structlog.get_logger().info("done", chain=1)

    assert "done" in terminal.getvalue()
    assert not terminal.getvalue().startswith("{")


def test_the_form_that_is_asked_for_goes_before_where_they_go(
    capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    logs.configure("info", "console")
    structlog.get_logger().info("for people")
    told = capsys.readouterr().err
    assert "for people" in told
    assert not set("{\x1b") & set(told)

    terminal = Terminal()
    monkeypatch.setattr(sys, "stderr", terminal)
    logs.configure("info", "json")
    structlog.get_logger().info("for programs")
    assert lines(terminal.getvalue())[0]["event"] == "for programs"


@pytest.mark.parametrize(
    ("level", "shown"),
    [
        ("debug", ["debug", "info", "warning", "error"]),
        ("info", ["info", "warning", "error"]),
        ("warning", ["warning", "error"]),
        ("error", ["error"]),
    ],
)
def test_what_is_less_severe_than_the_level_is_left_out(
    level: str, shown: list[str], capsys: pytest.CaptureFixture[str]
) -> None:
    logs.configure(level, "json")
    log = structlog.get_logger()
    for name in ("debug", "info", "warning", "error"):
        getattr(log, name)("told")
    assert [line["level"] for line in lines(capsys.readouterr().err)] == shown


def test_run_chain_step_and_attempt_stand_on_every_line_while_they_are_bound(
    capsys: pytest.CaptureFixture[str],
) -> None:
    logs.configure("info", "json")
    log = structlog.get_logger()
    with structlog.contextvars.bound_contextvars(run="r1", chain=1, step=2, attempt=3):
        log.info("inside")
    log.info("outside")

    inside, outside = lines(capsys.readouterr().err)
    assert {name: inside[name] for name in ("run", "chain", "step", "attempt")} == {
        "run": "r1",
        "chain": 1,
        "step": 2,
        "attempt": 3,
    }
    assert "run" not in outside


def test_a_logger_that_was_made_before_follows_what_stands_in_stderrs_place(
    capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    logs.configure("info", "json")
    log = structlog.get_logger()
    log.info("before")
    view = io.StringIO()
    with monkeypatch.context() as live:
        live.setattr(sys, "stderr", view)
        log.info("while the view is up")
    log.info("after")

    assert [line["event"] for line in lines(view.getvalue())] == ["while the view is up"]
    assert [line["event"] for line in lines(capsys.readouterr().err)] == ["before", "after"]


def test_an_exception_is_one_line_with_its_class(capsys: pytest.CaptureFixture[str]) -> None:
    logs.configure("info", "json")
    try:
        raise ValueError("broken")
    except ValueError:
        structlog.get_logger().exception("it failed")

    [line] = lines(capsys.readouterr().err)
    assert line["exception"][0]["exc_type"] == "ValueError"
