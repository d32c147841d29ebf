"""Where a run takes place: the embedded stack on this machine, or the bucket and queues that are configured."""

from __future__ import annotations

import ipaddress
import os
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, field, replace
from typing import TYPE_CHECKING, Literal
from urllib.parse import urlsplit

from stepbench import machine
from stepbench.aws import AwsConfig, Clients
from stepbench.channels import fitted, traits
from stepbench.package_path import with_our_packages
from stepbench.settings import Settings

if TYPE_CHECKING:
    from orchestrator.local.stack import Store


@dataclass(frozen=True)
class Site:
    """A place that is up. `settings` name its bucket, steps queue and endpoints."""

    settings: Settings
    clients: Clients
    environment: Literal["embedded", "aws"]
    own_stack: bool
    """It was brought up for this run and goes with it."""
    surroundings: Mapping[str, str] = field(default_factory=lambda: with_our_packages(os.environ))
    """Environment of a child process that speaks to AWS as this run does."""
    wait_until_working: Callable[[], None] = lambda: None
    """Returns when workers that are ours are ready for steps."""
    check: Callable[[], None] = lambda: None
    """Raises EnvironmentRefused for a reason not to go on: a part of the place has died, or the run is another's."""

    @property
    def no_worker_warning_seconds(self) -> float:
        """0, which is never, where the worker is ours (`check` tells of its death) or there is none to wait for."""
        ours = self.own_stack or traits(self.settings.channel).own_executors
        return 0.0 if ours else self.settings.no_worker_warning_seconds


def child_environment(settings: Settings) -> Mapping[str, str]:
    """Environment of a child process that speaks to AWS as this run does."""
    return stack_environment() if settings.embedded else with_our_packages(os.environ)


def stack_environment() -> Mapping[str, str]:
    """The same, on an embedded stack of the run's own."""
    from orchestrator.local import environment

    return {**environment.cleaned(os.environ), **environment.CREDENTIALS}


def checking(site: Site, check: Callable[[], None]) -> Site:
    """The same place, with one more thing that may be a reason not to go on."""

    def both() -> None:
        site.check()
        check()

    return replace(site, check=both)


@contextmanager
def opened(settings: Settings) -> Iterator[Site]:
    """The site that the settings ask for. Raises EnvironmentRefused if the embedded stack does not come up."""
    settings = fitted(settings)
    if settings.embedded:
        with _embedded(settings) as site:
            yield site
    else:
        yield Site(settings, Clients(AwsConfig.of(settings)), label_of(settings), own_stack=False)


@contextmanager
def _embedded(settings: Settings) -> Iterator[Site]:
    """As much of the embedded stack as the channel asks for."""
    from orchestrator.local.stack import embedded_stack, embedded_store

    if not traits(settings.channel).queues:
        with embedded_store(settings) as store:
            yield _ours(store)
        return
    with embedded_stack(settings) as stack:
        stack.start_worker(settings.executors or min(settings.concurrency, machine.cores()))
        yield replace(_ours(stack), wait_until_working=stack.wait_until_working)


def _ours(store: Store) -> Site:
    return Site(
        settings=store.settings,
        clients=store.clients(),
        environment="embedded",
        own_stack=True,
        surroundings=stack_environment(),
        check=store.check,
    )


def label_of(settings: Settings) -> Literal["embedded", "aws"]:
    """What the figures of a run with a bucket describe."""
    return "embedded" if is_this_machine(settings) else "aws"


def is_this_machine(settings: Settings) -> bool:
    """Endpoints that never leave this machine, such as those of `orchestrator local`."""
    endpoints = [settings.s3_endpoint_url or settings.endpoint_url]
    if traits(settings.channel).queues:
        endpoints.append(settings.sqs_endpoint_url or settings.endpoint_url)
    return all(endpoint is not None and _is_loopback(endpoint) for endpoint in endpoints)


def _is_loopback(endpoint: str) -> bool:
    host = urlsplit(endpoint).hostname or ""
    try:
        return ipaddress.ip_address(host).is_loopback
    except ValueError:
        return host == "localhost"
