from __future__ import annotations

from decimal import Decimal
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from orchestrator.cost import prices
from orchestrator.cost.bill import Tariff, sqs_usd
from orchestrator.cost.costs import Costs, Wanted, costs_of
from orchestrator.cost.prices import Sqs, Tier
from orchestrator.cost.text import dollars, lines_of
from orchestrator.cost.usage import CALLS_OF_A_RUN, Quantity, gets_of, planned, puts_of, usage_of
from orchestrator.report.metrics_file import read
from orchestrator.run.lines import Event
from stepbench.channels import traits
from stepbench.errors import UsageError
from stepbench.messages import PayloadRef
from stepbench.samples import S3Facts, S3Requests
from tests.orchestrator.report.sample_factory import (
    AT,
    MS,
    MadeRun,
    by_function,
    make_failure,
    make_run,
    make_run_line,
    make_sample,
    without_queues,
)

GB = 10**9
PRICES = prices.read()
FIRST = PayloadRef(
    uri="s3://bucket/first",
    object_bytes=GB,
    serialized_bytes=GB,
    checksum="sha256:" + "0" * 64,
    serializer="json",
    compression="none",
)


def four_steps(**settings: Any) -> MadeRun:
    """2 chains of 2 steps of 1 GB and 1 hour each, every one with 100 GETs and 200 PUTs and 25 SQS requests."""
    run = make_run(chains=2, steps=2, finished=False)
    run.lines = [make_run_line(run.plan, S3_PART_MB=100.0, **settings)]
    run.lines.append(Event(event="first_payload", at=AT, duration_ns=1, payload=FIRST))
    facts = S3Facts(get=S3Requests(requests=100), put=S3Requests(requests=200))
    for chain in (1, 2):
        for step in (1, 2):
            told = {"chain": chain, "step": step, "bytes_in": GB, "bytes_out": GB, "s3": facts, "sqs_requests": 25}
            sample = make_sample(**told, begun_at_ns=0, done_at_ns=3_600_000 * MS)
            run.lines += [Event(event="dispatching", at=AT, chain=chain, step=step, attempt=1, epoch=1), sample]
    run.lines.append(Event(event="closing", at=AT, sqs_requests=50))
    return run


def costs(run: MadeRun, folder: Path, **wanted: Any) -> Costs:
    return costs_of([read(run.write(folder))], PRICES, Wanted(**wanted))


def usd(costs: Costs) -> dict[str, Decimal]:
    return {line.what: line.usd for line in costs.runs.lines}


def test_a_bill_is_the_one_that_is_worked_out_by_hand(tmp_path: Path) -> None:
    found = costs(four_steps(EXECUTORS=4), tmp_path, instance_type="c7g.large", keep_days=Decimal(73))
    assert usd(found) == {
        "S3 PUT, POST, LIST": Decimal("0.00406"),  # 4 x 200 and 12 of the first payload, at 0.005 a 1,000
        "S3 GET and others": Decimal("0.00016"),  # 4 x 100 at 0.0004 a 1,000
        "S3 storage": Decimal("0.276"),  # 5 GB for 73 of 730 / 24 days: 12 GB-months at 0.023
        "S3 to compute and back": Decimal(0),
        "SQS, workers": Decimal("0.00004"),  # 100 at 0.40 a million
        "SQS, orchestrator": Decimal("0.00002"),
        "compute, c7g.large": Decimal("0.0725"),  # 4 hours, 4 at once, at 0.0725
    }
    assert found.runs_usd == Decimal("0.35278")
    assert found.per_1000_steps_usd == Decimal("88.195")
    assert {line.what: line.estimated for line in found.runs.lines if line.estimated} == {"S3 PUT, POST, LIST": 12}


def test_a_month_is_the_run_as_often_as_the_rate_says(tmp_path: Path) -> None:
    found = costs(four_steps(), tmp_path, steps_per_hour=Decimal(40))
    assert found.month_usd == found.runs_usd * 10 * 730


def test_an_idle_fleet_polls_three_times_a_minute_and_its_machines_cost_on(tmp_path: Path) -> None:
    found = costs(four_steps(), tmp_path, instance_type="c7g.large")
    assert [(line.amount, line.usd) for line in found.idle_month.lines] == [
        (Decimal(131_400), Decimal("0.05256")),
        (Decimal(730), Decimal("52.925")),
    ]


def test_lambda_costs_by_memory_and_request_and_nothing_while_it_waits(tmp_path: Path) -> None:
    found = costs(four_steps(EXECUTORS=4), tmp_path, instance_type="lambda:1024")
    assert usd(found)["compute, lambda:1024"] == 4 * 3600 * Decimal("0.0000166667") + 4 * Decimal("0.0000002")
    assert len(found.idle_month.lines) == 1


def test_a_bill_says_of_a_function_what_is_not_in_it_and_how_it_reaches_s3(tmp_path: Path) -> None:
    told = " ".join(costs(by_function(make_run()), tmp_path).assumptions)
    assert "add --instance-type lambda:MB" in told
    assert "in no VPC" in told
    assert "gateway endpoint" not in told
    assert "add --instance-type" not in " ".join(
        costs(by_function(make_run()), tmp_path, instance_type="lambda:1024").assumptions
    )
    assert "VPC" not in " ".join(costs(four_steps(), tmp_path).assumptions)


def test_executor_time_of_attempts_that_failed_is_said_to_be_in_no_sum(tmp_path: Path) -> None:
    run = four_steps()
    run.lines.insert(-1, make_failure(1, 1))
    by_machine = " ".join(costs(run, tmp_path, instance_type="c7g.large").assumptions)
    assert "Executor time of 1 attempt that failed is in no sum: no sample" in by_machine
    by_lambda = " ".join(costs(run, tmp_path, instance_type="lambda:1024").assumptions)
    assert "in no sum, as are Lambda's requests for them" in by_lambda


def test_payloads_that_a_run_removed_itself_are_not_said_to_stay(tmp_path: Path) -> None:
    told = " ".join(costs(four_steps(CLEANUP=True), tmp_path).assumptions)
    assert "removed their payloads at their end" in told
    assert "--keep-days" not in told


def test_other_ways_to_s3_are_beside_the_sum(tmp_path: Path) -> None:
    found = costs(four_steps(), tmp_path)
    assert [line.usd for line in found.aside.lines] == [Decimal("0.36"), Decimal("0.08"), Decimal("0.36")]
    assert found.runs_usd < Decimal("0.3")


def test_what_a_file_does_not_tell_is_estimated_and_said_to_be(tmp_path: Path) -> None:
    run = four_steps()
    for sample in run.samples:
        run.replace(sample, sample.model_copy(update={"s3": S3Facts(), "sqs_requests": None}))
    run.lines.pop()  # the orchestrator was killed
    usage = usage_of([read(run.write(tmp_path))])
    assert usage.s3_puts == Quantity(estimated=5 * 12)
    assert usage.s3_gets == Quantity(estimated=4 * 11)
    assert usage.worker_sqs == Quantity(estimated=4 * 3)
    assert usage.orchestrator_sqs == Quantity(estimated=4 * 3)
    told = " ".join(costs(run, tmp_path).assumptions)
    assert "Estimated, not counted: 60 S3 PUT, 44 S3 GET, 12 SQS of workers, 12 SQS of the orchestrator" in told


def test_attempts_that_left_no_sample_are_estimated_up_to_the_phase_they_failed_in(tmp_path: Path) -> None:
    run = four_steps()
    run.lines += [
        make_failure(1, 1, phase="download", worker="w1", sqs_requests=7),
        make_failure(1, 1, 2, phase="upload", worker="w1"),
        make_failure(1, 2, error_class="StepLost", phase=None),
        Event(event="lost", at=AT, chain=1, step=2, attempt=1),
        Event(event="duplicate", at=AT, chain=1, step=2, attempt=1),
    ]
    usage = usage_of([read(run.write(tmp_path))])
    assert usage.s3_puts == Quantity(counted=800, estimated=12 + 12 + 12 + 12)
    assert usage.s3_gets == Quantity(counted=400, estimated=11 + 11 + 11 + 11)
    assert usage.worker_sqs == Quantity(counted=107, estimated=3)


def test_each_incarnation_of_the_orchestrator_tells_or_is_estimated(tmp_path: Path) -> None:
    run = four_steps()
    run.lines[-1:] = [
        Event(event="interrupted", at=AT, sqs_requests=10),
        Event(event="resumed", at=AT, epoch=2),
        Event(event="dispatching", at=AT, chain=1, step=2, attempt=1, epoch=2),
        Event(event="resumed", at=AT, epoch=3),
        Event(event="closing", at=AT, sqs_requests=20),
    ]
    assert usage_of([read(run.write(tmp_path))]).orchestrator_sqs == Quantity(counted=30, estimated=3)


def test_a_run_that_was_cleaned_up_stores_nothing(tmp_path: Path) -> None:
    assert usage_of([read(four_steps(CLEANUP=True).write(tmp_path))]).stored_bytes == 0


def test_a_run_without_a_step_has_a_bill_and_no_price_of_a_step(tmp_path: Path) -> None:
    run = make_run(finished=False)
    del run.lines[1:]
    found = costs(run, tmp_path, steps_per_hour=Decimal(10))
    assert found.runs_usd == 0
    assert found.per_1000_steps_usd is None
    assert found.month is None
    assert any("cost so far" in sentence for sentence in found.assumptions)
    assert "per 1,000 steps" not in "\n".join(lines_of(found))


def test_an_embedded_run_is_costed_as_if_on_aws_and_says_so(tmp_path: Path) -> None:
    assert "As if on AWS" in "\n".join(lines_of(costs(four_steps(), tmp_path)))
    on_aws = four_steps()
    on_aws.plan = on_aws.plan.model_copy(update={"environment": "aws"})
    on_aws.lines[0] = make_run_line(on_aws.plan)
    assert "As if on AWS" not in "\n".join(lines_of(costs(on_aws, tmp_path)))


def test_the_region_is_the_runs_own_unless_it_is_told(tmp_path: Path) -> None:
    run = four_steps(AWS_REGION="eu-central-1")
    assert costs(run, tmp_path).region == "eu-central-1"
    assert costs(run, tmp_path, region="us-west-2").region == "us-west-2"
    assert costs(four_steps(), tmp_path).region == "us-east-1"
    with pytest.raises(UsageError, match="--region mars-1 has no prices; the price file has us-east-1"):
        costs(run, tmp_path, region="mars-1")
    with pytest.raises(UsageError, match="the runs were in mars-1, which has no prices; --region names one of"):
        costs(four_steps(AWS_REGION="mars-1"), tmp_path)


def test_what_a_run_would_cost_is_told_before_it(tmp_path: Path) -> None:
    usage = planned(4, GB, 100_000_000, traits("sqs"))
    assert (usage.s3_puts, usage.s3_gets) == (Quantity(estimated=5 * 12 + CALLS_OF_A_RUN), Quantity(estimated=4 * 11))
    assert usage.stored_bytes == usage_of([read(four_steps().write(tmp_path))]).stored_bytes
    bill = Tariff(PRICES.regions["us-east-1"], Decimal(0), None, None).bill(usage)
    assert bill.usd == Decimal("0.00035") + Decimal("0.0000176") + Decimal("0.0000136")


def test_a_run_with_keys_of_kms_says_that_those_are_not_counted(tmp_path: Path) -> None:
    run = four_steps()
    run.plan = run.plan.model_copy(update={"sse": "kms"})
    run.lines[0] = make_run_line(run.plan)
    assert any("SSE=kms" in sentence for sentence in costs(run, tmp_path).assumptions)
    assert not any("SSE=kms" in sentence for sentence in costs(four_steps(), tmp_path).assumptions)


def test_dollars_are_exact_texts_in_json_and_come_back(tmp_path: Path) -> None:
    found = costs(four_steps(), tmp_path)
    text = found.model_dump_json()
    assert f'"runs_usd":"{found.runs_usd}"' in text
    assert Costs.model_validate_json(text) == found


TIERS = Sqs(per_million=(Tier(up_to=10, usd=Decimal(3)), Tier(up_to=30, usd=Decimal(2)), Tier(usd=Decimal(1))))


@pytest.mark.parametrize(("requests", "micro_usd"), [(0, 0), (1, 3), (10, 30), (11, 32), (30, 70), (31, 71)])
def test_each_request_costs_what_its_tier_says(requests: int, micro_usd: int) -> None:
    assert sqs_usd(TIERS, Decimal(requests)) * 1_000_000 == micro_usd


@given(st.integers(0, 10**15), st.integers(0, 10**15))
def test_more_requests_never_cost_less(one: int, other: int) -> None:
    first, second = sorted((one, other))
    assert sqs_usd(TIERS, Decimal(first)) <= sqs_usd(TIERS, Decimal(second))


@pytest.mark.parametrize(
    ("object_bytes", "puts", "gets"), [(0, 1, 1), (100, 1, 1), (101, 4, 3), (200, 4, 3), (201, 5, 4)]
)
def test_an_object_above_the_size_of_a_part_takes_its_parts_and_what_holds_them_together(
    object_bytes: int, puts: int, gets: int
) -> None:
    assert (puts_of(object_bytes, 100), gets_of(object_bytes, 100)) == (puts, gets)


@pytest.mark.parametrize(
    ("usd", "text"),
    [("0", "$0"), ("0.00000123", "$0.00000123"), ("0.0725", "$0.0725"), ("0.996", "$1.00"), ("1234.565", "$1,234.56")],
)
def test_dollars_are_shown_to_the_cent_or_to_three_figures(usd: str, text: str) -> None:
    assert dollars(Decimal(usd)) == text


def test_a_run_without_queues_sends_nothing_to_sqs_and_leaves_no_worker_that_polls(tmp_path: Path) -> None:
    run = without_queues(four_steps())
    found = costs(run, tmp_path)
    assert found.usage.orchestrator_sqs == Quantity()
    assert (found.idle_workers, found.idle_month_usd) == (0, Decimal(0))
    assert "idle" not in "\n".join(lines_of(found))
    expected = planned(6, 100, 1_000, traits("direct"))
    assert (expected.worker_sqs, expected.orchestrator_sqs, expected.workers) == (Quantity(), Quantity(), 0)


def test_a_function_sends_completions_and_polls_nothing(tmp_path: Path) -> None:
    expected = planned(6, 100, 1_000, traits("lambda"))
    assert expected.worker_sqs == Quantity(estimated=6)
    assert expected.orchestrator_sqs == Quantity(estimated=6 * 2 + CALLS_OF_A_RUN), "each is received and deleted"
    assert expected.workers == 0
