"""Which metrics file a person means: a run id, a file, or the newest one."""

from __future__ import annotations

import difflib
import os
from pathlib import Path

from orchestrator.report.units import shortened
from stepbench import names
from stepbench.errors import UsageError

NAME_PATTERN = "metrics-*.jsonl"
SHOWN_CHARACTERS = 300


def is_run_id(target: str) -> bool:
    """Whether `target` is no file, nor looks like one."""
    path = Path(target)
    return not (_exists(path) or path.suffix == ".jsonl" or len(path.parts) > 1)


def path_of(metrics_dir: Path, target: str) -> Path:
    """The path that a RUN_ID or a FILE stands for, whether it exists or not. An existing file wins over a run id.

    Raises UsageError for a name that is no text.
    """
    return _named(metrics_dir / f"metrics-{target}.jsonl" if is_run_id(target) else Path(target))


def find(metrics_dir: Path, target: str | None) -> Path:
    """The metrics file of a RUN_ID or a FILE, or the newest one of `metrics_dir`.

    Raises UsageError, naming what to do, where there is none.
    """
    if target is None:
        return _newest(metrics_dir)
    path = path_of(metrics_dir, target)
    if _exists(path):
        if not (path.is_file() or path.is_dir()):  # a pipe may never say anything, a device never end
            raise UsageError(f"{path} is no regular file; name a metrics file or a run id")
        return path
    if os.path.islink(path):  # noqa: PTH114 # Path.is_symlink raises an error for a name that is too long
        raise UsageError(f"{path} is a link to {path.readlink()}, where no file is; name a run id or another file")
    near = difflib.get_close_matches(path.name, [known.name for known in _files(metrics_dir)], n=1)
    hint = f"; did you mean {metrics_dir / near[0]}?" if near else "; name a run id of --metrics-dir, or a file"
    raise UsageError(f"there is no metrics file {shortened(str(path), SHOWN_CHARACTERS)}{hint}")


def _newest(metrics_dir: Path) -> Path:
    found = sorted(_files(metrics_dir), key=lambda path: (path.stat().st_mtime_ns, path.name))
    if not found:
        raise UsageError(
            f"there is no metrics file in {metrics_dir}: run `python -m orchestrator start` first, name a file, "
            "or set --metrics-dir"
        )
    return _named(found[-1])


def _files(metrics_dir: Path) -> list[Path]:
    return [path for path in metrics_dir.glob(NAME_PATTERN) if path.is_file()]


def _exists(path: Path) -> bool:
    try:
        return path.exists()
    except OSError:  # a name that is too long, a folder that may not be entered
        return False


def _named(path: Path) -> Path:
    """`path`, which stands in what is printed and written. Raises UsageError for one that is no UTF-8 text."""
    if not names.is_text(path):
        raise UsageError(
            f"{names.shown(path)} has bytes in its name that are no line of UTF-8 text; rename it, or make a link to it"
        )
    return path
