"""A thousand schedules; `python -m tests.chaos schedules --rounds N --seed S` plays any others."""

from __future__ import annotations

from collections import Counter
from importlib import import_module
from types import SimpleNamespace

import pytest

from tests.chaos import __main__ as program
from tests.chaos.figures import Figures
from tests.chaos.schedules import part

SCHEDULES = 1_000
GROUP = 200
WHERE = {
    "before the first payload is written",
    "before its results queue is made",
    "before a write",
    "in the midst of a write",
    "after a write",
    "before a send",
    "in the midst of a send",
    "after a send",
    "before a receive",
    "after a receive",
    "at the look whether the run goes on",
    "before a look at a queue",
    "before a message is handed back",
    "before a deletion",
    "after a deletion",
    "after a turn of the loop",
}


@pytest.mark.parametrize("seed", range(1, SCHEDULES, GROUP))
def test_every_promise_is_kept_whatever_is_killed_late_or_twice(seed: int) -> None:
    figures = part.run(GROUP, seed)
    assert not figures.failures, "\n".join(figures.failures)
    assert set(figures.killed_at) <= WHERE
    assert seed > 1 or set(figures.killed_at) == WHERE, "it was killed between any two of its actions"


def test_a_seed_repeats_its_schedule() -> None:
    first, again = part.run(rounds=10, seed=1), part.run(rounds=10, seed=1)
    assert first.tried["kills of workers"]
    assert first == again


def test_the_program_prints_the_figures_and_ends_well(capsys: pytest.CaptureFixture[str]) -> None:
    assert program.main(["schedules", "--rounds", "3", "--seed", "5"]) == 0
    told = capsys.readouterr()
    counts = dict(line.rsplit(maxsplit=1) for line in told.out.splitlines()[1:])
    assert told.out.startswith("schedules, seeds 5 to 7\n")
    assert counts["schedules"] == "3"
    goals = ["samples lost", "samples counted twice", "keys written twice", "hangs"]
    assert [counts[goal] for goal in goals] == ["0"] * 4
    assert told.err == ""


def test_a_part_that_is_not_there_is_named_with_those_that_are(capsys: pytest.CaptureFixture[str]) -> None:
    with pytest.raises(SystemExit):
        program.main(["shedules"])
    told = " ".join(capsys.readouterr().err.split())
    assert f"no such part: shedules; there are {', '.join(program.PARTS)}" in told
    assert "schedules" in program.PARTS


def test_the_help_tells_how_many_rounds_each_part_has_by_default() -> None:
    rounds = {name: import_module(f"tests.chaos.{name}.part").ROUNDS for name in program.PARTS}
    assert ", ".join(f"{rounds[name]} of {name}" for name in sorted(rounds) if name != "soak") == program.DEFAULTS


@pytest.mark.parametrize(
    ("words", "told"),
    [
        (["schedules", "--rounds", "0"], "'0' is no whole number from 1"),
        (["schedules", "--seconds", "3"], "--seconds is for parts that go by the clock, which schedules does not"),
        (["soak", "--rounds", "3"], "soak goes by the clock: --seconds"),
    ],
)
def test_a_size_that_a_part_cannot_have_is_wrong_usage(
    words: list[str], told: str, capsys: pytest.CaptureFixture[str]
) -> None:
    with pytest.raises(SystemExit) as end:
        program.main(words)
    assert end.value.code == 2
    assert told in " ".join(capsys.readouterr().err.split())


def test_a_package_that_is_missing_is_told_with_how_to_get_it(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setattr(program, "import_module", lambda _: import_module("no_such_package"))
    with pytest.raises(SystemExit) as end:
        program.main(["faults"])
    assert end.value.code == 3
    assert "no_such_package is not installed: make .venv/.dev-is-set-up" in capsys.readouterr().err


def test_several_parts_are_summed_up_and_one_that_fails_fails_all(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    made = {
        "schedules": Figures(Counter({"schedules": 2, "kills of workers": 3, "kills of the orchestrator": 4})),
        "processes": Figures(Counter({"kills": 5}), Counter({"hangs": 1}), ["it hung"]),
    }
    parts = {name: SimpleNamespace(ROUNDS=1, run=lambda rounds, seed, name=name: made[name]) for name in made}
    monkeypatch.setattr(program, "import_module", lambda name: parts[name.split(".")[2]])

    assert program.main(list(made)) == 1

    told = capsys.readouterr()
    sums = dict(line.rsplit(maxsplit=1) for line in told.out.partition("all of them\n")[2].splitlines())
    assert (sums["schedules"], sums["kills"], sums["hangs"], sums["samples lost"]) == ("2", "12", "1", "0")
    assert told.err == "it hung\n"
