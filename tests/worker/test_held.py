from __future__ import annotations

from worker.held import HeldSteps


def test_what_is_held_is_what_was_added_and_not_removed() -> None:
    held = HeldSteps()
    for receipt in ("a", "b", "c", "a"):
        held.add(receipt)
    held.remove(["b", "never held"])
    held.remove(receipt for receipt in ["c"])
    assert held.receipts() == ["a"]
