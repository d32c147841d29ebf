from __future__ import annotations

import json
import os
import subprocess
import sys
import uuid

import pytest

from orchestrator import cli
from scripts.docs.tree import ROOT
from tests.emulator import Account
from tests.factories import STEPS_QUEUE


class Stack:
    """Two fleets on the emulated ECS and one elsewhere."""

    def __init__(self, account: Account) -> None:
        self._account = account
        self.cluster = f"stack-{uuid.uuid4().hex}"
        fleets: dict[str, dict[str, object]] = {"elsewhere": {"steps_queue_url": f"{STEPS_QUEUE}-elsewhere"}}
        for name, desired in (("small", 0), ("c7g", 2)):
            account.new_service(self.cluster, f"stack-{name}", desired)
            known = {"steps_queue_url": f"{STEPS_QUEUE}-{name}", "cluster": self.cluster, "service": f"stack-{name}"}
            fleets[name] = known | {"max": 12}
        self.fleets = json.dumps(fleets)

    def desired(self, name: str) -> int:
        return self._account.desired_count(self.cluster, f"stack-{name}")


@pytest.fixture
def stack(account: Account, monkeypatch: pytest.MonkeyPatch) -> Stack:
    stack = Stack(account)
    monkeypatch.setenv("ORCH_FLEETS", stack.fleets)
    return stack


def test_fleets_are_listed_with_their_tasks(stack: Stack, capsys: pytest.CaptureFixture[str]) -> None:
    assert cli.main(["fleet", "list"]) == 0

    assert capsys.readouterr().out.splitlines() == [
        "fleet      wanted  running  pending  max  service",
        "elsewhere                                 not on ECS",
        f"small           0        0        0   12  {stack.cluster}/stack-small",
        f"c7g             2        0        2   12  {stack.cluster}/stack-c7g",
    ]


@pytest.mark.parametrize("count", [0, 1, 12])
def test_a_fleet_is_scaled_up_to_its_max(stack: Stack, capsys: pytest.CaptureFixture[str], count: int) -> None:
    assert cli.main(["fleet", "scale", "c7g", str(count)]) == 0

    assert f"Fleet c7g was to have 2 tasks, now {count}; " in capsys.readouterr().out
    assert (stack.desired("c7g"), stack.desired("small")) == (count, 0)


@pytest.mark.parametrize(
    ("words", "told"),
    [
        (["scale", "c7g", "13"], "13 tasks are more than the fleet 'c7g' may have, 12"),
        (["scale", "c7g", "many"], "'many' is no number of them; 3 is one"),
        (["scale", "c7g", "1e3"], "'1e3' is no number of them"),
        (["scale", "c7g", "9" * 5_000], "is no number of them"),
        (["scale", "c7g"], "scale wants a fleet and a number: scale NAME N"),
        (["scale", "c7", "1"], "'c7' is not one of elsewhere, small, c7g; did you mean c7g?"),
        (["scale", "elsewhere", "1"], "the fleet 'elsewhere' is not on ECS"),
        (["wait", "c7g"], "wait wants a fleet and a number: wait NAME N"),
        (["wait", "c7", "1"], "'c7' is not one of elsewhere, small, c7g; did you mean c7g?"),
        (["wait", "c7g", "one"], "'one' is no number of them"),
        (["wait", "c7g", "0"], "'0' is no number of them"),
        (["list", "small"], "list is of all fleets; leave 'small' out"),
        (["list", "--fleets", ""], "there are no fleets: --fleets (ORCH_FLEETS) tells them"),
    ],
    ids=lambda each: str(each)[:40],
)
def test_what_cannot_be_meant_changes_nothing_and_is_told_in_a_sentence(
    stack: Stack, capsys: pytest.CaptureFixture[str], words: list[str], told: str
) -> None:
    assert cli.main(["fleet", *words]) == 2

    [sentence] = capsys.readouterr().err.splitlines()
    assert told in sentence
    assert (stack.desired("c7g"), stack.desired("small")) == (2, 0)


@pytest.mark.parametrize("words", [["list"], ["scale", "small", "1"]], ids=str)
def test_what_ecs_refuses_is_told_with_the_statement_that_would_allow_it(
    account: Account,
    stack: Stack,
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
    words: list[str],
) -> None:
    nobody = account.user(f"nobody-{uuid.uuid4().hex}")
    for name, value in nobody.environment.items():
        monkeypatch.setenv(name, value)
    monkeypatch.setenv("ORCH_BUCKET", "payloads")
    monkeypatch.setenv("ORCH_STEPS_QUEUE_URL", f"{STEPS_QUEUE}-c7g")

    assert cli.main(["fleet", *words]) == 3

    [sentence] = capsys.readouterr().err.splitlines()
    assert sentence.startswith("ecs:DescribeServices was refused; the policy statement that allows it: ")
    assert f"service/{stack.cluster}/stack-small" in sentence


def test_the_script_does_the_same_from_any_folder(stack: Stack) -> None:
    done = subprocess.run(
        [ROOT / "scripts" / "fleet", "scale", "small", "3"],
        env={**os.environ, "PYTHON": sys.executable},
        capture_output=True,
        text=True,
        check=False,
    )

    assert (done.returncode, done.stderr) == (0, "")
    assert stack.desired("small") == 3
