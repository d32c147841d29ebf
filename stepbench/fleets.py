"""Fleets of workers that a stack in AWS has: for each its steps queue and, where ECS runs it, which service that is.

ORCH_FLEETS tells them as `terraform output -raw dotenv` prints them; a run goes to one fleet, by its steps queue.
"""

from __future__ import annotations

import json
from collections.abc import Mapping
from typing import TYPE_CHECKING, Any

from pydantic import Field, ValidationError

from stepbench.samples import Frozen

if TYPE_CHECKING:
    from stepbench.settings import Settings

SHAPE = '{"NAME": {"steps_queue_url": "https://…"}, …}'
_KEYS = {
    "steps_queue_url": "the URL of a queue",
    "cluster": "the name of an ECS cluster",
    "service": "the name of an ECS service",
    "max": "a whole number from 0",
}


class Service(Frozen):
    """An ECS service whose tasks are a fleet's workers."""

    cluster: str
    name: str
    max_tasks: int | None
    """Null where nobody has told."""


class Fleet(Frozen):
    """What is known of a fleet; what else a stack tells of it is for people."""

    steps_queue_url: str = Field(min_length=1)
    cluster: str | None = Field(None, min_length=1)
    service: str | None = Field(None, min_length=1)
    max: int | None = Field(None, ge=0)

    @property
    def ecs(self) -> Service | None:
        """Null for workers that are started by other means."""
        if self.cluster is None or self.service is None:
            return None
        return Service(cluster=self.cluster, name=self.service, max_tasks=self.max)


Fleets = Mapping[str, Fleet]
"""By name."""


def parse(value: Any) -> Any:
    """The fleets of a JSON text. Raises ValueError with a sentence for what is wrong with it."""
    if not isinstance(value, str):
        return value
    try:
        told = json.loads(value)
    except (ValueError, RecursionError) as error:
        raise ValueError(f"is no JSON ({error}); {SHAPE} is needed") from error
    if not isinstance(told, dict):
        raise ValueError(f"is JSON, but no object; {SHAPE} is needed")  # noqa: TRY004 # pydantic words no TypeError
    return {name: _fleet(name, facts) for name, facts in told.items()}


def text(fleets: Fleets | None) -> str | None:
    """As it is set: one line of JSON."""
    return None if fleets is None else json.dumps({name: fleet.model_dump() for name, fleet in fleets.items()})


def of_run(settings: Settings) -> tuple[str, Fleet] | None:
    """The fleet, with its name, that a run with these settings goes to; null where that is none of ORCH_FLEETS."""
    known = settings.fleets or {}
    if settings.fleet is not None and settings.fleet in known:
        return settings.fleet, known[settings.fleet]
    return next((item for item in known.items() if item[1].steps_queue_url == settings.steps_queue_url), None)


def _fleet(name: str, facts: Any) -> Fleet:
    if not isinstance(facts, dict):
        raise ValueError(f"has the fleet {name!r}, which is no object; {SHAPE} is needed")  # noqa: TRY004 # as above
    try:
        return Fleet.model_validate(facts)
    except ValidationError as error:
        key = str(error.errors()[0]["loc"][0])
        given = f", not {facts[key]!r}" if key in facts else ""
        raise ValueError(f"has the fleet {name!r}, whose {key} must be {_KEYS[key]}{given}") from error
