"""What runs may differ in that makes them other cases, and what makes their figures hard to hold against each other."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence
from typing import Any

from orchestrator.report.metrics_file import MetricsFile
from orchestrator.run.plan import Plan

OF_THE_PLAN = (
    "serializer",
    "compression",
    "s3_client",
    "materialize",
    "transform",
    "channel",
    "payload_mb",
    "payload_file",
    "compressibility",
    "concurrency",
    "chains",
    "steps",
    "gc",
    "sse",
    "environment",
)
OF_THE_SETTINGS = ("AWS_REGION", "EXECUTORS", "S3_PART_MB", "S3_PART_CONCURRENCY")
DONE_BY = "function or steps queue"
"""Who does the steps, where a channel has several to choose from."""


def choices(file: MetricsFile) -> dict[str, object]:
    """What a person chose, as far as it tells cases apart."""
    plan = file.run.plan
    return {
        **{name: getattr(plan, name) for name in OF_THE_PLAN},
        **plan.transform_parameters,
        **{name.lower(): file.run.settings.get(name) for name in OF_THE_SETTINGS},
        DONE_BY: _done_by(plan),
    }


def differing(files: Sequence[MetricsFile]) -> list[str]:
    """Names of choices that are not the same for all `files`."""
    found = [choices(file) for file in files]
    differ = [name for name in _names(found) if len({str(each.get(name)) for each in found}) > 1]
    by_channel = {(each["channel"], each[DONE_BY]) for each in found}
    is_told_by_channel = len(by_channel) == len({channel for channel, _ in by_channel})
    return [name for name in differ if name != DONE_BY or not is_told_by_channel]


def unlike(files: Sequence[MetricsFile]) -> Iterator[str]:
    """A sentence each for versions and for machines that are not the same: nobody chose them to be compared."""
    if versions := _values([file.run.versions for file in files]):
        yield (
            f"The runs were made with different versions ({_listed(versions)}): a difference between them may be "
            "that of the versions; run them again with one."
        )
    leave_out = () if any(file.run.environment == "embedded" for file in files) else ("host",)
    if machines := _values([{k: v for k, v in file.run.machine.items() if k not in leave_out} for file in files]):
        yield (
            f"The runs were started on different machines ({_listed(machines)}): a difference between them may be "
            "that of the machines; run them again on one."
        )


def _done_by(plan: Plan) -> str:
    """Of a function its name, with the version that may stand behind it; of a queue its name: hosts and ports vary."""
    if plan.lambda_function is not None:
        return plan.lambda_function.partition(":function:")[2] or plan.lambda_function
    return (plan.steps_queue_url or "").rpartition("/")[2]


def _values(found: Sequence[Mapping[str, Any]]) -> dict[str, list[str]]:
    """By name, what is told of it, where that differs; a file that does not tell of a name differs in nothing."""
    told = {name: list(dict.fromkeys(str(each[name]) for each in found if name in each)) for name in _names(found)}
    return {name: values for name, values in told.items() if len(values) > 1}


def _listed(values: Mapping[str, Sequence[str]]) -> str:
    return "; ".join(f"{name.replace('_', ' ')} {' and '.join(texts)}" for name, texts in values.items())


def _names(found: Iterable[Mapping[str, object]]) -> list[str]:
    return list(dict.fromkeys(name for each in found for name in each))
