"""scripts/deploy: what it asks of terraform, and what becomes of a `.env` that has lines of the user's."""

from __future__ import annotations

import os
import shutil
import stat
import subprocess
from dataclasses import dataclass
from pathlib import Path

import pytest

from scripts.docs.tree import ROOT
from stepbench import env_file

FLEETS = '{"small":{"max":2,"vcpus":0.5}}'
DOTENV = f"AWS_REGION=eu-west-1\nORCH_BUCKET=payloads\nORCH_FLEETS='{FLEETS}'\nORCH_PREFIX=runs/{{date}}/{{run_id}}/\n"


@dataclass(frozen=True)
class Desk:
    """A folder to deploy from, and a terraform that only writes down how it was called."""

    folder: Path

    def terraform(self, fails: str = "", dotenv: str = DOTENV, planned: str = "") -> None:
        (self.folder / "bin").mkdir(exist_ok=True)
        (self.folder / "dotenv").write_text(dotenv)
        (self.folder / "planned").write_text(planned)
        program = self.folder / "bin" / "terraform"
        program.write_text(
            f'#!/bin/sh\necho "$@" >>{self.folder}/calls\n'
            f'case "$2" in "{fails}") exit 1 ;; output) cat {self.folder}/dotenv ;; '
            f"show) cat {self.folder}/planned ;; esac\n"
        )
        program.chmod(0o755)

    def deploy(self, *arguments: str, path: str = "/usr/bin:/bin") -> subprocess.CompletedProcess[str]:
        return subprocess.run(
            [str(ROOT / "scripts" / "deploy"), *arguments],
            cwd=self.folder,
            env={**os.environ, "PATH": f"{self.folder / 'bin'}:{path}"},
            stdin=subprocess.DEVNULL,
            capture_output=True,
            text=True,
            check=False,
        )

    def calls(self) -> list[list[str]]:
        path = self.folder / "calls"
        return [line.split() for line in path.read_text().splitlines()] if path.exists() else []

    @property
    def dotenv(self) -> Path:
        return self.folder / ".env"


@pytest.fixture
def desk(tmp_path: Path) -> Desk:
    here = Desk(tmp_path)
    here.terraform()
    return here


def test_help_says_what_every_argument_is_for(desk: Desk) -> None:
    done = desk.deploy("--help")
    assert (done.returncode, done.stderr) == (0, "")
    assert all(flag in done.stdout for flag in ("--var-file", "--env-file", "--yes"))
    assert desk.calls() == []


def test_a_stack_is_planned_and_what_was_planned_is_applied(desk: Desk) -> None:
    (desk.folder / "mine.tfvars").touch()
    done = desk.deploy("--yes", "--var-file", "mine.tfvars")

    assert done.returncode == 0, done.stderr
    chdir = f"-chdir={ROOT / 'infra'}"
    init, plan, show, apply, output = desk.calls()
    assert init == [chdir, "init", "-input=false"]
    assert plan[:3] == [chdir, "plan", "-input=false"]
    assert plan[4:] == [f"-var-file={desk.folder / 'mine.tfvars'}"]
    planned = plan[3].removeprefix("-out=")
    assert show == [chdir, "show", "-no-color", planned]
    assert apply == [chdir, "apply", "-input=false", planned]
    assert output == [chdir, "output", "-raw", "dotenv"]
    assert not Path(planned).exists()


REPOSITORY = "  # aws_ecr_repository.this[0] will be created\n"
FUNCTION = "  # module.lambda[0].aws_lambda_function.this will be created\n"


def test_a_function_without_a_repository_for_its_image_is_left_for_the_next_time(desk: Desk) -> None:
    desk.terraform(planned=f"{REPOSITORY}\n{FUNCTION}")
    (desk.folder / "mine.tfvars").touch()
    done = desk.deploy("--yes", "--var-file", "mine.tfvars")

    assert done.returncode == 0, done.stderr
    _, plan, _, again, apply, _ = desk.calls()
    assert again == [*plan, "-var=function=null"]
    assert apply[-1] == again[3].removeprefix("-out=")
    assert "now planned without the function" in done.stderr
    assert "then this scripts/deploy once more, which makes the function" in done.stdout


@pytest.mark.parametrize("planned", [REPOSITORY, FUNCTION], ids=["no function", "its repository is there"])
def test_else_all_is_made_at_once(desk: Desk, planned: str) -> None:
    desk.terraform(planned=planned)
    done = desk.deploy("--yes")

    assert done.returncode == 0, done.stderr
    assert not [call for call in desk.calls() if "-var=function=null" in call]
    assert "once more" not in done.stdout


def test_what_is_written_is_read_as_terraform_tells_it(desk: Desk) -> None:
    assert desk.deploy("--yes").returncode == 0

    read = env_file.read()
    assert read.malformed_lines == ()
    assert read.values == {
        "AWS_REGION": "eu-west-1",
        "ORCH_BUCKET": "payloads",
        "ORCH_FLEETS": FLEETS,
        "ORCH_PREFIX": "runs/{date}/{run_id}/",
    }


@pytest.mark.parametrize("ending", ["\n", ""], ids=["whole last line", "last line without its end"])
def test_the_lines_of_the_user_stay_as_they_are_however_often_it_is_deployed(desk: Desk, ending: str) -> None:
    desk.dotenv.write_text(f"# mine\nSTEPS=3\n\n  ODD = 'a # b'{ending}")
    desk.dotenv.chmod(0o640)
    assert desk.deploy("--yes").returncode == 0
    with desk.dotenv.open("a") as more:
        more.write("CHAINS=2\n")
    desk.terraform(dotenv="ORCH_BUCKET=another\n")
    assert desk.deploy("--yes").returncode == 0

    lines = desk.dotenv.read_text().splitlines()
    assert [line for line in lines if "stepbench" not in line] == [
        *("# mine", "STEPS=3", "", "  ODD = 'a # b'"),
        "ORCH_BUCKET=another",
        "CHAINS=2",
    ]
    assert stat.S_IMODE(desk.dotenv.stat().st_mode) == 0o640
    assert [path.name for path in desk.folder.iterdir() if path.name.startswith(".env")] == [".env"]


def test_a_link_to_a_file_elsewhere_stays_one(desk: Desk) -> None:
    elsewhere = desk.folder / "elsewhere"
    elsewhere.write_text("STEPS=3\n")
    desk.dotenv.symlink_to(elsewhere)
    assert desk.deploy("--yes").returncode == 0

    assert desk.dotenv.is_symlink()
    assert elsewhere.read_text().startswith("STEPS=3\n")
    assert "ORCH_BUCKET=payloads\n" in elsewhere.read_text()


@pytest.mark.parametrize("target", ["nowhere/at/all", ".env"], ids=["into no folder", "to itself"])
def test_a_link_that_leads_nowhere_is_told_before_terraform_is_asked(desk: Desk, target: str) -> None:
    desk.dotenv.symlink_to(target)
    done = desk.deploy("--yes")

    assert done.returncode == 3
    (line,) = done.stderr.splitlines()
    assert "link" in line
    assert "--env-file" in line
    assert desk.calls() == []


def test_the_marked_lines_are_found_again_where_an_editor_ended_all_lines_as_windows_does(desk: Desk) -> None:
    desk.dotenv.write_text("STEPS=3\n")
    assert desk.deploy("--yes").returncode == 0
    desk.dotenv.write_bytes(desk.dotenv.read_bytes().replace(b"\n", b"\r\n"))
    desk.terraform(dotenv="ORCH_BUCKET=another\n")
    done = desk.deploy("--yes")

    assert (done.returncode, done.stderr) == (0, "")
    assert desk.dotenv.read_bytes().startswith(b"STEPS=3\r\n# BEGIN")
    assert desk.dotenv.read_text().count("ORCH_BUCKET") == 1


@pytest.mark.parametrize("name", ["-env", "of=me"])
def test_the_file_may_have_any_name(desk: Desk, name: str) -> None:
    (desk.folder / name).write_text("STEPS=3\n")
    for _ in range(2):
        done = desk.deploy("--yes", "--env-file", name)
        assert (done.returncode, done.stderr) == (0, "")
    assert (desk.folder / name).read_text().startswith("STEPS=3\n# BEGIN")
    assert (desk.folder / name).read_text().count("ORCH_BUCKET=payloads\n") == 1


def test_a_line_of_the_user_that_says_the_same_is_told_and_kept(desk: Desk) -> None:
    desk.dotenv.write_text("export ORCH_BUCKET=mine\nORCH_BUCKETS=other\n")
    done = desk.deploy("--yes")

    assert done.returncode == 0
    (line,) = done.stderr.splitlines()
    assert "ORCH_BUCKET too" in line
    assert desk.dotenv.read_text().startswith("export ORCH_BUCKET=mine\n")


@pytest.mark.parametrize("at", ["init", "plan", "show", "apply", "output"])
def test_where_terraform_fails_the_file_is_not_touched(desk: Desk, at: str) -> None:
    desk.dotenv.write_text("STEPS=3\n")
    desk.terraform(fails=at)
    done = desk.deploy("--yes")

    assert done.returncode == 1
    assert desk.calls()[-1][1] == at
    assert len(done.stderr.splitlines()) == 1
    assert desk.dotenv.read_text() == "STEPS=3\n"


@pytest.mark.parametrize(
    ("arguments", "code", "named"),
    [
        (("--yes", "--var-file", "none.tfvars"), 2, "none.tfvars"),
        (("--yes", "--var-file"), 2, "--var-file"),
        (("--yes", "--env-file", "nowhere/.env"), 2, "nowhere"),
        (("--yes", "--env-file", "bin"), 3, "--env-file"),
        (("--yes", "now"), 2, "now"),
        ((), 2, "--yes"),
    ],
)
def test_what_is_wrong_is_said_in_one_line_before_terraform_is_called(
    desk: Desk, arguments: tuple[str, ...], code: int, named: str
) -> None:
    done = desk.deploy(*arguments)
    assert done.returncode == code
    assert len(done.stderr.splitlines()) == 1
    assert named in done.stderr
    assert desk.calls() == []


def test_without_terraform_it_says_what_to_install(desk: Desk) -> None:
    (desk.folder / "bin" / "terraform").unlink()
    bash = shutil.which("bash")
    assert bash
    (desk.folder / "bin" / "bash").symlink_to(bash)
    done = desk.deploy("--yes", path="")
    assert done.returncode == 3
    assert "terraform" in done.stderr


@pytest.mark.parametrize("damage", ["no end", "no beginning", "twice"])
def test_marks_that_were_damaged_are_told_and_nothing_is_written(desk: Desk, damage: str) -> None:
    assert desk.deploy("--yes").returncode == 0
    begin, *rest = desk.dotenv.read_text().splitlines(keepends=True)
    whole = begin + "".join(rest)
    damaged = {"no end": begin + "".join(rest[:-1]), "no beginning": "".join(rest), "twice": whole + whole}[damage]
    desk.dotenv.write_text(damaged)
    before = len(desk.calls())
    done = desk.deploy("--yes")

    assert done.returncode == 3
    assert len(done.stderr.splitlines()) == 1
    assert desk.dotenv.read_text() == damaged
    assert len(desk.calls()) == before
