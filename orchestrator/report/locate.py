"""Which metrics file a person means: a run id, a file, or the newest one."""

from __future__ import annotations

import difflib
from pathlib import Path

from stepbench.errors import UsageError

NAME_PATTERN = "metrics-*.jsonl"


def is_run_id(target: str) -> bool:
    """Whether `target` is no file, nor looks like one."""
    path = Path(target)
    return not (path.exists() or path.suffix == ".jsonl" or len(path.parts) > 1)


def path_of(metrics_dir: Path, target: str) -> Path:
    """The path that a RUN_ID or a FILE stands for, whether it exists or not. An existing file wins over a run id."""
    return metrics_dir / f"metrics-{target}.jsonl" if is_run_id(target) else Path(target)


def find(metrics_dir: Path, target: str | None) -> Path:
    """The metrics file of a RUN_ID or a FILE, or the newest one of `metrics_dir`.

    Raises UsageError, naming what to do, where there is none.
    """
    if target is None:
        return _newest(metrics_dir)
    path = path_of(metrics_dir, target)
    if path.exists():
        return path
    near = difflib.get_close_matches(path.name, [known.name for known in metrics_dir.glob(NAME_PATTERN)], n=1)
    hint = f"; did you mean {metrics_dir / near[0]}?" if near else "; name a run id of --metrics-dir, or a file"
    raise UsageError(f"there is no metrics file {path}{hint}")


def _newest(metrics_dir: Path) -> Path:
    found = sorted(metrics_dir.glob(NAME_PATTERN), key=lambda path: (path.stat().st_mtime_ns, path.name))
    if not found:
        raise UsageError(
            f"there is no metrics file in {metrics_dir}: run `python -m orchestrator start` first, name a file, "
            "or set --metrics-dir"
        )
    return found[-1]
