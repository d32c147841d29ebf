"""`infra/modules/iam/policies.json`: statements of stepbench.iam_policy, with tokens in place of what a stack names.

Terraform puts its own bucket, queues and key in their place; which statements a stack needs depends on its `cases`.
"""

from __future__ import annotations

import json
from collections.abc import Callable, Iterable, Iterator
from functools import partial
from itertools import product
from typing import Any

from stepbench import settings
from stepbench.channels import fitted
from stepbench.iam_grants import ROLES, Role
from stepbench.iam_policy import policy
from stepbench.settings import Settings

FILE = "infra/modules/iam/policies.json"

_QUEUES = "https://sqs.eu-west-1.amazonaws.com/123456789012"
_ARNS = "arn:aws:sqs:eu-west-1:123456789012"
_OF_ECS = "arn:aws:ecs:eu-west-1:123456789012"
_KEY = "arn:aws:kms:eu-west-1:123456789012:key/0"
_FUNCTION = "arn:aws:lambda:eu-west-1:123456789012:function:function"
_BELOW = "runs/*"
_FLEETS = json.dumps({"fleet": {"steps_queue_url": f"{_QUEUES}/steps", "cluster": "cluster", "service": "service"}})

_TOKENS = {
    f"arn:aws:s3:::bucket/{_BELOW}": "objects",
    "arn:aws:s3:::bucket": "bucket",
    f"{_ARNS}:steps": "steps_queue",
    f"{_ARNS}:dead": "dead_letter_queue",
    f"{_ARNS}:results-*": "results_queues",
    f"{_ARNS}:fixed": "results_queues",
    _KEY: "key",
    _FUNCTION: "function",
    f"{_OF_ECS}:service/cluster/service": "service",
    f"{_OF_ECS}:task/cluster/*": "tasks",
    "*": "everything",
}

_CASES: dict[str, dict[str, Any]] = {
    "key": {"SSE": "kms", "KMS_KEY_ID": _KEY},
    "fixed_results_queue": {"ORCH_RESULTS_QUEUE_URL": f"{_QUEUES}/fixed"},
    "function": {"ORCH_LAMBDA_FUNCTION": _FUNCTION},
}
_Of = Callable[[frozenset[str]], Iterable[dict[str, Any]]]
"""The statements of a role where these cases hold."""
# A stack does not know what its runs will be started with: what these switch on is allowed.
_ALWAYS = {"CLEANUP": True, "METRICS_SYNC_SECONDS": 60}


def text() -> str:
    """The file, whole: a stack's function is a worker too, of another channel."""
    roles = {role: _statements(partial(_of, role), frozenset(_CASES)) for role in ROLES}
    return (
        json.dumps({**roles, "function": _statements(_of_function, frozenset(_CASES) - {"function"})}, indent=2) + "\n"
    )


def _statements(of: _Of, cases: frozenset[str]) -> list[dict[str, Any]]:
    """Every statement of a role in order, each with the names of the cases that it is left out in, or needs."""
    seen: list[tuple[dict[str, Any], list[frozenset[str]]]] = []
    for chosen in _choices(cases):
        position = 0
        for statement in of(chosen):
            known = next((at for at, (other, _) in enumerate(seen) if other == statement), None)
            if known is None:
                seen.insert(position, (statement, []))
                known = position
            seen[known][1].append(chosen)
            position = known + 1
    return [statement | _when(where, cases) for statement, where in seen]


def _choices(cases: frozenset[str]) -> list[frozenset[str]]:
    """Each case with and without each of the others."""
    every = product(*[(None, case) for case in _CASES if case in cases])
    return [frozenset(case for case in chosen if case) for chosen in every]


def _when(where: list[frozenset[str]], cases: frozenset[str]) -> dict[str, Any]:
    """Cases in all of the policies that have a statement, and those in none of them."""
    needs = sorted(frozenset.intersection(*where))
    without = sorted(cases - frozenset.union(*where))
    assert len(where) * 2 ** (len(needs) + len(without)) == 2 ** len(cases), "neither needed nor left out, but both"
    return {"needs": needs, "without": without}


def _of_function(cases: frozenset[str]) -> Iterator[dict[str, Any]]:
    return _told(policy("worker", fitted(_settings(cases | {"function"}, CHANNEL="lambda"))))


def _of(role: Role, cases: frozenset[str]) -> Iterator[dict[str, Any]]:
    return _told(policy(role, _settings(cases), dead_letter_queue="dead"))


def _settings(cases: frozenset[str], **more: Any) -> Settings:
    values: dict[str, Any] = {
        "ORCH_BUCKET": "bucket",
        "ORCH_PREFIX": "runs/${RUN_ID}/",
        "ORCH_STEPS_QUEUE_URL": f"{_QUEUES}/steps",
        "ORCH_FLEETS": _FLEETS,
        "ORCH_RESULTS_QUEUE_PREFIX": "results-",
        **_ALWAYS,
        **more,
    }
    for case in sorted(cases):
        values |= _CASES[case]
    return settings.of_values(values)


def _told(document: dict[str, Any]) -> Iterator[dict[str, Any]]:
    for statement in document["Statement"]:
        condition = json.loads(json.dumps(statement.get("Condition", {})).replace(_BELOW, "{below}"))
        yield {
            "Sid": statement["Sid"],
            "Action": statement["Action"],
            "on": _token(statement),
            "Condition": condition,
        }


def _token(statement: dict[str, Any]) -> str:
    """What terraform knows a statement's resource by. A new kind of resource is a new entry in `_TOKENS`."""
    token = _TOKENS.get(statement["Resource"])
    if token is None:
        raise SystemExit(
            f"{statement['Sid']} is about {statement['Resource']}, which infra/ has no word for: add it to _TOKENS "
            "in scripts/infra/policies.py and to `resources` in infra/modules/iam/main.tf"
        )
    return token
