"""A file that is brought up to the copy, on a disk that refuses."""

from __future__ import annotations

import errno
import os
import shutil
from pathlib import Path
from typing import IO, Any

import pytest

from orchestrator.report import metrics_file
from orchestrator.s3_copy import fetching
from orchestrator.s3_copy.fetching import catch_up, fetch
from orchestrator.s3_copy.objects import Objects
from stepbench.errors import EnvironmentRefused
from tests.orchestrator.report.sample_factory import make_run
from tests.orchestrator.s3_copy.store import NAMES, RUN, Store

MADE = make_run(finished=False, run_id=RUN, prefix=NAMES.prefix)


def behind(store: Store, folder: Path) -> tuple[Path, bytes]:
    """A file that lacks the copy's last lines, and ends in half of one."""
    path = MADE.write(folder)
    data = path.read_bytes()
    store.objects[NAMES.part(1, 0, 0)] = (data, '"0"')
    whole = b"".join(data.splitlines(keepends=True)[:5])
    path.write_bytes(whole + b'{"kind"')
    return path, whole


def caught_up(store: Store, path: Path) -> bool:
    client: Any = store
    objects = Objects(client, "payloads", NAMES)
    return catch_up(objects, objects.listing(), metrics_file.read(path), epoch=1)


def test_a_file_that_somebody_else_has_just_made_is_left_as_it_is(tmp_path: Path) -> None:
    store = Store()
    path, _ = behind(store, tmp_path)
    before = path.read_bytes()
    client: Any = store
    assert not fetch(Objects(client, "payloads", NAMES), path)
    assert path.read_bytes() == before
    path.unlink()
    assert fetch(Objects(client, "payloads", NAMES), path)
    assert path.read_bytes() == b"".join(MADE.texts())


def test_what_the_copy_has_more_is_appended(tmp_path: Path) -> None:
    store = Store()
    path, _ = behind(store, tmp_path)
    assert caught_up(store, path)
    assert path.read_bytes() == b"".join(MADE.texts())
    assert not caught_up(store, path)


def test_a_disk_that_fills_up_meanwhile_leaves_the_file_without_any_of_it(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def fill_up(copy: IO[bytes], ours: IO[bytes]) -> None:
        ours.write(copy.read(100))
        ours.flush()
        raise OSError(errno.ENOSPC, os.strerror(errno.ENOSPC))

    store = Store()
    path, whole = behind(store, tmp_path)
    monkeypatch.setattr(shutil, "copyfileobj", fill_up)
    with pytest.raises(EnvironmentRefused, match=r"cannot bring .* up to the copy in S3: No space left"):
        caught_up(store, path)
    assert path.read_bytes() == whole


def test_a_folder_that_cannot_be_written_is_told_in_a_sentence(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    def refuse(**_: Any) -> None:
        raise OSError(errno.EROFS, os.strerror(errno.EROFS))

    store = Store()
    path, whole = behind(store, tmp_path)
    monkeypatch.setattr(fetching, "NamedTemporaryFile", refuse)
    with pytest.raises(EnvironmentRefused, match="Read-only file system"):
        caught_up(store, path)
    assert path.read_bytes().startswith(whole)
