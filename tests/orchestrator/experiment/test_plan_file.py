from __future__ import annotations

from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from orchestrator.experiment import asked, cases, plan_file, planning
from orchestrator.experiment.request import Request
from stepbench.errors import UsageError

FILE = Path("plan.toml")
WHOLE = """
version = 1
baseline = "as it is"
repeats = 12
seed = 9
until_stable = "2%"
to_see = 0.1
max_minutes = 5

[settings]
payload-mb = 2
payload_tag = false

[axes]
serializers = ["json", "arrow"]
COMPRESSION = ["none", "zstd"]

[[cases]]
name = "as it is"
serializer = "pickle"
"""


def with_flags(**flags: str) -> Request:
    return asked.request(flags, plan=FILE)


def test_a_plan_says_all_that_flags_can_say() -> None:
    FILE.write_text(WHOLE)
    request = plan_file.read(FILE)

    found = cases.resolve(request)

    assert [case.name for case in found.cases] == ["json none", "json zstd:3", "arrow none", "arrow zstd:3", "as it is"]
    assert {case.settings.payload_mb for case in found.cases} == {2.0}
    assert {case.settings.payload_tag for case in found.cases} == {False}
    assert found.baseline == "as it is"
    assert (request.repeats, request.seed, request.max_minutes) == (12, 9, 5.0)
    assert (request.until_stable, request.to_see) == (0.02, 0.1)


def test_what_a_plan_is_to_see_is_seen_by_the_experiment() -> None:
    FILE.write_text(WHOLE)
    request = with_flags()
    plan = planning.new(cases.resolve(request), request)
    assert (plan.to_see, plan.until_stable, plan.repeats, plan.max_minutes) == (0.1, 0.02, 12, 5.0)


def test_flags_win_over_a_plan() -> None:
    FILE.write_text(WHOLE)

    request = asked.request({"PAYLOAD_MB": "3"}, plan=FILE, repeats="17", baseline="json none")

    assert {case.settings.payload_mb for case in cases.resolve(request).cases} == {3.0}
    assert (request.repeats, cases.resolve(request).baseline) == (17, "json none")


def test_a_flag_that_no_case_would_listen_to_is_refused() -> None:
    FILE.write_text(WHOLE)

    with pytest.raises(UsageError, match="--serializer: every case has a SERIALIZER of its own"):
        cases.resolve(with_flags(SERIALIZER="csv"))


def test_lists_beside_a_file_are_refused() -> None:
    FILE.write_text(WHOLE)

    with pytest.raises(UsageError, match=r"--steps: the cases are those of plan\.toml"):
        with_flags(STEPS="1,2")


@pytest.mark.parametrize(
    ("text", "told"),
    [
        ("", "plan.toml: has no version"),
        ("version = 2", "plan.toml: has version = 2, and this program reads version = 1"),
        ("version = true", "plan.toml: has version = True"),
        ("version = 1\nrepeat = 3", "plan.toml, repeat: is no key of a plan; did you mean repeats?"),
        ("version = 1\nrepeats = 0", "plan.toml, repeats: 0 is no whole number from 1"),
        ("version = 1\nseed = 1.5", "plan.toml, seed: 1.5 is no whole number"),
        ("version = 1\nuntil_stable = 'much'", "plan.toml, until_stable: 'much' is no share such as 5%"),
        ("version = 1\nto_see = '200%'", "plan.toml, to_see: '200%' is no share such as 5%"),
        ("version = 1\nuntil_stable = nan", "plan.toml, until_stable: 'nan' is no share such as 5%"),
        ("version = 1\nmax_minutes = inf", "plan.toml, max_minutes: 'inf' is no number of minutes above 0"),
        ("version = 1\n[axes]\nstpes = [1]", "plan.toml, axes.stpes: 'stpes' is no setting; did you mean STEPS?"),
        ("version = 1\n[axes]\nsteps = 1", "plan.toml, axes.steps: is no list of values"),
        ("version = 1\n[axes]\nsteps = [[1]]", "plan.toml, axes.steps: a list is no value of a setting"),
        ("version = 1\n[axes]\nbucket = ['b']", "--bucket (ORCH_BUCKET) is the same for a whole experiment"),
        (
            "version = 1\n[settings]\nsteps = 1\nSTEPS = 2",
            "plan.toml, settings.STEPS: the same setting stands there twice",
        ),
        ("version = 1\n[cases]\nname = 'a'", "plan.toml, cases: write each case below a line [[cases]]"),
        ("version = 1\nsettings = 1", "plan.toml, settings: is no table; write it below a line [settings]"),
        ("version = 1\n[[cases]]\nname = 1", "plan.toml, case 1.name: 1 is not a text"),
        ("version = ", "--plan plan.toml: is no TOML"),
        ("version = 1\nrepeats = " + "9" * 5_000, "--plan plan.toml: is no TOML: Exceeds the limit"),
    ],
)
def test_what_is_no_plan_is_told_in_a_sentence(text: str, told: str) -> None:
    FILE.write_text(text)

    with pytest.raises(UsageError) as caught:
        cases.resolve(plan_file.read(FILE))

    assert told in str(caught.value)


def test_values_are_held_to_the_rules_of_their_settings_and_their_place_is_told() -> None:
    FILE.write_text(WHOLE.replace('"arrow"', '"arow"').replace("payload-mb = 2", "payload-mb = 0"))

    with pytest.raises(UsageError) as caught:
        cases.resolve(plan_file.read(FILE))

    first, second = caught.value.problems
    assert first == "plan.toml, settings.PAYLOAD_MB = 0: must be a number above 0, at most 50,000 MB"
    assert second.startswith("plan.toml, axes.SERIALIZER = arow: 'arow' is not one of")


@given(st.binary(max_size=80) | st.text(max_size=60).map(lambda text: f"version = 1\n{text}".encode()))
def test_whatever_stands_in_the_file_it_is_a_request_or_a_sentence(data: bytes) -> None:
    FILE.write_bytes(data)
    problems: tuple[str, ...] = ()
    try:
        problems = plan_file.read(FILE).problems
    except UsageError as error:
        problems = error.problems

    assert not any("\n" in problem for problem in problems)


def test_a_plan_may_begin_with_the_mark_that_some_editors_write() -> None:
    FILE.write_text("\ufeffversion = 1\nrepeats = 7", encoding="utf-8")

    assert plan_file.read(FILE).repeats == 7
