"""A run's own fleet is started with it where it sleeps.

The alarm that does so otherwise looks at figures of the queue, which SQS makes late for a queue that was not used for
hours. So it is the backstop, and whoever starts a run asks for a first task, if ECS lets them.
"""

from __future__ import annotations

from collections.abc import Callable

from orchestrator.fleets.services import Services
from stepbench import aws_errors
from stepbench.errors import EnvironmentRefused
from stepbench.fleets import Service, of_run
from stepbench.settings import Settings

FIRST = 1
OTHERWISE = "so its alarm starts it when it sees the backlog, which may take some minutes"


def wake(settings: Settings, say: Callable[[str], None]) -> None:
    """Has the run's fleet begin with a task if it is to have none. What ECS refuses is said, and no more than that."""
    found = of_run(settings)
    service = found[1].ecs if found else None
    if found is None or service is None:
        return
    try:
        with aws_errors.worded("orchestrator", settings):
            said = _woken(found[0], service, Services.of(settings))
    except EnvironmentRefused as error:
        said = f"Fleet {found[0]} could not be looked after, {OTHERWISE}: {error}"
    if said is not None:
        say(said)


def _woken(name: str, service: Service, services: Services) -> str | None:
    # Between the look and the change the alarm may ask for more: then it asks again a minute later.
    if services.tasks(service).desired > 0:
        return None
    if service.max_tasks is not None and service.max_tasks < FIRST:
        return f"Fleet {name} is to have no tasks at all (max is {service.max_tasks} in ORCH_FLEETS): none is started"
    services.scale(service, FIRST)
    return f"Fleet {name} had no tasks: asked ECS to start one, which takes a minute or two"
