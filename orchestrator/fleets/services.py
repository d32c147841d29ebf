"""What ECS is asked about a fleet's service, and told."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

from stepbench.aws import AwsConfig, Clients
from stepbench.errors import EnvironmentRefused
from stepbench.fleets import Service
from stepbench.settings import Settings

MOST_TRIES = 2
MOST_READ_SECONDS = 10.0
"""A network may have no way to ECS at all, and nothing that ECS says is worth half a minute of waiting."""
ACTIVE = "ACTIVE"


@dataclass(frozen=True)
class Tasks:
    """How many tasks of a service there are to be, run, and are on their way."""

    desired: int
    running: int
    pending: int


class Services:
    """Any of its methods raises the SDK's error, or EnvironmentRefused for a service that is not there."""

    def __init__(self, client: Any) -> None:
        self._ecs = client

    @classmethod
    def of(cls, settings: Settings) -> Services:
        """As the user reaches AWS, but with less patience. Raises EnvironmentRefused where no client can be made."""
        config = AwsConfig.of(settings)
        impatient = {
            "max_attempts": min(MOST_TRIES, config.max_attempts),
            "read_timeout_seconds": min(MOST_READ_SECONDS, config.read_timeout_seconds),
        }
        return cls(Clients(config.model_copy(update=impatient)).ecs)

    def tasks(self, service: Service) -> Tasks:
        answer = self._ecs.describe_services(cluster=service.cluster, services=[service.name])
        found = next((each for each in answer["services"] if each["status"] == ACTIVE), None)
        if found is None:
            raise EnvironmentRefused(f"there is no active service {service.name} in the cluster {service.cluster}")
        return Tasks(desired=found["desiredCount"], running=found["runningCount"], pending=found["pendingCount"])

    def scale(self, service: Service, desired: int) -> None:
        """What scales the service by itself goes on from there."""
        self._ecs.update_service(cluster=service.cluster, service=service.name, desiredCount=desired)
