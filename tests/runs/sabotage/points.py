"""The points of each program at which it looks for an order; see `tests.runs.sabotage.orders`.

before X, after X   every call X of AWS's (SendMessage, PutObject, …); a receive that brought nothing has no `after`
orchestrator        before, in (half a line on disk) and after the writing of a line of each kind; around the first
                    payload's upload
worker              around the hand-over of a step to an executor, and after an executor is done with one
executor            before, in and after each phase; after it has told that a step is done
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from contextlib import AbstractContextManager, contextmanager
from typing import Any

from tests.runs.sabotage.orders import ORDERS, is_due, obey

PROGRAMS = {
    "orchestrator": "orchestrator",
    "orchestrator.run.first_payload": "maker",
    "worker": "worker",
    "worker.executor": "executor",
}
"""What is started with `-m`, and what it is called in the points' names."""


def put_into(words: Sequence[str]) -> None:
    """The points of the program that this process was started for, as its words say; none of any other."""
    module = words[words.index("-m") + 1] if "-m" in words[:-1] else ""
    if module not in PROGRAMS:
        return
    _around_aws_calls(PROGRAMS[module])
    special = {"orchestrator": _orchestrator, "worker": _worker, "worker.executor": _executor}
    special.get(module, lambda: None)()


def _around_aws_calls(program: str) -> None:
    from botocore.client import BaseClient

    call: Any = BaseClient._make_api_call  # type: ignore[attr-defined] # not in its stubs

    def pointed(self: Any, operation: str, parameters: dict[str, Any]) -> Any:
        obey(f"{program} before {operation}")
        answer = call(self, operation, parameters)
        if operation != "ReceiveMessage" or answer.get("Messages"):
            obey(f"{program} after {operation}")
        return answer

    BaseClient._make_api_call = pointed  # type: ignore[attr-defined] # see above


def _orchestrator() -> None:
    from orchestrator.run.first_payload import FirstPayload
    from orchestrator.run.journal import Journal

    _between(Journal, "write", _around_write)
    _between(FirstPayload, "upload", lambda *_: _around("orchestrator", "the upload of the first payload"))


def _worker() -> None:
    from stepbench.executors.process import ExecutorProcess

    _between(ExecutorProcess, "begin", lambda *_: _around("worker", "a step is handed over"))
    _between(ExecutorProcess, "finish", lambda *_: _around("worker", "a step is done"))


def _executor() -> None:
    from stepbench import timing
    from stepbench.peak_memory import PeakMemory

    class PointedTimer(timing.PhaseTimer):
        @contextmanager
        def __call__(self, phase: Any) -> Iterator[None]:
            obey(f"executor before {phase}")
            with super().__call__(phase):
                obey(f"executor in {phase}")
                yield
            obey(f"executor after {phase}")

    timing.PhaseTimer = PointedTimer  # type: ignore[misc] # for whoever imports it from now on
    _between(PeakMemory, "reset", _after_a_step)


@contextmanager
def _after_a_step(memory: Any) -> Iterator[None]:
    """What an executor does when it has told of a step, and once before its first."""
    if hasattr(memory, "pointed"):
        obey("executor after a step is told")
    memory.pointed = True
    yield


@contextmanager
def _around(program: str, deed: str) -> Iterator[None]:
    obey(f"{program} before {deed}")
    yield
    obey(f"{program} after {deed}")


@contextmanager
def _around_write(journal: Any, lines: Sequence[Any]) -> Iterator[None]:
    kinds = list(dict.fromkeys(_kind(line) for line in lines))
    for kind in kinds:
        obey(f"orchestrator before writing {kind}")
        for what, act in ORDERS.items():
            if is_due(what, f"orchestrator in writing {kind}"):
                with journal.path.open("ab") as file:
                    file.write(_half(lines, kind))
                act()
    yield
    for kind in kinds:
        obey(f"orchestrator after writing {kind}")


def _kind(line: Any) -> str:
    return str(line.event if line.kind == "event" else line.kind)


def _half(lines: Sequence[Any], kind: str) -> bytes:
    """What the kernel has when the writer dies in the midst of the first line of this kind."""
    written: list[bytes] = [line.model_dump_json().encode() + b"\n" for line in lines]
    torn = [_kind(line) for line in lines].index(kind)
    return b"".join(written[:torn]) + written[torn][: len(written[torn]) // 2]


def _between(owner: type, name: str, points: Callable[..., AbstractContextManager[None]]) -> None:
    """Puts points around a method."""
    method = getattr(owner, name)

    def pointed(self: Any, *arguments: Any) -> Any:
        with points(self, *arguments):
            return method(self, *arguments)

    setattr(owner, name, pointed)
