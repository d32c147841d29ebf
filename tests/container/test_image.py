"""What is in the image, for both architectures, and that both programs start from it."""

from __future__ import annotations

import json
import shutil
import subprocess
from collections.abc import Iterator
from pathlib import Path

import pytest

from scripts.docs.tree import ROOT
from tests.container import containers
from tests.container.containers import Engine
from tests.container.surroundings import Surroundings
from tests.runs.programs import lines_of

pytestmark = pytest.mark.infra

MOST_BYTES_BEYOND_BASE = 350_000_000
ELF_MACHINES = {62: "x86_64", 183: "aarch64"}


def test_it_is_not_much_larger_than_its_base(engine: Engine, base: str, image: str) -> None:
    beyond = engine.image(image)["Size"] - engine.image(base)["Size"]
    assert 0 < beyond <= MOST_BYTES_BEYOND_BASE


def test_it_says_what_it_is_and_how_it_is_run(engine: Engine, base: str, image: str) -> None:
    told = engine.image(image)
    config = told["Config"]
    labels = {name.removeprefix("org.opencontainers.image."): text for name, text in config["Labels"].items()}
    assert labels["title"] == "stepbench"
    assert labels["base.name"] == base
    revision = subprocess.run(["git", "rev-parse", "HEAD"], cwd=ROOT, capture_output=True, text=True, check=True).stdout
    assert labels["revision"].removesuffix("-modified") == revision.strip()
    assert "unknown" not in labels.values()
    assert (config["Entrypoint"], config["Cmd"]) == (["python", "-m"], ["worker"])
    assert config["User"] == "10001:10001"
    assert "HEALTH_FILE=/tmp/stepbench-health" in config["Env"]
    assert told["Healthcheck"]["Test"] == [
        "CMD",
        "python",
        "-m",
        "worker",
        "--check-health",
        "/tmp/stepbench-health",  # noqa: S108 # the container's own tmpfs
    ]


def test_it_has_what_the_lock_says_and_no_emulator_test_or_secret_of_the_build(engine: Engine, image: str) -> None:
    with engine.root_of(image) as root:
        packages = {path.name for path in site_packages(root).iterdir()}
        assert {"stepbench", "worker", "orchestrator", "pyarrow", "boto3"} <= packages
        assert not packages & {"moto", "werkzeug", "tests", "pytest", "pip"}
        assert not list((root / "run").glob("secrets/*"))
        assert not (root / "build").exists()
        writable = [path for path in (root / "opt").rglob("*") if not path.is_symlink() and path.stat().st_mode & 0o022]
        assert writable == []


def test_its_bytecode_is_there_for_no_process_can_write_it_later(engine: Engine, image: str) -> None:
    with engine.root_of(image) as root:
        sources = list((site_packages(root) / "worker").rglob("*.py"))
        assert sources
        assert all(list(path.parent.glob(f"__pycache__/{path.stem}.*.pyc")) for path in sources)


def test_the_orchestrator_runs_from_it_too(surroundings: Surroundings, engine: Engine, image: str) -> None:
    surroundings.worker()
    out = surroundings.folder / "out"
    out.mkdir(mode=0o777)
    out.chmod(0o777)  # whatever the umask is
    given = {**surroundings.variables, "METRICS_DIR": "/metrics", "PAYLOAD_MB": "0.05"}
    options = [f"--env={name}={value}" for name, value in given.items() if value]

    done = engine.in_container(
        image, "orchestrator", "start", "--steps=2", "--json", options=[*options, f"--volume={out}:/metrics"]
    )

    assert done.returncode == 0, done.stderr
    assert json.loads(done.stdout)["finished"]
    assert [line["step"] for line in lines_of(out) if line["kind"] == "sample"] == [1, 2]


def test_where_nobody_mounts_a_tmpfs_its_own_volume_is_what_can_be_written_to(engine: Engine, image: str) -> None:
    tried = "import os, pathlib; pathlib.Path('/tmp/it').touch(); print(oct(os.stat('/tmp').st_mode), os.getuid())"
    bare = ("--rm", "--read-only", "--read-only-tmpfs=false", "--network=host", "--entrypoint=python")
    done = engine.run("podman", "run", *bare, image, "-c", tried)
    assert done.stdout.split() == ["0o41777", "10001"]


def test_without_a_bucket_each_program_says_in_a_sentence_what_is_missing(engine: Engine, image: str) -> None:
    worker = engine.in_container(image)
    assert worker.returncode == 2
    assert "ORCH_BUCKET" in worker.stderr
    orchestrator = engine.in_container(image, "orchestrator", "start")
    assert orchestrator.returncode == 3
    assert "stepbench[local]" in orchestrator.stderr
    assert "Traceback" not in worker.stderr + orchestrator.stderr


@pytest.fixture
def bases(engine: Engine, base: str) -> Iterator[str]:
    """One name for the base and for a bare arm64 stand-in, in which nothing can be run."""
    bare, both = containers.own_name("bare-arm64"), containers.own_name("both-bases")
    engine.run("podman", "import", "--arch=arm64", "--os=linux", str(bare_root(engine.folder)), bare)
    engine.run("buildah", "manifest", "create", both)
    for name, architecture in ((base, own_architecture()), (bare, "arm64")):
        engine.run("buildah", "manifest", "add", f"--arch={architecture}", both, f"containers-storage:{name}")
    yield both
    engine.run("buildah", "manifest", "rm", both)


def test_the_image_for_arm64_is_made_without_running_anything_of_arm64(engine: Engine, bases: str) -> None:
    if own_architecture() == "arm64":
        pytest.skip("this machine is arm64 itself: the image of every other test is the one for arm64")
    name = containers.own_name("foreign")
    with containers.alone():
        engine.run(
            *("scripts/build-image", "--engine", "buildah", "--platform", "linux/arm64"),
            *("--tag", name, "--base-image", bases),
        )

    assert engine.image(f"{name}-arm64")["Architecture"] == "arm64"
    assert not engine.has_image(name)
    with engine.root_of(f"{name}-arm64") as root:
        assert (root / "bare").exists()
        assert (root / "opt/stepbench/bin/stepbench-worker").exists()
        assert machines_of(site_packages(root)) == {"aarch64"}


def test_the_image_for_this_machine_has_nothing_of_another(engine: Engine, image: str) -> None:
    with engine.root_of(image) as root:
        assert machines_of(site_packages(root)) == {"x86_64" if own_architecture() == "amd64" else "aarch64"}


def site_packages(root: Path) -> Path:
    (found,) = (root / "opt/stepbench/lib").glob("python3*/site-packages")
    return found


def machines_of(folder: Path) -> set[str]:
    """What machines the compiled files below a folder are for."""
    found = set()
    for path in folder.rglob("*"):
        if path.is_file():
            with path.open("rb") as file:
                header = file.read(20)
            if header[:4] == b"\x7fELF":
                found.add(ELF_MACHINES[int.from_bytes(header[18:20], "little")])
    return found


def own_architecture() -> str:
    machine = subprocess.run(["uname", "-m"], capture_output=True, text=True, check=True).stdout.strip()
    return {"x86_64": "amd64", "aarch64": "arm64"}[machine]


def bare_root(folder: Path) -> Path:
    """A tar of a root file system with hardly anything in it."""
    root = folder / "bare-root"
    (root / "etc").mkdir(parents=True, exist_ok=True)
    (root / "bare").touch()
    return Path(shutil.make_archive(str(folder / "bare"), "tar", root))
