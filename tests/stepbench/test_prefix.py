from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from stepbench import prefix

DATE, RUN_ID = "2026-01-31", "20260131-120000-abc"
PIECES = st.sampled_from(["runs", "a-b", "x/y", "/", "z", *prefix.PLACEHOLDERS])
GOOD_TEMPLATES = (
    st.lists(PIECES, max_size=8)
    .map(lambda pieces: "top/" + "".join(pieces))
    .filter(lambda template: not prefix.problems(template))
)


@pytest.mark.parametrize(
    ("template", "expanded"),
    [
        ("runs/${DATE}/${RUN_ID}/", f"runs/{DATE}/{RUN_ID}/"),
        ("runs/{date}/{run_id}/", f"runs/{DATE}/{RUN_ID}/"),
        ("runs/{run_id}", f"runs/{RUN_ID}/"),
        ("runs/{date}", f"runs/{DATE}/{RUN_ID}/"),
        ("runs/", f"runs/{RUN_ID}/"),
        ("runs", f"runs/{RUN_ID}/"),
        ("runs-{run_id}-{run_id}", f"runs-{RUN_ID}-{RUN_ID}/"),
    ],
)
def test_placeholders_are_filled_in_and_the_run_is_always_named(template: str, expanded: str) -> None:
    assert prefix.expand(template, RUN_ID, DATE) == expanded


@pytest.mark.parametrize(
    ("template", "literal"),
    [
        ("orchestration-bench/runs/${DATE}/${RUN_ID}/", "orchestration-bench/runs/"),
        ("team-{run_id}/x/", "team-"),
        ("runs", "runs/"),
        ("{run_id}/", ""),
    ],
)
def test_the_literal_part_ends_where_the_first_placeholder_begins(template: str, literal: str) -> None:
    assert prefix.literal_part(template) == literal


@given(template=GOOD_TEMPLATES)
def test_a_run_stays_below_the_literal_part_in_a_folder_of_its_own(template: str) -> None:
    expanded = prefix.expand(template, RUN_ID, DATE)

    assert prefix.literal_part(template)
    assert expanded.startswith(prefix.literal_part(template))
    assert expanded.endswith("/")
    assert RUN_ID in expanded
    assert not set("${}") & set(expanded)
    assert expanded != prefix.expand(template, "another-run", DATE)


@given(text=st.text())
def test_whatever_is_typed_gets_an_answer(text: str) -> None:
    assert prefix.problems(text) or prefix.expand(text, RUN_ID, DATE).startswith(prefix.literal_part(text))


@pytest.mark.parametrize("template", ["runs/${DATE}/${RUN_ID}/", "r/{date}-{run_id}", "a", "a.b/c_d!*'()=+@:,/"])
def test_good_templates_have_no_problems(template: str) -> None:
    assert prefix.problems(template) == []


@pytest.mark.parametrize(
    ("template", "told"),
    [
        ("../runs/{run_id}/", "'..'"),
        ("runs/../{run_id}/", "'..'"),
        ("runs/./{run_id}/", "'.'"),
        ("runs//{run_id}/", "empty folder"),
        ("/runs/{run_id}/", "begins with a slash"),
        ("{run_id}/", "nothing before its first placeholder"),
        ("runs/{chain}/", "unknown placeholder {chain}; known are ${DATE}"),
        ("runs/${HOME}/", "unknown placeholder ${HOME}"),
        ("runs/$DATE/", "characters"),
        ("runs/{run_id", "characters"),
        ("rüns/", "characters"),
        ("ru ns/", "characters"),
        ("runs\udcff/", "characters"),
        ("a" * 701, "longer than 700 bytes"),
    ],
)
def test_what_is_wrong_with_a_template_is_told(template: str, told: str) -> None:
    [problem] = prefix.problems(template)
    assert told in problem


def test_everything_that_is_wrong_is_told_at_once() -> None:
    assert len(prefix.problems("/a//{x} b/")) == 4
