"""What a person does with fleets: looks at them, and says how many tasks one is to have."""

from __future__ import annotations

from collections.abc import Iterator

from orchestrator.fleets.services import Services
from orchestrator.report.doubts import plural
from stepbench import aws_errors, registry
from stepbench.errors import UsageError
from stepbench.fleets import Fleet, Service, of_run
from stepbench.settings import Settings

HEADINGS = ("fleet", "wanted", "running", "pending", "max", "service")
NOT_ON_ECS = "not on ECS"
MOST_DIGITS = 5


def listed(settings: Settings) -> Iterator[str]:
    """A table with a line for each fleet. Raises EnvironmentRefused for what ECS refuses."""
    rows = [HEADINGS, *(_row(settings, name, fleet) for name, fleet in (settings.fleets or {}).items())]
    widths = [max(len(row[column]) for row in rows) for column in range(len(HEADINGS))]
    for row in rows:
        first, *numbers, last = zip(row, widths, strict=True)
        cells = [first[0].ljust(first[1]), *(cell.rjust(width) for cell, width in numbers), last[0]]
        yield "  ".join(cells)


def scaled(settings: Settings, name: str, count: str) -> str:
    """Has the fleet `name` have `count` tasks; a sentence about it. Raises UsageError and EnvironmentRefused."""
    service = _service(settings, name)
    wanted = _checked(count, name, service)
    with aws_errors.worded("orchestrator", for_fleet(settings, name)):
        services = Services.of(settings)
        before = services.tasks(service).desired
        services.scale(service, wanted)
    return f"Fleet {name} was to have {plural(before, 'task')}, now {wanted}; its own scaling goes on from there"


def for_fleet(settings: Settings, name: str) -> Settings:
    """Those of a run on the fleet `name`. Raises UsageError where there is none."""
    known = settings.fleets or {}
    if name not in known:
        raise UsageError(registry.unknown_choice(name, tuple(known)))
    return settings.model_copy(update={"fleet": name, "steps_queue_url": known[name].steps_queue_url})


def number(count: str, least: int = 0) -> int:
    """Of tasks or workers, as it was typed. Raises UsageError for one below `least` too."""
    if not (count.isascii() and count.isdigit()) or len(count) > MOST_DIGITS or int(count) < least:
        raise UsageError(f"{count!r} is no number of them; 3 is one")
    return int(count)


def _row(settings: Settings, name: str, fleet: Fleet) -> tuple[str, ...]:
    service = fleet.ecs
    if service is None:
        return (name, "", "", "", "", NOT_ON_ECS)
    with aws_errors.worded("orchestrator", for_fleet(settings, name)):
        tasks = Services.of(settings).tasks(service)
    most = "" if service.max_tasks is None else str(service.max_tasks)
    return (name, str(tasks.desired), str(tasks.running), str(tasks.pending), most, f"{service.cluster}/{service.name}")


def _service(settings: Settings, name: str) -> Service:
    found = of_run(for_fleet(settings, name))
    assert found is not None
    service = found[1].ecs
    if service is None:
        raise UsageError(f"the fleet {name!r} is not on ECS: its workers are started by other means")
    return service


def _checked(count: str, name: str, service: Service) -> int:
    wanted = number(count)
    if service.max_tasks is not None and wanted > service.max_tasks:
        raise UsageError(
            f"{wanted} tasks are more than the fleet {name!r} may have, {service.max_tasks}: its max in infra/ is what "
            "keeps it from growing expensive"
        )
    return wanted
