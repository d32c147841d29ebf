"""Whose memory it is: an executor's peak is of all that it ever did, as its heap keeps what an earlier step needed."""

from __future__ import annotations

from collections.abc import Iterable, Mapping

from stepbench.samples import Sample

NOT_SHOWN = (
    "Memory is not shown: the cases shared executors, whose heap keeps what an earlier case needed; "
    "start runs a case alone and tells its memory."
)


def is_told_apart(samples_by_case: Mapping[str, Iterable[Sample]]) -> bool:
    """No executor did steps of two cases."""
    done_by = [{(sample.worker, sample.executor) for sample in samples} for samples in samples_by_case.values()]
    return len(set().union(*done_by)) == sum(map(len, done_by))
