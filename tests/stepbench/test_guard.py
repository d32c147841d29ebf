"""The guard by which a message is judged outside a worker says what the worker's own says."""

from __future__ import annotations

from dataclasses import asdict
from typing import Any

import pytest

from stepbench import guard
from stepbench.errors import MessageRefused
from tests.factories import make_message, make_output_spec, make_ref
from tests.worker.test_guard import (
    ALLOWED_OBJECTS,
    ALLOWED_QUEUES,
    FIXED_URL,
    FLEET,
    FLEET_WITH_FIXED_QUEUE,
    HOSTILE_OBJECTS,
    HOSTILE_QUEUES,
)


def refusals(guard: Any, uri: str, queue: str) -> list[str]:
    message = make_message(results_queue_url=queue)
    reads = message.model_copy(update={"input": make_ref().model_copy(update={"uri": uri})})
    writes = message.model_copy(update={"output": make_output_spec().model_copy(update={"key_prefix": uri})})
    found = []
    for check, judged in (
        (guard.check_results_queue, message),
        (guard.check_objects, reads),
        (guard.check_objects, writes),
    ):
        try:
            check(judged)
        except MessageRefused as error:
            found.append(str(error))
    return found


@pytest.mark.parametrize("fleet", [FLEET, FLEET_WITH_FIXED_QUEUE], ids=["queue per run", "fixed queue"])
def test_it_refuses_what_a_worker_refuses_in_the_same_words(fleet: Any) -> None:
    same = guard.Guard(**asdict(fleet))
    for uri in (*ALLOWED_OBJECTS, *HOSTILE_OBJECTS.values()):
        assert refusals(same, uri, FIXED_URL) == refusals(fleet, uri, FIXED_URL)
    for queue in (*ALLOWED_QUEUES, *HOSTILE_QUEUES.values(), FIXED_URL):
        assert refusals(same, ALLOWED_OBJECTS[0], queue) == refusals(fleet, ALLOWED_OBJECTS[0], queue)
