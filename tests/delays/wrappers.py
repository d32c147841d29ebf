"""Puts delays into the program that a process was started for: around functions of ours, each at one place."""

from __future__ import annotations

import os
import time
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any

from tests.delays.places import VARIABLE, Delays, Inside


def put_into(words: Sequence[str]) -> None:
    """As `words`, the process's own, say; nothing into any other program."""
    module = words[words.index("-m") + 1] if "-m" in words[:-1] else ""
    programs = {"orchestrator": _orchestrator, "worker": _worker, "worker.executor": _executor}
    if module in programs:
        programs[module](Delays.read(Path(os.environ[VARIABLE])))


def _orchestrator(delays: Delays) -> None:
    from orchestrator.run.chain import Chains

    def before(_chains: Any, completion: Any, *_: Any) -> None:
        # The time goes by on the way to the next dispatch.
        _sleep(delays, "orchestrator: completion to dispatch", completion.chain, completion.step + 1)

    _around(Chains, "completed", before=before)


def _worker(delays: Delays) -> None:
    from stepbench.executors.process import ExecutorProcess
    from stepbench.messages import StepMessage, parse
    from worker.intake import Intake

    def before(_intake: Any, received: Sequence[Any], *_: Any) -> None:
        for each in received:
            message = parse(StepMessage, each.body)
            _sleep(delays, "worker: before the step", message.chain, message.step)

    def after(_executor: Any, message: Any) -> None:
        _sleep(delays, "worker: after the step", message.chain, message.step)

    _around(Intake, "_admit", before=before)
    _around(ExecutorProcess, "finish", after=after)


def _executor(delays: Delays) -> None:
    from stepbench import payload
    from stepbench.serializers import json
    from worker.steps import payload as step_kind
    from worker.transforms import noop

    under_way: list[Any] = [None]

    def began(step: Any, _timer: Any) -> None:
        under_way[0] = step.message

    def hold(place: Inside, always_seconds: float = 0.0) -> Callable[..., None]:
        def before(*_: Any) -> None:
            message = under_way[0]
            time.sleep(always_seconds)
            _sleep(delays, place, message.chain, message.step)

        return before

    _around(step_kind, "run", before=began)
    _around(json.Json, "decode", before=hold("executor: decode"))
    _around(noop, "apply", before=hold("executor: transform", delays.transform_seconds))
    _around(json.Json, "encode", before=hold("executor: encode"))
    _around(payload, "record_count", before=hold("executor: between phases"))


def _sleep(delays: Delays, place: Inside, chain: int, step: int) -> None:
    if seconds := delays.seconds(place, chain, step):
        time.sleep(seconds)


def _nothing(*_: Any) -> None:
    """Where there is nothing to do."""


def _around(
    owner: Any, name: str, before: Callable[..., None] = _nothing, after: Callable[..., None] = _nothing
) -> None:
    wrapped = getattr(owner, name)

    def around(*arguments: Any) -> Any:
        before(*arguments)
        answer = wrapped(*arguments)
        after(*arguments)
        return answer

    setattr(owner, name, around)
