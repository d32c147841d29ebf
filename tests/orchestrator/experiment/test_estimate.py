from __future__ import annotations

from pathlib import Path

from orchestrator.experiment import asked, cases, estimate, planning
from orchestrator.experiment.cases import ReadyCase
from tests.orchestrator.experiment.plans import make_end, make_event, write_manifest


def ready(**given: str) -> tuple[ReadyCase, ...]:
    return cases.resolve(asked.request(given)).cases


def test_runs_time_and_bytes_are_told_from_a_small_payload_of_each_format() -> None:
    found = estimate.estimate(ready(SERIALIZER="json,arrow", PAYLOAD_MB="10", STEPS="4"), 3, Path("out"))

    assert found.runs == 6
    assert found.how == "from 1 MB of each format timed here"
    assert 3 * (5 + 2) * 10e6 < found.written_bytes < 3 * 10 * 10e6  # arrow's objects are smaller than json's
    assert found.seconds > 6
    assert found.usd is None


def test_earlier_runs_of_the_same_case_are_believed_more() -> None:
    given = {"SERIALIZER": "json,csv", "PAYLOAD_MB": "0.01"}
    request = asked.request(given)
    plan = planning.new(cases.resolve(request), request)
    ends = [
        make_end(case.name, number).model_copy(update={"seconds": 100.0}) for case in plan.cases for number in (0, 1)
    ]
    write_manifest(Path("out/experiment-1"), plan, *ends, make_event("finished"))

    found = estimate.estimate(ready(**given), 2, Path("out"))

    assert found.how == "from earlier runs of these cases"
    assert 400 <= found.seconds < 410
    assert estimate.estimate(ready(**given | {"STEPS": "7"}), 2, Path("out")).seconds < 100
