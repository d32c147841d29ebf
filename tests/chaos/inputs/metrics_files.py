"""Hostile metrics files: cut, edited, put together of others; as `report`, `tail` and `resume` take them."""

from __future__ import annotations

import io
import os
import tempfile
from pathlib import Path
from random import Random

from orchestrator.report import (
    consoles,  # noqa: F401 # which `show` imports when it is called: no import is an input's doing then
    metrics_file,
)
from orchestrator.report.audit import audit
from orchestrator.report.follow import follow
from orchestrator.report.narrate import narrate
from orchestrator.report.statistics import summarise
from orchestrator.report.tally import Tally
from orchestrator.report.terminal import show
from orchestrator.run import history
from orchestrator.run.chain import Chains
from orchestrator.run.lines import Event, Line
from stepbench.errors import UsageError
from stepbench.samples import Sample
from tests.chaos.figures import PromiseBroken
from tests.chaos.inputs import json_texts
from tests.chaos.inputs.kind import MB, Kind
from tests.chaos.inputs.mutation import damaged
from tests.factories import make_ref
from tests.orchestrator.report.sample_factory import AT, make_failure, make_run

PLACE = Path(tempfile.gettempdir()) / f"stepbench-hostile-{os.getpid()}.jsonl"


def _make(random: Random) -> bytes:
    texts = _run(random)
    if random.random() < 0.2:
        return damaged(b"".join(texts), random)
    for _ in range(random.choice((1, 1, 1, 2, 5))):
        texts = random.choice(_EDITS)(texts, random)
    return b"".join(texts)


def _run(random: Random, run_id: str = "r1") -> list[bytes]:
    run = make_run(random.randrange(20), finished=random.random() < 0.5, run_id=run_id, warmup_steps=1)
    lines: list[Line] = list(run.lines)
    lines[1] = Event(event="first_payload", at=AT, duration_ns=1, payload=make_ref())
    if random.random() < 0.5:
        lines.insert(3, make_failure(chain=1, step=1, run_id=run_id))
        lines.insert(4, Event(event="lost", at=AT, chain=2, step=1, attempt=1))
        lines.append(Event(event="resumed", at=AT, epoch=2))
        lines.append(Event(event="dispatching", at=AT, chain=1, step=1, attempt=2, epoch=2))
    return [_numbered(line).model_dump_json().encode() + b"\n" for line in lines]


def _numbered(line: Line) -> Line:
    """As a run numbers its chains: from 1 on."""
    if isinstance(line, Sample | Event) and line.chain is not None and AT and line.chain == 0:
        return line.model_copy(update={"chain": 2})
    return line


def _edit(texts: list[bytes], random: Random) -> list[bytes]:
    at = random.choice((0, random.randrange(len(texts)), random.randrange(len(texts))))
    text = json_texts.hostile(texts[at].decode("utf-8", "replace"), random)
    return [*texts[:at], text + random.choice((b"\n", b"\n", b"\n", b"")), *texts[at + 1 :]]


def _drop(texts: list[bytes], random: Random) -> list[bytes]:
    at = random.randrange(len(texts))
    return texts[:at] + texts[at + 1 :] or texts


def _double(texts: list[bytes], random: Random) -> list[bytes]:
    at = random.randrange(len(texts))
    return [*texts[: at + 1], texts[at] * random.choice((1, 1, 30)), *texts[at + 1 :]]


def _shuffle(texts: list[bytes], random: Random) -> list[bytes]:
    first, second = random.randrange(len(texts)), random.randrange(len(texts))
    texts = list(texts)
    texts[first], texts[second] = texts[second], texts[first]
    return texts


def _mix(texts: list[bytes], random: Random) -> list[bytes]:
    return [*texts, *_run(random, random.choice(("r1", "r2")))[random.choice((0, 1)) :]]


def _junk(texts: list[bytes], random: Random) -> list[bytes]:
    at = random.randrange(len(texts) + 1)
    junk = random.choice((b"\n", b"\x00" * 4096, b"\xff\xfe", b"\r\n", b"[" * 50_000 + b"\n", b"\xef\xbb\xbf", b"1\n"))
    return [*texts[:at], junk, *texts[at:]]


_EDITS = (_edit, _edit, _edit, _edit, _drop, _double, _shuffle, _mix, _junk)


class _Enough(Exception):
    """A follower would wait now."""


def _take(content: bytes) -> None:
    PLACE.write_bytes(content)
    try:
        _follow()
        _report_and_resume()
    except UsageError as error:
        for problem in error.problems:
            if len(problem.splitlines()) != 1 or not problem.isprintable():
                raise PromiseBroken("other promises broken", f"no sentence for a person: {problem!r:.300}") from error
        raise
    finally:
        if PLACE.read_bytes() != content:
            raise PromiseBroken("samples lost", "reading has changed the file")


def _follow() -> None:
    def wait() -> None:
        raise _Enough

    try:
        for _text, line in follow(PLACE, wait):
            if line is not None and not narrate(line).isprintable():
                raise PromiseBroken("other promises broken", "a line that a terminal would act upon")
    except _Enough:
        return
    except UsageError as error:
        if len(str(error).splitlines()) != 1:
            raise PromiseBroken("other promises broken", f"no sentence for a person: {error!s:.300}") from error


def _report_and_resume() -> None:
    file = metrics_file.read(PLACE)
    audit(file)
    summary = summarise([file])
    summary.model_dump_json()
    show(summary, io.StringIO())
    plan, past = file.run.plan, history.read(file.lines)
    Tally(plan, lambda _: None, 60.0).remember(file.lines)
    for retry_failed in (False, True):
        Chains(
            chains=plan.chains,
            steps=plan.steps,
            concurrency=plan.concurrency,
            warmup_steps=plan.warmup_steps,
            max_attempts=plan.max_attempts,
            payload=past.first_payload or make_ref(),
            epoch=past.epoch + 1,
        ).resume(past.chains, retry_failed=retry_failed)


KINDS = (Kind("metrics files", _make, _take, lambda content: 200 * len(content) + 30 * MB, foreseen=(UsageError,)),)
