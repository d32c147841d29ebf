from __future__ import annotations

from tests.factories import make_held
from worker.held import HeldStep, HeldSteps


def test_what_is_held_is_what_was_added_and_not_removed() -> None:
    held = HeldSteps()
    for receipt in ("a", "b", "c", "a"):
        held.add(make_held(receipt))
    held.remove(["b", "never held"])
    held.remove(receipt for receipt in ["c"])
    assert [step.receipt for step in held.steps()] == ["a"]


def test_while_messages_are_hidden_others_come_and_go() -> None:
    held = HeldSteps()
    with held.hiding:
        held.add(make_held("a"))
        held.remove(["a"])
    assert held.steps() == []


def test_what_is_disowned_is_hidden_no_more_and_told_once_and_known_until_it_is_removed() -> None:
    told: list[HeldStep] = []
    held = HeldSteps(told.append)
    ours, lost = make_held("a"), make_held("b")
    held.add(ours)
    held.add(lost)
    assert held.disown(["b", "never held"]) == [lost]
    assert held.disown(["b"]) == []
    assert (held.steps(), told) == ([ours], [lost])
    assert (held.is_disowned(ours), held.is_disowned(lost)) == (False, True)
    held.remove(["b"])
    assert not held.is_disowned(lost)
