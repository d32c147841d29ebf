"""The bucket: which objects were written, each once."""

from __future__ import annotations

from itertools import count

from stepbench.messages import PayloadRef
from tests.chaos.figures import PromiseBroken
from tests.factories import make_ref


class Objects:
    def __init__(self) -> None:
        self._refs: dict[str, PayloadRef] = {}
        self._numbers = count()

    def write(self, uri: str) -> PayloadRef:
        """A new object, unlike every other."""
        if uri in self._refs:
            raise PromiseBroken("keys written twice", f"{uri} was written twice")
        number = next(self._numbers)
        self._refs[uri] = make_ref(uri=uri, object_bytes=100 + number, checksum=f"sha256:{number:064x}")
        return self._refs[uri]

    def holds(self, ref: PayloadRef) -> bool:
        """Whether `ref` tells of an object here, and nothing wrong about it."""
        return self._refs.get(ref.uri) == ref
