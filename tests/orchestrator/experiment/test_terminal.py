from __future__ import annotations

import io
import re
from pathlib import Path

import pytest

from orchestrator.experiment import judging, reading, terminal
from tests.orchestrator.experiment.plans import write_experiment

FOLDER = Path("experiment-x")
LONG = "a case with a name that alone is as wide as some terminals are"


class Terminal(io.StringIO):
    def isatty(self) -> bool:
        return True


def shown(stream: io.StringIO, other: str) -> list[str]:
    write_experiment(FOLDER, {"json": 1000, other: 400})
    terminal.show(judging.judged(reading.read(FOLDER)), stream)
    return re.sub(r"\x1b\[[\d;]*m", "", stream.getvalue()).splitlines()


def test_what_is_piped_has_every_column_however_wide(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("COLUMNS", "80")
    told = shown(io.StringIO(), LONG)

    heading = next(line for line in told if line.startswith("rank"))
    assert heading.split() == [
        *("rank", "case", "step", "ms", "ratio", "interval", "rounds", "size", "CPU", "USD/1000", "front"),
    ]
    assert any(LONG in line for line in told[told.index(heading) :])
    assert "Left out" not in " ".join(told)


def test_a_narrow_terminal_is_told_what_it_does_not_show_and_only_the_rest_is_explained(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setenv("COLUMNS", "60")
    monkeypatch.setenv("TERM", "xterm")
    told = shown(Terminal(), "arrow")

    heading = next(line for line in told if "rank" in line)
    assert "USD" not in heading
    assert "size" in heading
    whole = " ".join(" ".join(told).split())
    assert "Left out, as the terminal is narrow: rounds, CPU, USD/1000." in whole
    assert "USD/1000: what AWS bills" not in whole
    assert "Ratios of step times" in whole
