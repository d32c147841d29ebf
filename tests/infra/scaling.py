"""A fleet's scaling in time, from the numbers that terraform renders: minute by minute, without a clock.

What AWS does with them, as far as it is documented:

* SQS and ECS publish a number a minute; a service without tasks publishes none, and SQS none for a queue that slept.
* An alarm is on when its latest `datapoints_to_alarm` numbers all breach; its action comes again every minute.
* Step scaling adds what the metric's distance from the threshold says. Within the cooldown the same step adds no more.
  https://docs.aws.amazon.com/autoscaling/application/userguide/step-scaling-policy-overview.html
* Target tracking makes two alarms: above the target for 3 minutes, below 90 % of it for 15. The new count is the
  present one times metric / target, rounded up.
  https://docs.aws.amazon.com/autoscaling/application/userguide/target-tracking-scaling-policy-overview.html
"""

from __future__ import annotations

import ast
import math
import operator
from collections import defaultdict
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import Any

from tests.infra.rendered import Rendered

TRACKING_HIGH_MINUTES = 3
TRACKING_LOW_MINUTES = 15
TRACKING_LOW_SHARE = 0.9

Metrics = Mapping[str, float | None]
"""By the names that expressions use; None: not published."""


@dataclass(frozen=True)
class Alarm:
    expression: str
    threshold: float
    minutes: int

    @classmethod
    def of(cls, values: dict[str, Any]) -> Alarm:
        assert values["comparison_operator"] == "GreaterThanOrEqualToThreshold"
        assert values["treat_missing_data"] == "notBreaching"
        assert values["evaluation_periods"] == values["datapoints_to_alarm"]
        metrics = [query["metric"][0] for query in values["metric_query"] if query["metric"]]
        assert {metric["period"] for metric in metrics} == {60}
        (expression,) = (query["expression"] for query in values["metric_query"] if query["return_data"])
        return cls(expression, float(values["threshold"]), int(values["evaluation_periods"]))

    def value(self, metrics: Metrics) -> float | None:
        return evaluate(self.expression, metrics)

    def is_on(self, history: list[Metrics]) -> bool:
        latest = [self.value(metrics) for metrics in history[-self.minutes :]]
        return len(latest) == self.minutes and all(value is not None and value >= self.threshold for value in latest)


@dataclass(frozen=True)
class Rules:
    """One fleet's, as they stand in the rendered stack."""

    most: int
    from_zero: Alarm
    steps: list[dict[str, Any]]
    from_zero_cooldown_minutes: float
    to_zero: Alarm
    expression: str
    target: float
    out_cooldown_minutes: float
    shrinks: bool
    in_cooldown_minutes: float

    @classmethod
    def of(cls, stack: Rendered, fleet: str) -> Rules:
        def get(resource: str) -> dict[str, Any]:
            return stack.resources[f'module.fleets.{resource}["{fleet}"]']

        target = get("aws_appautoscaling_target.worker")
        assert target["min_capacity"] == 0
        out = get("aws_appautoscaling_policy.from_zero")["step_scaling_policy_configuration"][0]
        assert out["adjustment_type"] == "ChangeInCapacity"
        zero = get("aws_appautoscaling_policy.to_zero")["step_scaling_policy_configuration"][0]
        assert zero["adjustment_type"] == "ExactCapacity"
        assert [step["scaling_adjustment"] for step in zero["step_adjustment"]] == [0]
        tracking = get("aws_appautoscaling_policy.backlog")["target_tracking_scaling_policy_configuration"][0]
        metrics = tracking["customized_metric_specification"][0]["metrics"]
        (expression,) = (metric["expression"] for metric in metrics if metric["return_data"])
        return cls(
            most=target["max_capacity"],
            from_zero=Alarm.of(get("aws_cloudwatch_metric_alarm.from_zero")),
            steps=out["step_adjustment"],
            from_zero_cooldown_minutes=out["cooldown"] / 60,
            to_zero=Alarm.of(get("aws_cloudwatch_metric_alarm.to_zero")),
            expression=expression,
            target=tracking["target_value"],
            out_cooldown_minutes=tracking["scale_out_cooldown"] / 60,
            shrinks=not tracking["disable_scale_in"],
            in_cooldown_minutes=(tracking["scale_in_cooldown"] or 0) / 60,
        )

    def step_for(self, value: float) -> int:
        """How many are added for a metric of `value`."""
        above = value - self.from_zero.threshold
        (found,) = (step["scaling_adjustment"] for step in self.steps if _reaches(step, above))
        return int(found)


@dataclass
class Scaler:
    """What Application Auto Scaling does with the rules: told the metrics of each minute, it sets `desired`."""

    rules: Rules
    desired: int = 0
    _history: list[Metrics] = field(default_factory=list)
    _minute: int = 0
    _last: dict[str, float] = field(default_factory=lambda: defaultdict(lambda: -math.inf))

    def minute(self, metrics: Metrics) -> None:
        self._minute += 1
        self._history.append(metrics)
        wanted = [count for count in (self._tracked(), self._from_zero()) if count is not None]
        if wanted:
            self.desired = max(0, min(self.rules.most, max(wanted)))
        elif self.rules.to_zero.is_on(self._history):
            self.desired = 0

    def _from_zero(self) -> int | None:
        rules = self.rules
        if not rules.from_zero.is_on(self._history) or not self._may("from zero", rules.from_zero_cooldown_minutes):
            return None
        value = rules.from_zero.value(self._history[-1])
        assert value is not None
        return self.desired + rules.step_for(value)

    def _tracked(self) -> int | None:
        rules = self.rules
        values = [evaluate(rules.expression, metrics) for metrics in self._history[-TRACKING_LOW_MINUTES:]]
        latest = [value for value in values if value is not None]
        if len(values) < TRACKING_HIGH_MINUTES or values[-1] is None:
            return None
        wanted = math.ceil(self.desired * latest[-1] / rules.target)
        high = values[-TRACKING_HIGH_MINUTES:]
        if all(value is not None and value > rules.target for value in high):
            return wanted if wanted > self.desired and self._may("out", rules.out_cooldown_minutes) else None
        low = rules.shrinks and len(latest) == TRACKING_LOW_MINUTES and max(latest) < rules.target * TRACKING_LOW_SHARE
        if low and wanted < self.desired and self._may("in", rules.in_cooldown_minutes):
            return wanted
        return None

    def _may(self, what: str, cooldown_minutes: float) -> bool:
        if self._minute - self._last[what] < cooldown_minutes:
            return False
        self._last[what] = self._minute
        return True


def evaluate(expression: str, metrics: Metrics) -> float | None:
    """CloudWatch's metric math, as far as it is used here. None where a metric is missing or a division is by zero."""
    try:
        return float(_value(ast.parse(expression, mode="eval").body, metrics))
    except (TypeError, ZeroDivisionError):
        return None


_OPERATORS: dict[type[ast.AST], Callable[[Any, Any], Any]] = {
    ast.Add: operator.add,
    ast.Sub: operator.sub,
    ast.Mult: operator.mul,
    ast.Div: operator.truediv,
    ast.Eq: operator.eq,
    ast.Gt: operator.gt,
}


def _value(node: ast.expr, metrics: Metrics) -> Any:
    match node:
        case ast.Constant(value):
            return value
        case ast.Name(name):
            return metrics[name]
        case ast.BinOp(left, what, right) | ast.Compare(left, [what], [right]):
            values = (_value(left, metrics), _value(right, metrics))
            if None in values:
                raise TypeError("a metric is missing")
            return _OPERATORS[type(what)](*values)
        case ast.Call(ast.Name("IF"), [condition, then, otherwise]):
            return _value(then if _value(condition, metrics) else otherwise, metrics)
    raise AssertionError(f"the simulation does not know {ast.dump(node)}")


def _reaches(step: dict[str, Any], above: float) -> bool:
    lower, upper = step["metric_interval_lower_bound"], step["metric_interval_upper_bound"]
    return float(lower or "-inf") <= above < float(upper or "inf")
