from __future__ import annotations

import json
import os
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest

from orchestrator import cli
from orchestrator.experiment.lines import Case
from tests.orchestrator.experiment.plans import write_experiment, write_run

A, B = "20250102-030405-00000a", "20250102-030405-00000b"


def compare(capsys: pytest.CaptureFixture[str], *words: str) -> tuple[int, str, str]:
    """Exit code, stdout and stderr, with line breaks as spaces."""
    code = cli.main(["compare", *words])
    out, err = capsys.readouterr()
    return code, " ".join(out.split()), err


def write_two(a_ms: float, b_ms: float, steps: int = 40, **of_b: Any) -> tuple[str, str]:
    Path("out").mkdir(exist_ok=True)
    return str(write_run(Path("out"), A, a_ms, steps)), str(write_run(Path("out"), B, b_ms, steps, **of_b))


def test_of_two_runs_the_step_and_every_phase_get_a_verdict(capsys: pytest.CaptureFixture[str]) -> None:
    write_two(1000, 1300)

    code, out, _ = compare(capsys, A, B)

    assert code == 0
    assert "B is 30.0 % slower than A" in out
    assert "download 100.00 100.00 1.000 1.000-1.000 no difference seen" in out
    assert "transit 190.00 490.00 2.579 2.579-2.579 slower" in out
    assert "This compares one run with one run" in out


@pytest.mark.parametrize(("b_ms", "code"), [(1300, 4), (1040, 0), (700, 0)])
def test_a_build_fails_when_the_second_is_slower_than_allowed(
    b_ms: float, code: int, capsys: pytest.CaptureFixture[str]
) -> None:
    files = write_two(1000, b_ms)

    assert compare(capsys, *files, "--fail-if-slower", "5%")[0] == code


def test_a_gate_that_cannot_tell_does_not_pass(capsys: pytest.CaptureFixture[str]) -> None:
    files = write_two(1000, 1300, steps=1)

    code, out, err = compare(capsys, *files, "--fail-if-slower=5%")

    assert code == 2
    assert "cannot tell, fewer than 6 steps cannot tell how sure it is" in out
    assert err.startswith("--fail-if-slower 5%: cannot tell")


@pytest.mark.parametrize(
    ("of_b", "told"),
    [
        ({"environment": "aws"}, "embedded stack and the other on AWS"),
        ({"payload_mb": 1.0}, "PAYLOAD_MB 50.0 in A, 1.0"),
    ],
)
def test_what_should_not_be_compared_is_refused_unless_it_is_wanted(
    of_b: dict[str, Any], told: str, capsys: pytest.CaptureFixture[str]
) -> None:
    files = write_two(1000, 1000, **of_b)

    code, _, err = compare(capsys, *files)

    assert code == 2
    assert told in err
    assert err.strip().endswith("--anyway compares them all the same")
    assert compare(capsys, *files, "--anyway")[0] == 0


def test_two_experiments_are_compared_case_by_case(capsys: pytest.CaptureFixture[str]) -> None:
    write_experiment(Path("a"), {"json": 1000, "arrow": 500})
    write_experiment(Path("b"), {"json": 1010, "arrow": 800})

    code, out, _ = compare(capsys, "a", "b", "--fail-if-slower", "20%")

    assert code == 4
    assert "json: B and A: no difference seen" in out
    assert "arrow: B is" in out
    assert "not measured side by side" in out


def test_experiments_with_other_cases_are_refused_unless_it_is_wanted(capsys: pytest.CaptureFixture[str]) -> None:
    write_experiment(Path("a"), {"json": 1000, "arrow": 500})
    write_experiment(Path("b"), {"json": 1000, "csv": 500})

    code, _, err = compare(capsys, "a", "b")

    assert (code, err) == (
        2,
        "only one of the two experiments has the cases arrow, csv; --anyway compares the others\n",
    )
    assert compare(capsys, "a", "b", "--anyway")[0] == 0


def test_cases_of_the_same_name_with_other_payloads_are_refused_unless_it_is_wanted(
    capsys: pytest.CaptureFixture[str],
) -> None:
    for folder, payload_mb in (("a", 1.0), ("b", 50.0)):
        own = (
            Case(name="small", settings={"PAYLOAD_MB": 1.0, "STEPS": 3}),
            Case(name="large", settings={"PAYLOAD_MB": payload_mb, "STEPS": 3 if folder == "a" else 5}),
        )
        write_experiment(Path(folder), {"small": 500, "large": 1000}, cases=own, settings={"ORCH_BUCKET": None})

    code, _, err = compare(capsys, "a", "b")

    told = "their payloads are not the same in large (PAYLOAD_MB 1.0 in A, 50.0 in B)"
    assert (code, err) == (2, f"{told}; --anyway compares them all the same\n")
    code, out, _ = compare(capsys, "a", "b", "--anyway")
    assert code == 0
    assert "Their settings differ in large: PAYLOAD_MB 1.0 in A, 50.0 in B, STEPS 3 in A, 5 in B." in out


def test_experiments_without_a_figure_are_a_sentence_and_no_traceback(capsys: pytest.CaptureFixture[str]) -> None:
    write_experiment(Path("a"), {"json": 1000})
    write_experiment(Path("b"), {"json": 0})

    code, out, _ = compare(capsys, "a", "b")

    assert code == 0
    assert "cannot tell, the case has nothing that was measured" in out


def test_a_setting_that_differs_is_told_as_one_types_it(capsys: pytest.CaptureFixture[str]) -> None:
    a, b = write_two(1000, 1000)
    for path, tag in ((a, "true"), (b, "false")):
        text = Path(path).read_text()
        Path(path).write_text(text.replace('"PAYLOAD_MB":', f'"PAYLOAD_TAG":{tag},"PAYLOAD_MB":', 1))

    _, out, _ = compare(capsys, a, b)

    assert "Their settings differ: PAYLOAD_TAG true in A, false in B." in out


def test_a_run_that_is_still_going_on_and_other_versions_are_told(capsys: pytest.CaptureFixture[str]) -> None:
    a, b = write_two(1000, 1000)
    lines = Path(b).read_text().replace('"stepbench":"0.1.0"', '"stepbench":"0.2.0"').splitlines(keepends=True)
    Path(b).write_text("".join(lines[:-11]))

    _, out, _ = compare(capsys, a, b)

    assert "is not finished, or is still being written: 35 of 40 steps so far" in out
    assert "Their versions differ: stepbench 0.1.0 in A, 0.2.0 in B." in out


@pytest.mark.parametrize(
    ("words", "told"),
    [
        (["out"], "compare takes two runs or experiments, and one is named"),
        (["out", "out", "out"], "compare takes two runs or experiments, and 3 are named"),
        (["empty", "out"], "empty is empty, so it is no experiment's"),
        (["gone", "out"], "there is no metrics file out/metrics-gone.jsonl"),
        ([A, "exp"], "one is a run and the other an experiment; name two of a kind"),
        ([A, A], f"out/metrics-{A}.jsonl is named twice"),
        (["--fail-if-slower=5%"], "--fail-if-slower goes with two runs or experiments to compare"),
        ([A, B, "--fail-if-slower=much"], "'much' is no share such as 5%"),
    ],
)
def test_what_cannot_be_compared_is_a_sentence(words: list[str], told: str, capsys: pytest.CaptureFixture[str]) -> None:
    write_two(1000, 1000)
    write_experiment(Path("exp"), {"json": 1000})
    Path("empty").mkdir()

    code, out, err = compare(capsys, *words)

    assert (code, out) == (2, "")
    assert told in err
    assert err.count("\n") == 1


def test_flags_without_a_meaning_beside_two_are_refused_each_by_name(capsys: pytest.CaptureFixture[str]) -> None:
    files = write_two(1000, 1000)
    vain = ["--serializers=json,csv", "--repeats=99", "--plan=nothere.toml", "--resume=out"]

    code, out, err = compare(capsys, *files, *vain)

    assert (code, out) == (2, "")
    assert [f"so {word.partition('=')[0]} has" in err for word in vain[1:]] == [True] * 3
    assert "so --serializer has no meaning here; leave it out" in err
    assert err.count("\n") == len(vain)


def test_two_runs_are_one_json_object_if_that_is_wanted(capsys: pytest.CaptureFixture[str]) -> None:
    files = write_two(1000, 1300)
    assert cli.main(["compare", *files, "--json"]) == 0

    found = json.loads(capsys.readouterr().out)

    assert found["cases"][0]["step"]["comparison"]["verdict"] == "more"


def test_nothing_of_aws_is_loaded_for_it() -> None:
    files = write_two(1000, 1300)
    code = (
        f"import sys; from orchestrator import cli; cli.main(['compare', {files[0]!r}, {files[1]!r}]);"
        "sys.exit(' '.join(name for name in ('boto3', 'pyarrow') if name in sys.modules) or 0)"
    )

    answer = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=False, env=os.environ)

    assert (answer.returncode, answer.stderr) == (0, "")
