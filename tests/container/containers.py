"""podman and buildah as tests use them: what is missing for them here, images, containers that are ended for sure.

Nothing of the machine's own configuration of containers is used: no registry, no bridge, no systemd is needed.
"""

from __future__ import annotations

import contextlib
import fcntl
import hashlib
import json
import os
import re
import shutil
import subprocess
import tempfile
import uuid
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from scripts.docs.tree import ROOT
from tests.runs.programs import Line
from tests.runs.waiting import DEADLINE_SECONDS, eventually

HERE = Path(__file__).parent
PROGRAMS = ("podman", "buildah", "runc")
PULL_SECONDS = 300.0
# --read-only would bring tmpfs of its own to /tmp, /run and /var/tmp: only what is asked for is to be there.
AS_IN_A_FLEET = ("--read-only", "--read-only-tmpfs=false", "--tmpfs=/tmp", "--cap-drop=all", "--network=host")

CONTAINERS_CONF = """\
[engine]
cgroup_manager = "cgroupfs"
events_logger = "file"
runtime = "runc"
[containers]
netns = "host"
log_driver = "k8s-file"
default_ulimits = ["nofile=20000:20000", "nproc=4096:4096"]
"""


class NoEngine(Exception):
    """No container can be made here; says what is missing."""


class Engine:
    """podman and buildah, configured in `folder`."""

    def __init__(self, folder: Path) -> None:
        """Raises NoEngine."""
        missing = [program for program in PROGRAMS if shutil.which(program) is None]
        if missing:
            raise NoEngine(f"not installed: {', '.join(missing)}; .ci/run installs them where apt and root are at hand")
        if os.geteuid() != 0:
            raise NoEngine("the tests' containers want root, for chroot, debootstrap and limits of cores")
        self.folder = folder
        configuration = folder / "containers.conf"
        configuration.write_text(CONTAINERS_CONF)
        self.environment = {
            **os.environ,
            "CONTAINERS_CONF": str(configuration),
            "BUILDAH_ISOLATION": "chroot",
        }

    def run(self, *command: str, check: bool = True, seconds: float | None = None) -> subprocess.CompletedProcess[str]:
        """The end of a command, in the repository's root. Raises AssertionError with all it said if it failed."""
        done = subprocess.run(
            command,
            cwd=ROOT,
            env=self.environment,
            stdin=subprocess.DEVNULL,
            capture_output=True,
            text=True,
            check=False,
            timeout=seconds,
        )
        assert not check or done.returncode == 0, f"{' '.join(command)}\n{done.stdout}{done.stderr}"
        return done

    def has_image(self, name: str) -> bool:
        return self.run("podman", "image", "exists", name, check=False).returncode == 0

    def image(self, name: str) -> dict[str, Any]:
        """What `podman image inspect` says of it."""
        found: dict[str, Any] = json.loads(self.run("podman", "image", "inspect", name).stdout)[0]
        return found

    @contextmanager
    def root_of(self, image: str) -> Iterator[Path]:
        """The image's file system, for the length of the block."""
        # An image of a foreign architecture is warned of on stderr.
        mounted = self.run("podman", "image", "mount", image).stdout.split()[-1]
        try:
            yield Path(mounted)
        finally:
            self.run("podman", "image", "unmount", image)

    def in_container(self, image: str, *words: str, options: Sequence[str] = ()) -> subprocess.CompletedProcess[str]:
        """The end of a container as a fleet runs it, with `words` for its entry point."""
        return self.run("podman", "run", "--rm", *AS_IN_A_FLEET, *options, image, *words, check=False)


class Container:
    """A container that goes on beside the test; `remove` ends it."""

    def __init__(self, engine: Engine, image: str, variables: Mapping[str, str], *options: str) -> None:
        self.name = f"stepbench-test-{uuid.uuid4().hex[:12]}"
        self._engine = engine
        given = [f"--env={name}={value}" for name, value in variables.items()]
        engine.run("podman", "run", "--detach", "--name", self.name, *AS_IN_A_FLEET, *given, *options, image)

    def log(self, event: str) -> list[Line]:
        """What it has logged under this event, so far."""
        said = self._engine.run("podman", "logs", self.name).stderr
        lines = [json.loads(line) for line in said.rpartition("\n")[0].splitlines() if line.startswith("{")]
        return [line for line in lines if line["event"] == event]

    def until_logged(self, event: str) -> Line:
        """The first line of this event, waited for."""

        def look() -> list[Line]:
            found = self.log(event)
            assert found or self.state()["Running"], f"it ended: {self._engine.run('podman', 'logs', self.name)}"
            return found

        return eventually(f"the container logs {event!r}", look)[0]

    def state(self) -> dict[str, Any]:
        """What `podman inspect` says of how it is."""
        found: dict[str, Any] = json.loads(self._engine.run("podman", "inspect", self.name).stdout)[0]["State"]
        return found

    def kill(self, signal: str) -> None:
        self._engine.run("podman", "kill", "--signal", signal, self.name)

    def exit_code(self) -> int:
        """Waits for the end."""
        return int(self._engine.run("podman", "wait", self.name, seconds=DEADLINE_SECONDS).stdout)

    def health(self) -> int:
        """The exit code of a look by its own health check."""
        return self._engine.run("podman", "healthcheck", "run", self.name, check=False).returncode

    def within(self, *command: str) -> str:
        return self._engine.run("podman", "exec", self.name, *command).stdout

    def remove(self) -> None:
        self._engine.run("podman", "rm", "--force", "--time", "0", self.name, check=False)


@contextmanager
def alone() -> Iterator[None]:
    """One process of the suite at a time makes images; the others find what it made."""
    with (Path(tempfile.gettempdir()) / "stepbench-test-images.lock").open("w") as file:
        fcntl.flock(file, fcntl.LOCK_EX)
        try:
            yield
        finally:
            with contextlib.suppress(OSError):
                fcntl.flock(file, fcntl.LOCK_UN)


def base_image(engine: Engine) -> str:
    """The Dockerfile's own base where it can be had, else one that is made here. Raises NoEngine."""
    own = default_base()
    script = HERE / "make-base-image"
    made = f"localhost/stepbench-test-base:{hashlib.sha256(script.read_bytes()).hexdigest()[:12]}"
    for name in (own, made):
        if engine.has_image(name):
            return name
    with contextlib.suppress(subprocess.TimeoutExpired):
        if engine.run("podman", "pull", "--quiet", own, check=False, seconds=PULL_SECONDS).returncode == 0:
            return own
    if shutil.which("debootstrap") is None:
        raise NoEngine(f"{own} cannot be pulled, and debootstrap, which would make a base, is not installed")
    engine.run(str(script), made)
    return made


def default_base() -> str:
    found = re.search(r"^ARG BASE_IMAGE=(\S+)$", (ROOT / "Dockerfile").read_text(encoding="utf-8"), re.MULTILINE)
    assert found
    return found[1]


def own_name(what: str) -> str:
    """A name for an image of this checkout: several may be tested at once on one machine."""
    return f"localhost/stepbench-test-{what}-{hashlib.sha256(str(ROOT).encode()).hexdigest()[:8]}:now"
