from __future__ import annotations

import pytest

from scripts.docs import commands

FLAGS = {
    ("orchestrator",): {"--help"},
    ("orchestrator", "start"): {"--steps", "--json", "-q"},
    ("worker",): {"--executors"},
    ("benchmarks.step",): {"--help"},
}
KNOWN = commands.Known(
    flags=lambda *program: FLAGS.get(program),
    variables={"STEPS", "ORCH_BUCKET"},
    targets={"run", "test"},
    make_variables={"ARGS"},
    modules={"orchestrator", "worker", "benchmarks.step"},
)


def problems(*console: str) -> list[str]:
    document = "\n".join(["```console", *console, "```"])
    return commands.wrong_commands(document, "README.md", KNOWN)


@pytest.mark.parametrize(
    "command",
    [
        "make run",
        'make run ARGS="--steps 3"',
        "STEPS=3 make run -j4 ORCH_BUCKET=b",
        "python -m orchestrator start --steps 3 --json -q",
        "STEPS=3 AWS_REGION=eu-west-1 .venv/bin/python3 -m orchestrator start --steps=3 > out.json",
        "stepbench start --json | jq .chains",
        "stepbench-worker --executors 2 &",
        "python -m orchestrator --help && python -m benchmarks.step",
        "export ORCH_BUCKET=mine",
        "git clone https://example.com/x --depth 1",
    ],
)
def test_commands_that_exist_are_fine(command: str) -> None:
    assert problems(f"$ {command}") == []


@pytest.mark.parametrize(
    ("command", "named"),
    [
        ("make rum", "rum"),
        ("make run ARGZ=1", "ARGZ"),
        ("STRIDES=3 make run", "STRIDES"),
        ("python -m orchestrator begin", "begin"),
        ("python -m orchestrator start --stepz 3", "--stepz"),
        ("cd x && stepbench start --stepz=3", "--stepz"),
        ("stepbench-worker --steps 2 &", "--steps"),
        ("STRIDES=3 python -m worker", "STRIDES"),
        ("python -m benchmarks.gone", "benchmarks.gone"),
        ("export ORCH_BUKET=mine", "ORCH_BUKET"),
    ],
)
def test_what_does_not_exist_is_named(command: str, named: str) -> None:
    (problem,) = problems("output", f"$ {command}")
    assert problem.startswith("README.md:3: ")
    assert named in problem


def test_a_command_goes_on_after_a_backslash() -> None:
    (problem,) = problems("$ python -m orchestrator start \\", "    --stepz 3", "make rum is output")
    assert problem.startswith("README.md:2: ")


def test_blocks_of_other_languages_are_left_alone() -> None:
    assert commands.wrong_commands("```text\n$ make rum\n```", "README.md", KNOWN) == []


def test_targets_and_variables_are_read_from_the_makefile() -> None:
    makefile = "PYTHON ?= python3\nVENV := .venv\nrun: x\n\techo a: b\n$(VENV)/dev: y\n.PHONY: run\n"
    assert commands.make_targets(makefile) == {"run"}
    assert commands.make_variables(makefile) == {"PYTHON"}
