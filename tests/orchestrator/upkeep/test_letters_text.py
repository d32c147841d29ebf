from __future__ import annotations

from typing import Any

from orchestrator.upkeep.dead_letters import Letter, Listing
from orchestrator.upkeep.letters_text import lines


def letter(**changes: Any) -> Letter:
    values: dict[str, Any] = {
        "message_id": "5b6e",
        "sent_at": "2031-02-03T04:05:06.789+00:00",
        "receive_count": 6,
        "run": "r1",
        "chain": -1,
        "step": 2,
        "attempt": 3,
        "kind": "understood",
        "reason": "understood: so it is",
    }
    return Letter(**values | changes)


def text(*letters: Letter, **changes: Any) -> str:
    values: dict[str, Any] = {"hidden": 0, "of_other_queues": 0, "cut_short": False}
    url = "https://sqs.eu-west-1.amazonaws.com/1/steps-dead"
    return "\n".join(lines(Listing(dead_letter_queue_url=url, letters=letters, **values | changes)))


def test_a_letter_is_told_in_three_lines() -> None:
    assert text(letter()) == (
        "1 dead letter in steps-dead\n\n"
        "5b6e, sent 2031-02-03 04:05:06 UTC, received 6 times\n"
        "    run r1, chain -1, step 2, attempt 3\n"
        "    understood: so it is"
    )


def test_what_a_letter_does_not_say_is_left_out() -> None:
    nameless = letter(run=None, chain=None, step=None, attempt=None)

    assert text(nameless).splitlines()[2:] == [
        "5b6e, sent 2031-02-03 04:05:06 UTC, received 6 times",
        "    understood: so it is",
    ]


def test_what_is_not_listed_is_told() -> None:
    assert text() == "0 dead letters in steps-dead"
    assert "About 3 more are hidden" in text(hidden=3)
    assert "1 message of other queues" in text(of_other_queues=1)
    assert "There are more" in text(cut_short=True)


def test_nothing_that_a_message_says_reaches_a_terminal_as_it_stands() -> None:
    hostile = letter(run="\x1b]0;owned\x07" * 99, reason="\x1b[31m\nred" * 999, chain=10**4_000)

    shown = text(hostile)

    assert all(line.isprintable() for line in shown.splitlines())
    assert max(len(line) for line in shown.splitlines()) < 500
