"""What a page and its pictures need beside the program's own dependencies."""

from __future__ import annotations

from collections.abc import Sequence
from importlib.util import find_spec

from stepbench.errors import UsageError

PACKAGES = {"altair": "altair", "jinja2": "jinja2", "numpy": "numpy", "vl_convert": "vl-convert-python"}


def check(flags: Sequence[str], modules: Sequence[str] = tuple(PACKAGES)) -> None:
    """Raises UsageError, with the command that installs it, for what is missing."""
    missing = [PACKAGES[module] for module in modules if find_spec(module) is None]
    if missing:
        many = len(missing) > 1
        raise UsageError(
            f"{' and '.join(flags)} need{'' if len(flags) > 1 else 's'} the package{'s' * many} {', '.join(missing)}, "
            f"which {'are' if many else 'is'} not installed: pip install 'stepbench[report]'"
        )
