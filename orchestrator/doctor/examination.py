"""All looks in their order. One that finds something wrong keeps no other from its turn, but for credentials."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator

from orchestrator.doctor import asking, bucket, distance, function, identity, place, steps_queue, workers
from orchestrator.doctor.findings import AnsweringWorker, Check, Diagnosis, note, refused
from orchestrator.doctor.ground import Ground
from orchestrator.doctor.results_queue import NAME as RESULTS_QUEUE
from orchestrator.doctor.results_queue import DoctorsQueue
from orchestrator.report.percentiles import spread
from orchestrator.run import round_trip
from orchestrator.run.site import is_this_machine
from stepbench.settings import Settings


class Examination:
    """Of one fleet. `checks` may be gone through once; `diagnosis` then tells all of it."""

    def __init__(self, settings: Settings, wait_seconds: float, wanted: int | None) -> None:
        """Probes are answered for `wait_seconds` (0: none are sent), or until `wanted` workers have."""
        self._ground = Ground(settings)
        self._wait_seconds = wait_seconds
        self._wanted = wanted
        self._found: list[Check] = []
        self._round_trips_ns: dict[str, tuple[int, ...]] = {}
        self._workers: list[AnsweringWorker] = []

    def checks(self) -> Iterator[Check]:
        """As they are made."""
        for check in self._all():
            self._found.append(check)
            yield check

    def diagnosis(self) -> Diagnosis:
        return Diagnosis(
            ok=all(check.state != "wrong" for check in self._found),
            checks=tuple(self._found),
            round_trips_ns={name: spread(durations) for name, durations in self._round_trips_ns.items()},
            workers=tuple(self._workers),
        )

    def _all(self) -> Iterator[Check]:
        ground = self._ground
        first = list(self._looked(identity.NAME, lambda: [identity.check(ground)]))
        yield from first
        if first[0].state == "wrong":
            yield note("All else", "not looked at: it needs credentials")
            return
        if problems := list(self._looked("Region", self._listening)):
            yield from problems
            yield note("All else", "not looked at: it needs a region")
            return
        yield from self._looked("Region", lambda: [place.region(ground)])
        yield place.clock(ground)
        yield from self._looked("Bucket", lambda: bucket.checks(ground, self._round_trips_ns))
        if ground.has_steps_queue:
            yield from self._looked("Steps queue", lambda: steps_queue.checks(ground))
            yield from self._looked("SQS round trip", self._measured)
        if ground.has_function:
            yield from self._looked(function.NAME, lambda: function.checks(ground))
        yield from distance.checks(self._round_trips_ns, here=is_this_machine(ground.settings))
        if ground.has_steps_queue or ground.has_function:
            yield from self._answers()
        else:
            yield note("Queues", f"not looked at: CHANNEL={ground.settings.channel} has none, and no workers")

    def _listening(self) -> Iterable[Check]:
        self._ground.listen()
        return ()

    def _measured(self) -> Iterable[Check]:
        ground = self._ground
        self._round_trips_ns["sqs"] = round_trip.to_sqs(ground.clients.sqs, ground.steps_queue_url)
        return ()

    def _answers(self) -> Iterator[Check]:
        queue = DoctorsQueue(self._ground)
        try:
            yield from self._looked(RESULTS_QUEUE, queue.checks)
            if not self._wait_seconds:
                yield note(workers.NAME, "not asked: --wait 0")
            elif queue.answers:
                yield from self._looked(workers.NAME, lambda: self._asked(queue))
            else:
                yield note(workers.NAME, "not asked: they have no results queue to answer to")
        finally:
            left = queue.close()
        if left is not None:
            yield left

    def _asked(self, queue: DoctorsQueue) -> Iterable[Check]:
        asked = asking.ask(self._ground, queue, self._wait_seconds, self._wanted)
        self._workers = asked.workers
        return asked.checks

    def _looked(self, name: str, look: Callable[[], Iterable[Check]]) -> Iterator[Check]:
        """What it finds; what keeps it from looking is something wrong too."""
        try:
            yield from look()
        except Exception as error:
            check = refused(name, error, self._ground.settings)
            if check is None:
                raise
            yield check
