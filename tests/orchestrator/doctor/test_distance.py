from __future__ import annotations

from orchestrator.doctor.distance import checks

FAR, NEAR = (84_000_000,) * 5, (4_000_000, 4_000_000, 5_000_000, 6_000_000, 90_000_000)


def test_a_far_sqs_is_told_with_what_mends_it() -> None:
    sqs, s3 = checks({"s3": FAR, "sqs": FAR}, here=False)
    assert (sqs.name, sqs.state, s3.state) == ("SQS round trip", "note", "ok")
    assert "scripts/run-on-aws" in (sqs.mend or "")


def test_a_near_one_is_told_with_its_spread() -> None:
    (sqs,) = checks({"sqs": NEAR}, here=False)
    assert (sqs.state, sqs.found) == ("ok", "median 5.00 ms of 5 calls, 4.00 ms to 90.0 ms")


def test_a_slow_emulator_on_this_machine_is_no_distance() -> None:
    (sqs,) = checks({"sqs": FAR}, here=True)
    assert sqs.state == "ok"
