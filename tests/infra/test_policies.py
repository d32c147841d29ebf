"""The policies of a stack are those that `python -m orchestrator policy` prints for its dotenv output."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest

from stepbench import env_file, settings
from stepbench.channels import fitted
from stepbench.iam_grants import ROLES, Role
from stepbench.iam_policy import policy
from stepbench.settings import Settings
from tests.infra.rendered import ACCOUNT, REGION, Rendered, rendered

pytestmark = pytest.mark.infra

SMALL = {"launch": "fargate", "cpu": 256, "memory": 512, "max": 1}
KEY = f"arn:aws:kms:{REGION}:{ACCOUNT}:key/1"
STACKS: dict[str, dict[str, Any]] = {
    "as it comes": {},
    "a key": {"kms_key_arn": KEY},
    "a fixed results queue": {"results_queue": True},
    "all of it": {"kms_key_arn": KEY, "results_queue": True, "prefix": "team/runs/", "name": "other"},
}


def printed(role: Role, stack: Rendered, fleet: str) -> dict[str, Any]:
    """What `policy` gives for the settings that the stack tells, with all that a run may switch on."""
    return policy(role, told(stack, fleet), dead_letter_queue=f"{stack.outputs['cluster_name']}-{fleet}-steps-dead")


def told(stack: Rendered, fleet: str, **more: Any) -> Settings:
    lines = stack.outputs["dotenv"].splitlines()
    values: dict[str, Any] = dict(line.split("=", 1) for line in lines if not line.startswith("ORCH_FLEETS="))
    name = stack.outputs["cluster_name"]
    # Stand-ins for AWS give every queue one URL; the names are ours.
    values["ORCH_STEPS_QUEUE_URL"] = f"https://sqs.{REGION}.amazonaws.com/{ACCOUNT}/{name}-{fleet}-steps"
    known = stack.outputs["fleets"][fleet]
    values["ORCH_FLEETS"] = {fleet: known | {"steps_queue_url": values["ORCH_STEPS_QUEUE_URL"]}}
    if "ORCH_RESULTS_QUEUE_URL" in values:
        values["ORCH_RESULTS_QUEUE_URL"] = f"https://sqs.{REGION}.amazonaws.com/{ACCOUNT}/{name}-fixed-results"
    return settings.of_values({**values, "CLEANUP": True, "METRICS_SYNC_SECONDS": 60, **more})


def documents(stack: Rendered) -> dict[str, Any]:
    return {name: json.loads(document) for name, document in stack.outputs["policies"].items()}


@pytest.mark.parametrize("variables", STACKS.values(), ids=STACKS.keys())
def test_the_rendered_policies_are_those_that_the_program_prints(
    infra: Path, tmp_path: Path, variables: dict[str, Any]
) -> None:
    stack = rendered(infra, tmp_path, **variables)
    assert documents(stack) == {
        "worker/small": printed("worker", stack, "small"),
        "orchestrator": printed("orchestrator", stack, "small"),
        "operator": printed("operator", stack, "small"),
    }
    # and what roles are given are these documents
    given = [json.loads(values["policy"]) for values in stack.of_type("aws_iam_role_policy").values()]
    given += [json.loads(values["policy"]) for values in stack.of_type("aws_iam_policy").values()]
    assert all(document in given for document in documents(stack).values())


def test_with_several_fleets_a_worker_has_its_own_queue_and_who_starts_runs_has_all_of_them(
    infra: Path, tmp_path: Path
) -> None:
    stack = rendered(infra, tmp_path, fleets={"one": SMALL, "two": SMALL})
    found = documents(stack)
    assert set(found) == {"worker/one", "worker/two", "orchestrator", "operator"}
    for fleet in ("one", "two"):
        assert found[f"worker/{fleet}"] == printed("worker", stack, fleet)
    for role in ROLES:
        if role != "worker":
            assert found[role] == merged([printed(role, stack, fleet) for fleet in ("one", "two")])


@pytest.mark.parametrize("more", [{}, {"kms_key_arn": KEY, "results_queue": True}], ids=["alone", "with all else"])
def test_a_function_has_what_a_worker_has_but_the_queue_and_who_starts_runs_may_invoke_it(
    infra: Path, tmp_path: Path, more: dict[str, Any]
) -> None:
    stack = rendered(infra, tmp_path, function={"max": 2}, **more)
    found = documents(stack)
    assert found["function"] == policy("worker", fitted(told(stack, "small", CHANNEL="lambda")))
    assert found["worker/small"] == printed("worker", stack, "small")
    for role in ROLES:
        if role != "worker":
            of_function = policy(role, told(stack, "small"), dead_letter_queue="stepbench-function-dead")
            assert found[role] == merged([printed(role, stack, "small"), of_function])
    given = stack.resources["module.iam.aws_iam_role_policy.function[0]"]["policy"]
    assert json.loads(given) == found["function"]


def test_the_policies_of_the_most_and_longest_fleets_fit_what_iam_takes(infra: Path, tmp_path: Path) -> None:
    fleets = {f"a-fleet-called-{letter}": SMALL for letter in "abcdefghij"}
    stack = rendered(
        infra,
        tmp_path,
        name="the-longest-name-yet",
        fleets=fleets,
        region="ap-southeast-2",
        kms_key_arn=KEY,
        function={"max": 1},
    )
    # https://docs.aws.amazon.com/IAM/latest/UserGuide/reference_iam-quotas.html
    assert all(len(document) <= 6_144 for document in stack.outputs["policies"].values())


def merged(policies: list[dict[str, Any]]) -> dict[str, Any]:
    """One policy of several that differ in the queues: where they do, the statement is about all of them."""
    statements = []
    for several in zip(*(document["Statement"] for document in policies), strict=True):
        resources = [statement["Resource"] for statement in several]
        one = several[0] if len(set(resources)) == 1 else several[0] | {"Resource": resources}
        statements.append(one)
    return {"Version": policies[0]["Version"], "Statement": statements}


def test_the_programs_read_the_dotenv_output(infra: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    stack = rendered(infra, tmp_path)
    (tmp_path / ".env").write_text(stack.outputs["dotenv"], encoding="utf-8")
    monkeypatch.chdir(tmp_path)
    read = env_file.read().values
    assert read["ORCH_STEPS_QUEUE_URL"] == stack.outputs["steps_queue_urls"]["small"]
    assert json.loads(read["ORCH_FLEETS"]) == stack.outputs["fleets"]
