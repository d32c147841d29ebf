"""Some rounds of the faults between; `python -m tests.chaos faults --rounds N --seed S` plays any others."""

from __future__ import annotations

import threading
from collections.abc import Callable, Iterator
from dataclasses import replace

import pytest

from orchestrator.channels import _results as results_module
from orchestrator.channels._outages import Outages
from orchestrator.run.loop import RunLoop
from orchestrator.s3_copy.objects import Objects
from stepbench import whole_replies
from stepbench.aws import AwsConfig, Clients
from tests.chaos.faults import catalogue, part
from tests.chaos.faults.bench import Bench, bench
from tests.chaos.faults.catalogue import ALL_PAIRS, COPIED, FULL, IN_PARTS, SMALL, Call, Fault, Planned, Round
from tests.chaos.faults.round import play_round
from tests.chaos.figures import Harm, PromiseBroken
from tests.chaos.test_sabotage import Sabotage, accepting_duplicates, performing, setting
from tests.runs import fleet as fleet_module

ENDING = 3
"""The first of some rounds in which a fault lasts until the run ends."""
COPIED_ROUND = 34
"""A renewal of the lease is done twice, and the removal of the copy's parts is answered without being done."""


@pytest.fixture(scope="module")
def place() -> Iterator[Bench]:
    with bench() as made:
        yield made


@pytest.mark.parametrize(("rounds", "seed"), [(2, 1), (1, FULL + ENDING), (1, COPIED_ROUND)])
def test_every_promise_is_kept_whatever_goes_wrong_between(rounds: int, seed: int, place: Bench) -> None:
    figures = part.run_on(place, rounds, seed)
    assert not figures.failures, "\n".join(figures.failures)
    assert figures.tried["faults"] >= rounds


def test_every_fault_is_planned_at_every_call_that_can_meet_it() -> None:
    planned = [each for seed in range(1, FULL + 1) for each in catalogue.of_seed(seed).planned]
    assert {each.pair for each in planned} == ALL_PAIRS
    calls = {call.name: call for recipe in catalogue.RECIPES for call in recipe.calls}
    assert len(ALL_PAIRS) == sum(call.can_meet(fault) for call in calls.values() for fault in catalogue.FAULTS)


def test_a_fault_that_may_end_the_run_keeps_no_other_from_being_met_in_the_first_pass() -> None:
    rounds = [catalogue.of_seed(seed) for seed in range(1, FULL + 1)]
    ending = [each for round_ in rounds for each in round_.planned if each.may_end_the_run]
    assert {(each.call.name, each.after) for each in ending} == {("UploadPart", 2)}, "parts of a step's payload"
    assert any(each.may_end_the_run for seed in range(FULL + 1, 2 * FULL) for each in catalogue.of_seed(seed).planned)


def test_a_seed_repeats_its_round() -> None:
    seeds = range(1, part.ROUNDS + 1)
    assert [catalogue.of_seed(seed) for seed in seeds] == [catalogue.of_seed(seed) for seed in seeds]
    assert catalogue.of_seed(1) != catalogue.of_seed(1 + FULL)


# --- what is broken on purpose is found ---------------------------------------------------------------------------


def one_fault(call: str, fault: Fault, after: int = 0, times: int = 1) -> Round:
    recipe = IN_PARTS if "Part" in call else COPIED if "copy" in call else SMALL
    return Round(0, recipe, (Planned(Call(call), fault, after, times),))


def both(*sabotages: Sabotage) -> Sabotage:
    def do(monkeypatch: pytest.MonkeyPatch) -> None:
        for sabotage in sabotages:
            sabotage(monkeypatch)

    return do


def hanging(_: RunLoop, __: object) -> None:
    threading.Event().wait()


SABOTAGE: dict[str, tuple[Sabotage, Round, Harm, str]] = {
    "a completion is deleted before its sample is written": (
        both(performing(("accept", "write", "send")), setting(results_module, "DELETIONS_LINGER_SECONDS", -1.0)),
        one_fault("GetObject", "delay"),
        "samples lost",
        "is deleted before it is in a line",
    ),
    "a duplicate is accepted": (
        accepting_duplicates,
        one_fault("SendMessageBatch", "done twice"),
        "samples counted twice",
        "(",
    ),
    "a reply that was cut is taken for a whole one": (
        setting(whole_replies, "insist", lambda client: None),
        one_fault("ListObjectsV2", "cut within the headers"),
        "other promises broken",
        "is still there",
    ),
    "parts of the copy stay": (
        setting(Objects, "remove_parts", lambda self, epoch: None),
        one_fault("PutObject of the copy", "delay"),
        "other promises broken",
        "are left of the copy",
    ),
    "an outage ends the run": (
        setting(Outages, "patiently", lambda self, call, *arguments: call(*arguments)),
        one_fault("SendMessageBatch", "503", times=catalogue.SDK_TRIES),
        "other promises broken",
        "the run was refused",
    ),
    "a run hangs": (
        both(setting(RunLoop, "run", hanging), setting(fleet_module, "DEADLINE_SECONDS", 3.0)),
        one_fault("GetObject", "delay"),
        "hangs",
        "did not end",
    ),
}


# A deadline may fall into a callback of a weak reference, out of which nothing is raised; it comes again.
@pytest.mark.filterwarnings("ignore::pytest.PytestUnraisableExceptionWarning")
@pytest.mark.parametrize(("sabotage", "round_", "harm", "words"), SABOTAGE.values(), ids=SABOTAGE.keys())
def test_what_is_broken_on_purpose_is_found(
    sabotage: Sabotage, round_: Round, harm: Harm, words: str, place: Bench, monkeypatch: pytest.MonkeyPatch
) -> None:
    sabotage(monkeypatch)
    figures, _ = play_round(place, round_)
    (text,) = figures.failures
    assert figures.harms == {harm: 1}, text
    assert words in text


Writing = Callable[[Clients, str], None]


def twice(aws: Clients, bucket: str) -> None:
    for _ in range(2):
        aws.s3.put_object(Bucket=bucket, Key="by two calls", Body=b"the same")


def once_with_a_retry(aws: Clients, bucket: str) -> None:
    aws.s3.put_object(Bucket=bucket, Key="by one call", Body=b"the same")


@pytest.mark.parametrize(("write", "harms"), [(twice, ["keys written twice"]), (once_with_a_retry, [])])
def test_a_key_is_written_twice_by_two_calls_and_not_by_two_tries_of_one(
    write: Writing, harms: list[Harm], place: Bench
) -> None:
    here = AwsConfig(region="us-east-1", s3_endpoint_url=place.between.s3_url, max_attempts=3)
    place.between.begin(replace(one_fault("PutObject", "reset after the work")))
    write(Clients(here, keys=("key", "secret")), place.fleet.bucket)
    found: list[PromiseBroken] = place.witness.breaches()
    assert [breach.harm for breach in found] == harms
