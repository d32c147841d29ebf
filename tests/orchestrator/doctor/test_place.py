from __future__ import annotations

from email.utils import formatdate
from time import time

import pytest

from orchestrator.doctor import place
from orchestrator.doctor.ground import Ground
from stepbench.settings import of_values

SETTINGS = {"ORCH_BUCKET": "b", "ORCH_STEPS_QUEUE_URL": "https://sqs.eu-west-1.amazonaws.com/123456789012/steps"}


def heard(*behind_seconds: float) -> Ground:
    """Servers whose clocks are so far behind ours."""
    ground = Ground(of_values(SETTINGS))
    for seconds in behind_seconds:
        ground.replies.hear(response_dict={"headers": {"Date": formatdate(time() - seconds, usegmt=True)}})
    return ground


@pytest.mark.parametrize(
    ("behind", "state", "told"),
    [
        ((0.0,), "ok", ""),
        ((20.0,), "note", "20 s ahead of"),
        ((-20.0,), "note", "behind"),
        ((0.0, 400.0, 400.0), "wrong", "400 s ahead of"),
        ((-400.0,), "wrong", "behind"),
        ((), "note", "no reply"),
    ],
)
def test_a_clock_is_held_against_the_dates_of_replies(behind: tuple[float, ...], state: str, told: str) -> None:
    check = place.clock(heard(*behind))
    assert check.state == state
    assert told in check.found
    assert ("chrony" in (check.mend or "")) is (state != "ok" and behind != ())


@pytest.mark.parametrize("response", [None, {}, {"headers": {}}, {"headers": {"Date": "soon"}}])
def test_a_reply_that_tells_no_time_is_passed_over(response: dict[str, object] | None) -> None:
    ground = Ground(of_values(SETTINGS))
    ground.replies.hear(response_dict=response)
    assert ground.replies.skew_seconds() is None
