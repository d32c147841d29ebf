"""One life of the orchestrator, which ends at its last chain or, between any two of its actions, by what befalls it."""

from __future__ import annotations

import os
from collections.abc import Sequence
from pathlib import Path
from typing import NoReturn, Self

from orchestrator.run.journal import Journal
from orchestrator.run.lines import Line
from stepbench.errors import EnvironmentRefused
from stepbench.queues import Depth, Outgoing, Received
from tests.chaos.schedules.queues import BadQueue
from tests.chaos.schedules.witness import Witness
from tests.chaos.schedules.world import World

INTERRUPTED = 0.15
REFUSED = 0.15
IN_THE_MIDST = 0.5
"""Of a death around a write or a send."""


class Killed(BaseException):
    """By SIGKILL: whatever the product does while this passes through it has no effect any more."""


class Outage(Exception):
    """The transport's own error, which ends an orchestrator too."""


class Life:
    def __init__(self, world: World, *, mortal: bool) -> None:
        self.world = world
        self._mortal = mortal
        self._over = False

    def point(self, where: str) -> None:
        """Between two actions: the world goes on, and this may be the end."""
        self.world.go_on()
        if self.ends():
            self.end(where)

    def observe(self, lines: Sequence[Line], in_flight: int) -> None:
        """What the run's loop calls when it has shown its lines."""
        self.point("after a turn of the loop")

    def ends(self) -> bool:
        """Whether it is to end here."""
        if self._over:
            raise Killed
        return self._mortal and self.world.happens(self.world.profile.orchestrator_death)

    def end(self, where: str) -> NoReturn:
        if self.world.happens(INTERRUPTED):
            self.world.tried["interrupts of the orchestrator"] += 1
            raise KeyboardInterrupt
        if self.world.happens(REFUSED):
            self.world.tried["orchestrators ended by an outage"] += 1
            raise EnvironmentRefused(where) if "write" in where else Outage(where)
        self.kill(where)

    def kill(self, where: str) -> NoReturn:
        self._over = True
        self.world.tried["kills of the orchestrator"] += 1
        self.world.killed_at[where] += 1
        raise Killed


class MortalJournal(Journal):
    """The real journal in a life's hands."""

    def __init__(self, path: Path, life: Life, witness: Witness, *, again: bool = False) -> None:
        super().__init__(path, again=again)
        self._life = life
        self._witness = witness

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        """However a process ends, the kernel closes its files."""
        self.close()

    def write(self, lines: Sequence[Line]) -> None:
        if not lines:
            return
        life = self._life
        life.point("before a write")
        before = self.path.stat().st_size
        super().write(lines)
        if life.ends() and life.world.happens(IN_THE_MIDST):
            # As much of it as the kernel had when the process died: whole lines, and a torn one.
            os.truncate(self.path, life.world.random.randrange(before, self.path.stat().st_size))
            life.kill("in the midst of a write")
        self._witness.wrote(lines)
        life.point("after a write")


class MortalQueue:
    """A queue in a life's hands; see `stepbench.queues.Queue`."""

    def __init__(self, queue: BadQueue, life: Life, witness: Witness, *, carries_steps: bool) -> None:
        self._carries_steps = carries_steps
        self._queue = queue
        self._life = life
        self._witness = witness

    def send(self, messages: Sequence[Outgoing]) -> None:
        life = self._life
        self._witness.sends(messages)
        life.point("before a send")
        if life.ends() and life.world.happens(IN_THE_MIDST):
            self._queue.send(life.world.random.sample(messages, life.world.random.randrange(len(messages))))
            life.end("in the midst of a send")
        self._queue.send(messages)
        life.point("after a send")

    def receive(self, most: int, wait_seconds: float) -> list[Received]:
        life, clock = self._life, self._life.world.clock
        life.point("before a receive")
        until = clock.monotonic() + wait_seconds
        while not (found := self._queue.receive(most, 0)) and (left_seconds := until - clock.monotonic()) > 0:
            life.world.wait(left_seconds)
        self._witness.receives([message.body for message in found])
        life.point("after a receive")
        return found

    def delete(self, receipts: Sequence[str]) -> None:
        life = self._life
        life.point("before a deletion")
        self._witness.deletes(self._queue.bodies(receipts))
        self._queue.delete(receipts)
        life.point("after a deletion")

    def hide(self, receipts: Sequence[str], seconds: int) -> list[str]:
        self._life.point("before a message is handed back")
        return self._queue.hide(receipts, seconds)

    def depth(self) -> Depth:
        self._life.point("before a look at a queue")
        depth = self._queue.depth()
        if self._carries_steps:
            self._witness.looks(depth)
        return depth
