from __future__ import annotations

from hypothesis import given
from hypothesis import strategies as st

from orchestrator.experiment.lines import ManifestLine, RunEnd
from orchestrator.experiment.schedule import Turn, left_out, order_of, turns
from tests.orchestrator.experiment.plans import make_end, make_event, make_experiment

NAMES = st.lists(st.sampled_from("abcdefgh"), min_size=1, max_size=8, unique=True)


@given(NAMES, st.integers(0, 5), st.integers(0, 2**63))
def test_a_round_has_every_case_once_and_the_same_order_for_the_same_seed(
    names: list[str], number: int, seed: int
) -> None:
    plan = make_experiment(*names, seed=seed)

    order = order_of(plan, number)

    assert sorted(order) == sorted(names)
    assert order == order_of(make_experiment(*names, seed=seed), number)


def test_rounds_and_seeds_have_orders_of_their_own_and_every_case_comes_to_every_place() -> None:
    orders = [tuple(order_of(make_experiment(*"abcd", seed=seed), number)) for seed in (1, 2) for number in range(100)]

    assert len(set(orders)) == 24
    for place in range(4):
        firsts = [order[place] for order in orders]
        assert all(30 <= firsts.count(name) <= 70 for name in "abcd")


def test_a_new_experiment_begins_with_a_warm_up_round() -> None:
    plan = make_experiment(*"abc", repeats=2)

    todo = turns(plan, [])

    assert [turn.round for turn in todo] == [0, 0, 0, 1, 1, 1, 2, 2, 2]


@given(NAMES, st.integers(1, 4), st.lists(st.integers(0, 30), max_size=3))
def test_what_is_left_after_interruptions_is_what_was_not_measured_after_a_warm_up_of_its_own(
    names: list[str], repeats: int, runs_until_interrupted: list[int]
) -> None:
    plan = make_experiment(*names, repeats=repeats)
    lines: list[ManifestLine] = []
    ran: list[Turn] = []
    for runs in (*runs_until_interrupted, None):
        for turn in turns(plan, lines)[:runs]:
            lines.append(make_end(turn.case, turn.round))
            ran.append(turn)
        lines.append(make_event("resumed"))

    measured = [turn for turn in ran if turn.round]
    assert sorted((turn.round, turn.case) for turn in measured) == sorted(
        (number, name) for number in range(1, repeats + 1) for name in names
    )
    for turn in measured:
        assert Turn(0, turn.case) in ran[: ran.index(turn)]


def test_after_a_resume_only_cases_that_have_runs_left_are_warmed_up() -> None:
    plan = make_experiment(*"ab", repeats=1)
    done = [make_end(name, number) for number in (0, 1) for name in "ab"][:-1]

    assert turns(plan, [*done, make_event("resumed")]) == [Turn(0, "b"), Turn(1, "b")]


def test_a_case_is_left_out_after_two_failures_in_a_row_and_the_others_go_on() -> None:
    plan = make_experiment(*"ab", repeats=2)
    lines: list[ManifestLine] = [make_end("a", 0, ok=False), make_end("b", 0)]
    assert Turn(1, "a") in turns(plan, lines)

    lines.append(make_end("a", 1, ok=False))

    assert turns(plan, lines) == [Turn(1, "b"), Turn(2, "b")]


@given(st.lists(st.booleans(), max_size=12))
def test_a_success_between_two_failures_keeps_a_case_in(outcomes: list[bool]) -> None:
    ends: list[RunEnd] = [make_end("a", number, ok=ok) for number, ok in enumerate(outcomes)]

    assert ("a" in left_out(ends)) == (outcomes[-2:] == [False, False])
