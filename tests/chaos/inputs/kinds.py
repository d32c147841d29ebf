"""All kinds of hostile input, in the order in which the figures show them."""

from __future__ import annotations

import logging
from typing import Any

import structlog

from stepbench import registry
from tests.chaos.inputs import bombs, columns, encodings, messages, metrics_files, pickles, texts
from tests.chaos.inputs.kind import Kind

KINDS: tuple[Kind[Any], ...] = (
    *messages.KINDS,
    *metrics_files.KINDS,
    *encodings.KINDS,
    *texts.KINDS,
    *pickles.KINDS,
    *columns.KINDS,
    *bombs.KINDS,
)


def prepare() -> None:
    """In the process that takes them: what a message may name is imported, so that no input imports anything."""
    structlog.configure(wrapper_class=structlog.make_filtering_bound_logger(logging.CRITICAL))
    for package in ("stepbench.serializers", "stepbench.s3_clients", "worker.transforms"):
        for name in registry.choices(package):
            registry.load(package, name)
