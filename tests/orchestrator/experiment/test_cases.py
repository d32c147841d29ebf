from __future__ import annotations

from typing import Any

import pytest

from orchestrator.experiment import asked, cases, planning
from orchestrator.experiment.cases import Resolved
from orchestrator.experiment.names import names_of
from stepbench.errors import UsageError

AWS = {"ORCH_BUCKET": "payloads", "ORCH_STEPS_QUEUE_URL": "https://sqs.eu-west-1.amazonaws.com/123456789012/steps"}


def resolved(*, baseline: str | None = None, **given: str) -> Resolved:
    return cases.resolve(asked.request(given, baseline=baseline))


def problems_of(**given: str) -> tuple[str, ...]:
    with pytest.raises(UsageError) as caught:
        resolved(**given)
    return caught.value.problems


def names(**given: str) -> list[str]:
    return [case.name for case in resolved(**given).cases]


def test_lists_make_their_cross_product_in_one_order_whatever_the_order_of_the_flags() -> None:
    expected = ["json none 1 MB", "json none 2 MB", "json zstd:3 1 MB", "json zstd:3 2 MB"]

    assert names(SERIALIZER="json", COMPRESSION="none,zstd:3", PAYLOAD_MB="1,2") == [
        name.removeprefix("json ") for name in expected
    ]
    assert names(PAYLOAD_MB="1,2", COMPRESSION="none,zstd", SERIALIZER="json,csv")[:4] == expected


def test_any_setting_of_a_run_makes_cases() -> None:
    assert names(EXECUTORS="1,2", GC="normal,off") == [
        "gc normal executors 1",
        "gc normal executors 2",
        "gc off executors 1",
        "gc off executors 2",
    ]


def function_arn(name: str, region: str = "eu-west-1") -> str:
    return f"arn:aws:lambda:{region}:123456789012:function:{name}"


def test_functions_are_called_by_their_names_and_by_their_regions_where_those_are_the_same() -> None:
    lists = {"ORCH_BUCKET": "payloads", "CHANNEL": "lambda", "SERIALIZER": "json,parquet"}
    two = f"{function_arn('stepbench-workers-512')},{function_arn('stepbench-workers-1024')}"
    far = f"{function_arn('workers')},{function_arn('workers', 'us-east-1')}"

    assert names(**lists, ORCH_LAMBDA_FUNCTION=two) == [
        f"{serializer} lambda-function stepbench-workers-{size}"
        for serializer in ("json", "parquet")
        for size in (512, 1024)
    ]
    assert names(ORCH_BUCKET="payloads", CHANNEL="lambda", ORCH_LAMBDA_FUNCTION=far) == [
        "lambda-function workers eu-west-1",
        "lambda-function workers us-east-1",
    ]


def test_a_name_is_cut_only_where_it_stays_a_name_of_its_own() -> None:
    long = [f"{'x' * 90}{letter}" for letter in "ab"]

    assert names_of([{"ORCH_FLEET": name} for name in long], ["ORCH_FLEET"]) == long
    assert names_of([{"ORCH_FLEET": long[0]}, {"ORCH_FLEET": "b"}], ["ORCH_FLEET"]) == ["x" * 80, "b"]


@pytest.mark.parametrize("given", [{"SERIALIZER": "csv"}, {"SERIALIZER": "json,json"}, {}])
def test_one_case_alone_is_refused(given: dict[str, str]) -> None:
    assert "there is one case, and no other to compare it with" in problems_of(**given)[-1]


def test_stability_is_refused_where_there_are_too_few_rounds_for_it() -> None:
    given = {"SERIALIZER": "json,csv"}
    with pytest.raises(UsageError, match="with --repeats 4 there are fewer"):
        cases.resolve(asked.request(given, repeats="4", until_stable="2%"))

    assert asked.request(given, repeats="5", until_stable="2%").problems == ()
    assert asked.request(given, until_stable="2%").problems == ()


@pytest.mark.parametrize(
    ("flags", "to_see", "repeats"),
    [
        ({}, 0.05, 500),
        ({"repeats": "7"}, None, 7),
        ({"until_stable": "2%"}, None, 500),
        ({"to_see": "2%"}, 0.02, 500),
        ({"to_see": "2%", "repeats": "40"}, 0.02, 40),
    ],
)
def test_unless_a_number_of_rounds_is_asked_for_there_are_as_many_as_it_takes(
    flags: dict[str, Any], to_see: float | None, repeats: int
) -> None:
    request = asked.request({"SERIALIZER": "json,csv"}, **flags)

    plan = planning.new(cases.resolve(request), request)

    assert (plan.to_see, plan.repeats) == (to_see, repeats)


def test_what_is_to_be_seen_is_refused_where_there_are_too_few_rounds_to_look() -> None:
    with pytest.raises(
        UsageError, match=r"--to-see \(to_see in a plan\): looks at 10 rounds at least, and with --repeats 9 there"
    ):
        cases.resolve(asked.request({"SERIALIZER": "json,csv"}, repeats="9", to_see="5%"))


def test_payloads_of_every_case_are_removed_when_its_run_ends() -> None:
    assert all(case.settings.cleanup for case in resolved(SERIALIZER="json,raw").cases)


def test_combinations_that_make_no_sense_are_left_out_and_told() -> None:
    found = resolved(SERIALIZER="json,arrow,raw", MATERIALIZE="native,rows")

    assert [case.name for case in found.cases] == ["json native", "arrow native", "arrow rows", "raw native"]
    assert found.skipped == (
        "json with --materialize rows is left out: it makes rows anyway, as with native",
        "raw with --materialize rows is left out: it carries bytes, which have no rows",
    )


def test_rows_alone_are_a_case_of_their_own_for_what_makes_rows_anyway() -> None:
    assert names(SERIALIZER="json,arrow", MATERIALIZE="rows") == ["json", "arrow"]


def test_the_same_combination_twice_is_run_once() -> None:
    found = resolved(COMPRESSION="zstd,zstd:3,none")

    assert [case.name for case in found.cases] == ["zstd:3", "none"]
    assert found.skipped == ("zstd:3 stands there twice, and is run as one case",)


def test_nothing_left_to_run_is_told() -> None:
    assert problems_of(SERIALIZER="raw", MATERIALIZE="rows")[-1] == "no case is left to run"


def test_wrong_values_are_told_once_however_many_cases_have_them() -> None:
    assert [
        problem.partition(":")[0] for problem in problems_of(SERIALIZER="json,arow", PAYLOAD_MB="1,0", STEPS="x")
    ] == [
        "--steps x",
        "--payload-mb 0",
        "--serializer arow",
    ]


def test_wrong_flags_of_the_experiment_hide_no_wrong_values_of_its_cases() -> None:
    given = {"SERIALIZER": "json,jsn", "COMPRESSION": "zstd:99", "STEPS": "1,,x"}

    with pytest.raises(UsageError) as caught:
        cases.resolve(asked.request(given, repeats="0", until_stable="x"))

    assert [problem.partition(":")[0] for problem in caught.value.problems] == [
        "--repeats",
        "--until-stable",
        "--steps 1,,x",
        "--compression zstd",
        "--steps x",
        "--serializer jsn",
    ]


def test_an_empty_place_in_a_list_is_told() -> None:
    assert problems_of(STEPS="1,,2") == ("--steps 1,,2: has an empty place between two commas, or at an end",)


def test_too_many_cases_are_refused_before_any_is_looked_at() -> None:
    lists = ",".join(map(str, range(1, 101)))

    assert "make 10,000 cases" in problems_of(STEPS=lists, CHAINS=lists)[0]


def test_settings_of_workers_are_refused_where_the_workers_are_not_ours() -> None:
    told = problems_of(**AWS, EXECUTORS="1,2", SERIALIZER="json,csv")

    assert [problem.partition(":")[0] for problem in told] == ["--executors 1", "--executors 2"]
    assert "compare --fleet (ORCH_FLEET)" in told[0]


def test_settings_of_a_run_make_cases_on_aws_too() -> None:
    assert names(**AWS, SERIALIZER="json,csv") == ["json", "csv"]


def test_the_baseline_is_the_first_case_or_the_one_that_is_named() -> None:
    assert resolved(SERIALIZER="json,csv").baseline == "json"
    assert resolved(SERIALIZER="json,csv", baseline="csv").baseline == "csv"
    with pytest.raises(UsageError, match=r"--baseline: 'cvs' is not one of json, csv; did you mean csv\?"):
        resolved(SERIALIZER="json,csv", baseline="cvs")
