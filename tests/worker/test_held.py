from __future__ import annotations

from tests.factories import make_held
from worker.held import HeldSteps


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
