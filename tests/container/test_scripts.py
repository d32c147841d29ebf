"""scripts/build-image and scripts/push-image: the commands they run, and what they say when something is wrong."""

from __future__ import annotations

import os
import subprocess
from pathlib import Path

import pytest

from scripts.docs.tree import ROOT

ECR = "123456789012.dkr.ecr.eu-west-1.amazonaws.com"


@pytest.fixture
def programs(tmp_path: Path) -> Path:
    """A folder of stand-ins for programs that this machine may not have; each only writes down how it was called."""
    folder = tmp_path / "bin"
    folder.mkdir()
    return folder


def stand_in(programs: Path, name: str, answer: str = "") -> None:
    path = programs / name
    calls = programs.parent / "calls"
    path.write_text(
        f"#!/bin/sh\necho {name} \"$@\" >>'{calls}'\ncase \"$1\" in login) cat >>'{calls}' ;; esac\n{answer}\n"
    )
    path.chmod(0o755)


def calls(programs: Path) -> list[str]:
    return (programs.parent / "calls").read_text().splitlines()


def script(name: str, *arguments: str, programs: Path) -> subprocess.CompletedProcess[str]:
    environment = {**os.environ, "PATH": f"{programs}{os.pathsep}/usr/bin{os.pathsep}/bin"}
    command = [str(ROOT / "scripts" / name), *arguments]
    return subprocess.run(
        command, env=environment, stdin=subprocess.DEVNULL, capture_output=True, text=True, check=False
    )


@pytest.mark.parametrize("name", ["build-image", "push-image"])
def test_help_says_what_every_argument_is_for(name: str, programs: Path) -> None:
    done = script(name, "--help", programs=programs)
    assert (done.returncode, done.stderr) == (0, "")
    assert done.stdout.startswith(f"usage: scripts/{name}")


@pytest.mark.parametrize(
    ("arguments", "named"),
    [
        (("build-image", "--platform", "linux/s390x"), "--platform"),
        (("build-image", "--tag", "stepbench"), "--tag"),
        (("build-image", "--tag"), "--tag"),
        (("build-image", "--engine", "lxc"), "--engine"),
        (("build-image", "now"), "now"),
        (("push-image",), "terraform"),
        (("push-image", "stepbench"), "stepbench"),
        (("push-image", f"{ECR}/a", f"{ECR}/b"), f"{ECR}/b"),
        (("push-image", f"{ECR}/a", "--force"), "--force"),
        (("push-image", f"{ECR}/a", "--engine", "buildah"), "--engine"),
    ],
)
def test_what_is_wrong_with_the_arguments_is_said_in_one_line(
    arguments: tuple[str, ...], named: str, programs: Path
) -> None:
    done = script(*arguments, programs=programs)
    assert done.returncode == 2
    assert len(done.stderr.splitlines()) == 1
    assert named in done.stderr


def test_each_architecture_is_built_for_itself_and_from_the_given_base(programs: Path) -> None:
    stand_in(programs, "docker")
    done = script(
        *("build-image", "--engine", "docker", "--platform", "linux/amd64,linux/arm64"),
        *("--base-image", "mine:1", "--tag", "registry.example:5000/bench:2"),
        programs=programs,
    )
    assert done.returncode == 0, done.stderr
    amd64, arm64 = calls(programs)
    for call, architecture in ((amd64, "amd64"), (arm64, "arm64")):
        assert call.startswith("docker build ")
        assert f"--platform linux/{architecture} --tag registry.example:5000/bench:2-{architecture}" in call
        assert "--build-arg BASE_IMAGE=mine:1" in call


def test_what_docker_would_make_an_index_of_images_of_is_left_out(programs: Path) -> None:
    """Lambda takes no index: https://docs.aws.amazon.com/lambda/latest/dg/python-image.html."""
    stand_in(programs, "docker", f'echo "without: $BUILDX_NO_DEFAULT_ATTESTATIONS" >>{programs.parent}/calls')

    assert script("build-image", "--engine", "docker", programs=programs).returncode == 0

    assert "without: 1" in calls(programs)


def test_where_pip_looks_reaches_the_build_and_is_gone_afterwards(programs: Path, tmp_path: Path) -> None:
    listed = "printf '%s\\n' \"global.index-url='https://me:secret@index.example/simple'\" \":env:.cert='/my/ca.pem'\""
    stand_in(programs, "python3", listed)
    keep = f'for word; do case "$word" in id=pip.conf,src=*) cp "${{word#*src=}}" \'{tmp_path}/kept\' ;; esac; done'
    stand_in(programs, "docker", keep)

    done = script("build-image", "--engine", "docker", programs=programs)

    assert done.returncode == 0, done.stderr
    assert "index-url = https://me:secret@index.example/simple" in (tmp_path / "kept").read_text().splitlines()
    (build,) = [call for call in calls(programs) if call.startswith("docker")]
    assert "--secret id=ca.pem,src=/my/ca.pem" in build
    assert "secret@" not in build + done.stdout + done.stderr
    (source,) = [word.partition("src=")[2] for word in build.split() if word.startswith("id=pip.conf")]
    assert not Path(source).exists()


def test_an_image_is_pushed_to_ecr_with_the_login_that_aws_gives(programs: Path) -> None:
    stand_in(programs, "podman")
    stand_in(programs, "aws", "echo the-password")

    done = script("push-image", f"{ECR}/stepbench", "--engine", "podman", programs=programs)

    assert done.returncode == 0, done.stderr
    assert done.stdout == f"pushed {ECR}/stepbench:latest for amd64 arm64\n"
    made = [call for call in calls(programs) if "inspect" not in call and "manifest create" not in call]
    listed = made[-1].split()[-1]
    assert made[:3] == [
        "aws ecr get-login-password --region eu-west-1",
        f"podman login --username AWS --password-stdin {ECR}",
        "the-password",
    ]
    assert made[3:] == [
        f"podman tag stepbench:latest-amd64 {ECR}/stepbench:latest-amd64",
        f"podman push {ECR}/stepbench:latest-amd64",
        f"podman tag stepbench:latest-arm64 {ECR}/stepbench:latest-arm64",
        f"podman push {ECR}/stepbench:latest-arm64",
        f"podman manifest add {listed} containers-storage:{ECR}/stepbench:latest-amd64",
        f"podman manifest add {listed} containers-storage:{ECR}/stepbench:latest-arm64",
        f"podman manifest push --all --format v2s2 {listed} docker://{ECR}/stepbench:latest",
        f"podman manifest rm {listed}",
    ]


def test_a_dry_run_prints_the_commands_and_runs_none(programs: Path) -> None:
    stand_in(programs, "docker")

    done = script("push-image", f"{ECR}/stepbench:7", "--engine", "docker", "--dry-run", programs=programs)

    assert done.returncode == 0, done.stderr
    assert done.stdout.splitlines() == [
        f"aws ecr get-login-password --region eu-west-1 | docker login --username AWS --password-stdin {ECR}",
        f"docker tag stepbench:latest-amd64 {ECR}/stepbench:7-amd64 ",
        f"docker push {ECR}/stepbench:7-amd64 ",
        f"docker tag stepbench:latest-arm64 {ECR}/stepbench:7-arm64 ",
        f"docker push {ECR}/stepbench:7-arm64 ",
        f"docker buildx imagetools create --tag {ECR}/stepbench:7 {ECR}/stepbench:7-amd64 {ECR}/stepbench:7-arm64 ",
    ]
    assert all(call.startswith("docker image inspect") for call in calls(programs))


@pytest.mark.parametrize(
    ("broken", "answer", "told"),
    [
        ("aws", "echo 'Unable to locate credentials' >&2; exit 253", "AWS_PROFILE"),
        ("podman", 'case "$1" in login) exit 125 ;; esac', "refused the login"),
        ("podman", 'case "$1" in push) exit 125 ;; esac', "was not pushed"),
        ("podman", 'case "$*" in *"manifest push"*) exit 125 ;; esac', "was not made of"),
        ("podman", 'case "$2" in inspect) exit 1 ;; esac', "scripts/build-image makes them"),
    ],
)
def test_what_a_registry_or_an_engine_refuses_ends_it_with_a_sentence(
    broken: str, answer: str, told: str, programs: Path
) -> None:
    stand_in(programs, "podman")
    stand_in(programs, "aws", "echo the-password")
    stand_in(programs, broken, answer)

    done = script("push-image", f"{ECR}/stepbench", "--engine", "podman", programs=programs)

    assert done.returncode == 3
    assert told in done.stderr.splitlines()[-1]
    assert done.stderr.count("push-image: ") == 1
    assert "pushed " not in done.stdout
