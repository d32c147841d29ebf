"""Too few open files allowed, which may show at any import, pipe or connection."""

from __future__ import annotations

import errno
import resource
from collections.abc import Iterator
from contextlib import contextmanager

from stepbench.errors import EnvironmentRefused


@contextmanager
def shortage_told() -> Iterator[None]:
    """EnvironmentRefused, with what to do, for a file that could not be opened because too many are open."""
    try:
        yield
    except OSError as error:
        if error.errno not in (errno.EMFILE, errno.ENFILE):
            raise
        allowed = resource.getrlimit(resource.RLIMIT_NOFILE)[0]
        raise EnvironmentRefused(
            f"{error.strerror}: a process may have {allowed} of them here; allow more, as with ulimit -n 1024"
        ) from error
