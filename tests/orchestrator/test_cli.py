from __future__ import annotations

import os
import signal
import subprocess
import sys
from argparse import ArgumentParser, Namespace
from collections.abc import Callable, Iterator
from importlib.metadata import version
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pytest
import structlog

from orchestrator import cli
from stepbench import registry
from stepbench.errors import EnvironmentRefused, PayloadRefused, UsageError
from stepbench.settings import Settings

PROGRAM = [sys.executable, "-m", "orchestrator"]
COMMANDS = ("cleanup", "dead-letters", "local", "policy", "report", "settings", "start", "tail")
HEAVY = "boto3 botocore pyarrow rich structlog moto msgpack tenacity orchestrator.run orchestrator.local"
QUEUE = "https://sqs.eu-west-1.amazonaws.com/123456789012/steps"
SHORT_OUTPUT = ["policy", "--role=worker", "--bucket=payloads", f"--steps-queue-url={QUEUE}"]
Run = Callable[[Settings, Namespace], int]


@pytest.fixture(autouse=True)
def as_before() -> Iterator[None]:
    """cli.main sets up logs for a process of its own."""
    configured = structlog.get_config()
    yield
    structlog.configure(**configured)


@pytest.fixture
def stub(monkeypatch: pytest.MonkeyPatch) -> Callable[[Run], None]:
    """Puts a command `stub` in place of all there are."""

    def install(run: Run) -> None:
        def add_arguments(parser: ArgumentParser) -> None:
            parser.add_argument("--word")

        command = SimpleNamespace(HELP="do as told", SETTINGS=("STEPS",), add_arguments=add_arguments, run=run)
        choices, load = registry.choices, registry.load
        monkeypatch.setattr(registry, "choices", lambda of: ("stub",) if of == cli.COMMANDS else choices(of))
        monkeypatch.setattr(registry, "load", lambda of, name: command if of == cli.COMMANDS else load(of, name))

    return install


def raising(error: BaseException) -> Run:
    def run(settings: Settings, arguments: Namespace) -> int:
        raise error

    return run


def program(*words: str, **more: Any) -> subprocess.CompletedProcess[str]:
    return subprocess.run([*PROGRAM, *words], capture_output=True, text=True, check=False, **more)


# --- help and wrong words -------------------------------------------------------------------------------------------


def test_help_lists_the_commands_and_the_exit_codes() -> None:
    answer = program("--help")

    assert (answer.returncode, answer.stderr) == (0, "")
    indented = {line.split()[0] for line in answer.stdout.splitlines() if line.startswith("    ") and line[4] != " "}
    assert indented.issuperset(COMMANDS)
    assert "3 the environment refused" in " ".join(answer.stdout.split())


@pytest.mark.parametrize("command", COMMANDS)
def test_every_command_has_help_that_fits_a_terminal(command: str) -> None:
    answer = program(command, "--help", env={**os.environ, "COLUMNS": "80"})

    assert (answer.returncode, answer.stderr) == (0, "")
    assert f"usage: python -m orchestrator {command}" in answer.stdout
    assert max(map(len, answer.stdout.splitlines())) <= 80


@pytest.mark.parametrize("name", ["orchestrator", "worker"])
def test_both_programs_tell_their_version(name: str) -> None:
    answer = subprocess.run([sys.executable, "-m", name, "--version"], capture_output=True, text=True, check=True)
    assert (answer.stdout, answer.stderr) == (f"stepbench {version('stepbench')}\n", "")


@pytest.mark.parametrize("words", [["--help"], ["start", "--help"]])
def test_nothing_heavy_is_imported_for_help(words: list[str]) -> None:
    script = (
        "import sys\nfrom orchestrator.cli import main\n"
        f"try:\n    main({words!r})\nexcept SystemExit:\n    pass\n"
        f"print([name for name in {HEAVY!r}.split() if name in sys.modules])"
    )
    answer = subprocess.run([sys.executable, "-c", script], capture_output=True, text=True, check=True)
    assert answer.stdout.splitlines()[-1] == "[]"


@pytest.mark.parametrize(
    ("words", "told"),
    [
        ([], "a command comes first, as in python -m orchestrator start; see"),
        (["strat"], "did you mean start?"),
        (["dead_letters"], "did you mean dead-letters?"),
        (["--steps", "3"], "a command comes first, as in python -m orchestrator start --steps 3; see"),
        (["start", "--stepz", "3"], "did you mean --steps?"),
        (["start", "--payload-m", "3"], "--payload-m is no flag"),
        (["start", "--jso"], "--jso is no flag"),
        (["start", "--steps"], "--steps"),
        (["start", "extra"], "extra is no flag or argument"),
        (["settings", "--steps", "3"], "--steps is a setting, but not one of this command"),
        (["policy"], "--role"),
        (["--steps", "3", "tail"], "a command comes first, as in python -m orchestrator tail --steps 3; see"),
    ],
)
def test_wrong_words_are_exit_code_2_and_one_line(
    words: list[str], told: str, capsys: pytest.CaptureFixture[str]
) -> None:
    with pytest.raises(SystemExit) as end:
        cli.main(words)

    assert end.value.code == 2
    out, err = capsys.readouterr()
    assert out == ""
    assert told in err
    assert err.count("\n") == 1


# --- exit codes -----------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("code", [0, 1, 130])
def test_a_commands_own_exit_code_is_the_programs(code: int, stub: Callable[[Run], None]) -> None:
    stub(lambda settings, arguments: code)
    assert cli.main(["stub"]) == code


@pytest.mark.parametrize(
    ("error", "code", "told"),
    [
        (UsageError("one thing"), 2, "one thing\n"),
        (UsageError(["one thing", "another"]), 2, "one thing\nanother\n"),
        (PayloadRefused("row 3 is ragged"), 2, "row 3 is ragged\n"),
        (EnvironmentRefused("no such bucket"), 3, "no such bucket\n"),
    ],
)
def test_what_is_foreseeable_is_told_in_sentences_on_stderr(
    error: BaseException, code: int, told: str, stub: Callable[[Run], None], capsys: pytest.CaptureFixture[str]
) -> None:
    stub(raising(error))

    assert cli.main(["stub"]) == code
    assert capsys.readouterr() == ("", told)


def test_a_bug_of_ours_keeps_its_traceback(stub: Callable[[Run], None]) -> None:
    bug = KeyError("ours")
    stub(raising(bug))

    with pytest.raises(KeyError) as passed:
        cli.main(["stub"])
    assert passed.value is bug


def test_a_command_gets_its_settings_and_its_arguments(stub: Callable[[Run], None]) -> None:
    stub(lambda settings, arguments: settings.steps + len(arguments.word))

    assert cli.main(["stub", "--steps", "3", "--word", "hello"]) == 8


def test_wrong_settings_never_reach_a_command(stub: Callable[[Run], None], capsys: pytest.CaptureFixture[str]) -> None:
    stub(raising(AssertionError("reached")))

    assert cli.main(["stub", "--steps", "none"]) == 2
    assert capsys.readouterr().err.startswith("--steps none: must be a whole number")


def test_a_line_of_the_file_that_is_nearly_ours_is_told_and_stops_nobody(
    stub: Callable[[Run], None], capsys: pytest.CaptureFixture[str]
) -> None:
    Path(".env").write_text("ORCH_BUKET=payloads\n")
    stub(lambda settings, arguments: 0)

    assert cli.main(["stub"]) == 0
    assert "did you mean ORCH_BUCKET?" in capsys.readouterr().err


# --- whole processes ------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("asked", [signal.SIGINT, signal.SIGTERM])
def test_being_asked_to_end_is_exit_code_130_without_a_traceback(asked: signal.Signals) -> None:
    with subprocess.Popen(
        [*PROGRAM, "tail", "no-run-yet"], stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True
    ) as running:
        assert running.stderr is not None
        # It tells that it waits, so it is past its imports.
        first = running.stderr.readline()
        running.send_signal(asked)
        out, err = running.communicate(timeout=60)
    assert (running.returncode, out) == (130, ""), first + err
    assert "Traceback" not in first + err


@pytest.mark.parametrize("program_name", ["orchestrator", "worker"])
def test_a_signal_during_the_first_imports_leaves_no_traceback(program_name: str) -> None:
    code = {"orchestrator": 130, "worker": 0}[program_name]
    script = (
        "import os, runpy, signal, sys\n"
        "class Interrupt:\n"
        "    def find_spec(self, name, *_):\n"
        f"        if name == '{program_name}.cli':\n"
        "            os.kill(os.getpid(), signal.SIGINT)\n"
        "sys.meta_path.insert(0, Interrupt())\n"
        f"runpy.run_module('{program_name}', run_name='__main__')\n"
    )

    ended = subprocess.run([sys.executable, "-c", script], capture_output=True, text=True, check=False)

    assert (ended.returncode, ended.stdout, ended.stderr) == (code, "", "")


@pytest.mark.parametrize("words", [["settings"], ["--help"], ["start", "--help"], SHORT_OUTPUT])
def test_a_reader_that_has_gone_is_no_error(words: list[str]) -> None:
    # Unbuffered output would fail early, where it is easy to handle.
    buffered = {name: value for name, value in os.environ.items() if name != "PYTHONUNBUFFERED"}
    read_end, write_end = os.pipe()
    os.close(read_end)
    try:
        answer = subprocess.run(
            [*PROGRAM, *words], stdout=write_end, stderr=subprocess.PIPE, text=True, check=False, env=buffered
        )
    finally:
        os.close(write_end)
    assert (answer.returncode, answer.stderr) == (0, "")


@pytest.mark.parametrize("unbuffered", ["", "1"])
@pytest.mark.parametrize("words", [["settings"], SHORT_OUTPUT])
def test_output_that_cannot_be_written_is_exit_code_3_and_one_sentence(words: list[str], unbuffered: str) -> None:
    with Path("/dev/full").open("w") as full:
        answer = subprocess.run(
            [*PROGRAM, *words],
            stdout=full,
            stderr=subprocess.PIPE,
            text=True,
            check=False,
            env={**os.environ, "PYTHONUNBUFFERED": unbuffered},
        )
    assert (answer.returncode, answer.stderr) == (3, "stdout cannot be written: No space left on device\n")


@pytest.mark.parametrize("name", ["orchestrator", "worker"])
@pytest.mark.parametrize("unbuffered", ["", "1"])
def test_help_that_cannot_be_written_is_no_success(unbuffered: str, name: str) -> None:
    environment = {**os.environ, "PYTHONUNBUFFERED": unbuffered}
    with Path("/dev/full").open("w") as full:
        answer = subprocess.run(
            [sys.executable, "-m", name, "--help"],
            stdout=full,
            stderr=subprocess.PIPE,
            text=True,
            check=False,
            env=environment,
        )
    assert (answer.returncode, answer.stderr) == (3, "stdout cannot be written: No space left on device\n")


@pytest.mark.parametrize("words", [["settings"], ["--help"], ["start", "--steps=1", "--payload-mb=0.01", "--quiet"]])
def test_a_stdout_that_is_closed_is_no_error(words: list[str]) -> None:
    script = [f'"{sys.executable}" -m orchestrator "$@" >&-', "sh", *words]
    answer = subprocess.run(["sh", "-c", *script], stderr=subprocess.PIPE, text=True, check=False)
    assert answer.returncode == 0, answer.stderr
    assert "Traceback" not in answer.stderr


@pytest.mark.parametrize("allowed", [7, 10, 14])
def test_too_few_open_files_are_exit_code_3_and_a_sentence(allowed: int) -> None:
    limited = ["sh", "-c", f'ulimit -n {allowed}; exec "$@"', "sh", *PROGRAM, "start", "--quiet"]
    answer = subprocess.run(limited, capture_output=True, text=True, check=False)
    assert (answer.returncode, answer.stderr) == (
        3,
        f"Too many open files: a process may have {allowed} of them here; allow more, as with ulimit -n 1024\n",
    )


def test_a_command_does_not_care_for_settings_that_it_does_not_read() -> None:
    Path(".env").write_text("STEPS=many\nPAYLOAD_FILE=nowhere.csv\n")

    answer = program("settings")

    assert (answer.returncode, answer.stderr) == (0, "")


def test_the_head_of_the_output_can_be_taken() -> None:
    script = f'set -o pipefail; "{sys.executable}" -m orchestrator settings | head -1'
    answer = subprocess.run(["bash", "-c", script], capture_output=True, text=True, check=True)
    assert answer.stdout.startswith("Variable")
    assert answer.stderr == ""


@pytest.mark.parametrize("content", [b"\xff\xfe\n", b"STEPS=many\n"])
def test_a_file_of_settings_that_is_wrong_is_told_without_a_traceback(content: bytes) -> None:
    Path(".env").write_bytes(content)

    answer = program("start")

    assert (answer.returncode, answer.stdout) == (2, "")
    assert ".env" in answer.stderr
    assert answer.stderr.count("\n") == 1
