"""A bucket in memory, of which a test says what it thinks of conditions."""

from __future__ import annotations

import json
from typing import IO, Any

from orchestrator.s3_copy.lease import LeaseObject
from orchestrator.s3_copy.objects import Objects
from orchestrator.s3_copy.parts import Names
from tests.doubles import refused

RUN = "20310203-040506-0a1b2c"
NAMES = Names(f"runs/{RUN}/", RUN)


class Store:
    """One bucket that honours conditions, ignores them, or refuses them as such."""

    def __init__(self, conditions: str = "honoured") -> None:
        self.conditions = conditions
        self.objects: dict[str, tuple[bytes, str]] = {}
        self.metadata: dict[str, dict[str, str]] = {}
        self.writes = 0
        self.answers_lost = 0

    def get_paginator(self, _: str) -> Store:
        return self

    def paginate(self, *, Bucket: str, Prefix: str) -> list[dict[str, Any]]:
        found = [key for key in self.objects if key.startswith(Prefix)]
        return [{"Contents": [{"Key": key, "Size": len(self.objects[key][0])} for key in found]}]

    def get_object(self, *, Bucket: str, Key: str) -> dict[str, Any]:
        body, etag = self.objects[Key]
        return {"Body": type("Body", (), {"read": lambda _: body})(), "ETag": etag}

    def head_object(self, *, Bucket: str, Key: str) -> dict[str, Any]:
        return {"Metadata": self.metadata.get(Key, {})}

    def download_fileobj(self, Bucket: str, Key: str, Fileobj: IO[bytes]) -> None:
        Fileobj.write(self.objects[Key][0])

    def delete_object(self, *, Bucket: str, Key: str) -> None:
        self.objects.pop(Key, None)

    def put_object(
        self, *, Bucket: str, Key: str, Body: bytes, IfMatch: str | None = None, IfNoneMatch: str | None = None
    ) -> dict[str, Any]:
        etag = self.objects.get(Key, (b"", None))[1]
        if self.conditions == "refused" and (IfMatch or IfNoneMatch):
            raise refused("NotImplemented", "PutObject", 501)
        if self.conditions == "honoured":
            if IfNoneMatch and etag:
                raise refused("PreconditionFailed", "PutObject", 412)
            if IfMatch and not etag:
                raise refused("NoSuchKey", "PutObject", 404)
            if IfMatch and etag != IfMatch:
                raise refused("PreconditionFailed", "PutObject", 412)
        self.writes += 1
        self.objects[Key] = (Body, f'"{self.writes}"')
        if self.answers_lost:  # the SDK tries again
            self.answers_lost -= 1
            return self.put_object(Bucket=Bucket, Key=Key, Body=Body, IfMatch=IfMatch, IfNoneMatch=IfNoneMatch)
        return {"ETag": self.objects[Key][1]}

    @property
    def lease(self) -> dict[str, Any]:
        found: dict[str, Any] = json.loads(self.objects[NAMES.lease][0])
        return found


def kept_in(store: Store) -> LeaseObject:
    client: Any = store
    return LeaseObject(Objects(client, "payloads", NAMES))
