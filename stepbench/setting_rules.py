"""What settings mean together: rules that no single one of them can break by itself."""

from __future__ import annotations

import math
import re
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from functools import partial
from urllib.parse import urlsplit

from stepbench import machine, prefix
from stepbench.channels import traits
from stepbench.compression import Compression
from stepbench.payload import PayloadFormat
from stepbench.settings import Settings, named

_QUEUE_PATH = re.compile(r"/\d{12}/[A-Za-z0-9_-]{1,80}(\.fifo)?$")
# https://docs.aws.amazon.com/AmazonS3/latest/userguide/bucketnamingrules.html
_BOTH = "set both to run against AWS, or neither to run on this machine"
_BUCKET = re.compile(r"[a-z0-9][a-z0-9.-]{1,61}[a-z0-9]")


@dataclass(frozen=True)
class Rule:
    """A check of several settings; skipped where one of `fields` is wrong by itself."""

    fields: tuple[str, ...]
    check: Callable[[Settings], Iterator[str]]
    readers_of: tuple[str, ...] = ()
    """The rule is for those only who read these too, whether right or wrong."""


def _bucket(settings: Settings) -> Iterator[str]:
    if settings.bucket is None:
        if settings.steps_queue_url is not None:
            given = "fleet" if settings.fleet else "steps_queue_url"
            yield f"{named('bucket')} is not set, but {named(given)} is: {_BOTH}"
        return
    if not _BUCKET.fullmatch(settings.bucket):
        yield f"{named('bucket')}: {settings.bucket!r} is no bucket name; 3 to 63 of a-z, 0-9, dot and hyphen"


def _steps_queue(settings: Settings) -> Iterator[str]:
    if settings.bucket is not None and settings.steps_queue_url is None and traits(settings.channel).steps_queue:
        yield f"{named('steps_queue_url')} is not set, but {named('bucket')} is: {_BOTH}"


def _queues(settings: Settings) -> Iterator[str]:
    for field in ("steps_queue_url", "results_queue_url"):
        yield from _queue(named(field), getattr(settings, field))
    both = (settings.steps_queue_url, settings.results_queue_url)
    if all(both) and both[0] == both[1]:
        yield f"{named('results_queue_url')} is the steps queue; the two need a queue each"


def _queue(where: str, url: str | None) -> Iterator[str]:
    if url is None:
        return
    path = _path_of_url(url)
    if path is None or not _QUEUE_PATH.search(path):
        yield f"{where}: {url!r} is no queue URL; https://sqs.REGION.amazonaws.com/ACCOUNT/NAME is one"
    elif path.endswith(".fifo"):
        yield f"{where}: {url!r} is a FIFO queue; a standard queue is needed"


def _function(settings: Settings) -> Iterator[str]:
    """Without a bucket everything runs on this machine, which has no Lambda."""
    if None not in (settings.bucket, settings.lambda_function):
        return
    # The default wants no function, and is not loaded to be asked: that would load a part of the orchestrator.
    if settings.channel != Settings.model_fields["channel"].default and traits(settings.channel).function:
        yield (
            f"{named('channel')} is {settings.channel}, which wants {named('bucket')} and {named('lambda_function')}: "
            "the embedded stack has no Lambda"
        )


def _fleets(settings: Settings) -> Iterator[str]:
    for name, fleet in (settings.fleets or {}).items():
        yield from _queue(f"{named('fleets')}, fleet {name!r}", fleet.steps_queue_url)


def _endpoint(field: str, settings: Settings) -> Iterator[str]:
    url = getattr(settings, field)
    if url is not None and _path_of_url(url) is None:
        yield f"{named(field)}: {url!r} is no endpoint; http://HOST:PORT or https://HOST is one"


def _path_of_url(url: str) -> str | None:
    """Null for what is no URL of HTTP."""
    try:
        parts = urlsplit(url)
        is_url = parts.scheme in ("http", "https") and bool(parts.hostname) and parts.port != 0
    except ValueError:  # a broken IPv6 address or port
        return None
    return parts.path if is_url else None


def _prefix(settings: Settings) -> Iterator[str]:
    for problem in prefix.problems(settings.prefix):
        yield f"{named('prefix')}: {settings.prefix!r} {problem}"


def _encryption(settings: Settings) -> Iterator[str]:
    if settings.kms_key_id is not None and settings.sse != "kms":
        yield f"{named('kms_key_id')} is set, but {named('sse')} is {settings.sse}: set it to kms, or leave the key out"


def _s3_client(settings: Settings) -> Iterator[str]:
    """Raises UsageError for a library that is not installed."""
    from stepbench import s3_clients

    encryption = s3_clients.Encryption(sse=settings.sse, kms_key_id=settings.kms_key_id)
    able = s3_clients.abilities(settings.s3_client)
    yield from able.missing(settings.s3_client, encryption, tagged=settings.payload_tag)


def _payload_file(settings: Settings) -> Iterator[str]:
    if settings.payload_file is None:
        return
    from stepbench import payload_file

    yield from payload_file.problems(settings.payload_file, settings.serializer)


def _memory(settings: Settings) -> Iterator[str]:
    at_once = _steps_at_once_here(settings)
    multiple = PayloadFormat(settings.serializer, Compression(), settings.materialize).memory_multiple * at_once
    field, size_mb = "payload_mb", settings.payload_mb
    if settings.payload_file is not None:
        from stepbench import payload_file

        if any(_payload_file(settings)):
            return  # told by that rule
        field, size_mb = "payload_file", settings.payload_file.stat().st_size / 1e6
        multiple = max(multiple, payload_file.memory_multiple(settings.serializer))
    limit_mb = machine.memory_limit_bytes() / 1e6
    if size_mb * multiple > limit_mb:
        steps = f", with {at_once} steps at once," if at_once > 1 else ""
        yield (
            f"{named(field)}: {size_mb:,.0f} MB as {settings.serializer}{steps} needs about "
            f"{size_mb * multiple:,.0f} MB of memory and this machine has {limit_mb:,.0f} MB; "
            f"accepts up to {math.floor(limit_mb / multiple):,} MB"
        )


def _steps_at_once_here(settings: Settings) -> int:
    """Steps that run on this machine at the same time; where there is none, it still makes the first payload."""
    here = settings.embedded or traits(settings.channel).own_executors
    return min(settings.concurrency, settings.executors or machine.cores()) if here else 1


def _metrics_dir(settings: Settings) -> Iterator[str]:
    from stepbench import folders, names

    if reason := folders.obstacle(settings.metrics_dir):
        folder = names.shown(settings.metrics_dir)
        yield f"{named('metrics_dir')}: {folder}: {reason}; name a folder that can be written"


def _chains(settings: Settings) -> Iterator[str]:
    if settings.chains is not None and settings.chains < settings.concurrency:
        yield (
            f"{named('chains')}: {settings.chains} cannot keep {settings.concurrency} in flight; "
            f"lower {named('concurrency')} or leave chains out"
        )


ENDPOINTS = ("endpoint_url", "s3_endpoint_url", "sqs_endpoint_url", "lambda_endpoint_url")
RULES = (
    *(Rule((field,), partial(_endpoint, field)) for field in ENDPOINTS),
    Rule(("bucket", "steps_queue_url"), _bucket),
    Rule(("bucket", "steps_queue_url", "channel"), _steps_queue),
    Rule(("steps_queue_url", "results_queue_url"), _queues),
    Rule(("bucket", "channel", "lambda_function"), _function),
    Rule(("fleets",), _fleets),
    Rule(("prefix",), _prefix),
    Rule(("sse", "kms_key_id"), _encryption),
    Rule(("s3_client", "sse", "kms_key_id", "payload_tag"), _s3_client, readers_of=("steps",)),
    Rule(("payload_file", "serializer"), _payload_file),
    Rule(
        ("payload_mb", "payload_file", "serializer", "materialize", "bucket", "concurrency", "executors", "channel"),
        _memory,
    ),
    Rule(("chains", "concurrency"), _chains),
    # A report only reads there.
    Rule(("metrics_dir",), _metrics_dir, readers_of=("steps",)),
)
