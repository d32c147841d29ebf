"""How far away SQS and S3 are from here."""

from __future__ import annotations

from collections.abc import Iterator, Mapping

from orchestrator.doctor.findings import Check, note, ok
from orchestrator.report import units
from orchestrator.report.percentiles import spread
from orchestrator.run import round_trip

NAMES = {"sqs": "SQS round trip", "s3": "S3 round trip"}


def checks(round_trips_ns: Mapping[str, tuple[int, ...]], *, here: bool) -> Iterator[Check]:
    """Of those that answered. `here`: they are on this machine, and slow is not far."""
    for service, name in NAMES.items():
        if durations := round_trips_ns.get(service):
            found = f"median {units.duration(spread(durations).p50)} of {len(durations)} calls, {_between(durations)}"
            if service == "sqs" and not here and round_trip.is_far(durations):
                yield note(name, f"{found}; one is in every step's transit", round_trip.MEND)
            else:
                yield ok(name, found)


def _between(durations: tuple[int, ...]) -> str:
    return f"{units.duration(min(durations))} to {units.duration(max(durations))}"
