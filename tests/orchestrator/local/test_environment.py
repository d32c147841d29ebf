from __future__ import annotations

import os
from pathlib import Path

import pytest

import orchestrator
from orchestrator.local import environment
from stepbench import configuration, settings_table
from stepbench.settings import Settings

QUEUE = "http://127.0.0.1:1/123456789012/steps"
USERS = {
    "PATH": "/bin",
    "HOME": "/home/user",
    "TMPDIR": "/scratch",
    "AWS_PROFILE": "production",
    "AWS_SESSION_TOKEN": "secret",
    "AWS_ENDPOINT_URL": "https://elsewhere",
    "AWS_CONFIG_FILE": "/somewhere/.aws/config",
    "AWS_DEFAULT_REGION": "eu-west-1",
    "ORCH_BUCKET": "production",
    "ORCH_NO_SUCH": "1",
    "MOTO_S3_DEFAULT_KEY_BUFFER_SIZE": "1",
    "EXECUTORS": "64",
    "HTTP_PROXY": "http://proxy",
    "https_proxy": "http://proxy",
    "PYTHONPATH": "/somewhere/lib",
}


def test_what_speaks_of_aws_settings_or_proxies_is_not_passed_on() -> None:
    passed_on = environment.cleaned(USERS)

    assert {name: value for name, value in passed_on.items() if name in USERS and name != "PYTHONPATH"} == {
        "PATH": "/bin",
        "HOME": "/home/user",
        "TMPDIR": "/scratch",
        "AWS_CONFIG_FILE": os.devnull,
    }
    assert passed_on["AWS_SHARED_CREDENTIALS_FILE"] == os.devnull
    assert passed_on["AWS_EC2_METADATA_DISABLED"] == "true"


def test_our_own_packages_are_found_before_those_of_the_user() -> None:
    ours, users = environment.cleaned(USERS)["PYTHONPATH"].split(os.pathsep)

    assert Path(ours) == Path(orchestrator.__file__).parents[1]
    assert users == "/somewhere/lib"


def test_a_second_terminal_is_told_what_to_forget() -> None:
    users, env_file = {"AWS_PROFILE": "team", "AWS_SESSION_TOKEN": "token"}, {"AWS_ENDPOINT_URL": "http://elsewhere"}
    lines = environment.for_second_terminal({"ORCH_BUCKET": "stepbench"}, users, env_file)

    assert lines["ORCH_BUCKET"] == "stepbench"
    assert lines["AWS_PROFILE"] == lines["AWS_SESSION_TOKEN"] == lines["AWS_ENDPOINT_URL"] == ""
    assert lines["AWS_CONFIG_FILE"] == os.devnull
    assert "NO_PROXY" not in lines


def test_a_second_terminal_where_nothing_is_in_the_way_can_use_other_programs_of_the_sdk() -> None:
    lines = environment.for_second_terminal({}, {"AWS_PROFILE": ""}, {})

    assert "AWS_PROFILE" not in lines


@pytest.mark.parametrize(("no_proxy", "expected"), [(None, "127.0.0.1"), ("intranet", "intranet,127.0.0.1")])
def test_a_second_terminal_behind_a_proxy_reaches_this_machine_directly(no_proxy: str | None, expected: str) -> None:
    proxied = {"HTTPS_PROXY": "http://proxy", **({"NO_PROXY": no_proxy} if no_proxy else {})}
    lines = environment.for_second_terminal({}, proxied, {})

    assert lines["NO_PROXY"] == lines["no_proxy"] == expected


def test_a_workers_settings_become_flags_that_win_over_dot_env(monkeypatch: pytest.MonkeyPatch) -> None:
    settings = Settings.model_construct(
        bucket="stepbench", steps_queue_url=QUEUE, executors=3, visibility_timeout_seconds=7
    )
    monkeypatch.setenv("AWS_PROFILE", "production")
    Path(".env").write_text("AWS_ENDPOINT_URL=https://elsewhere\nEXECUTORS=64\nVISIBILITY_TIMEOUT=700\n")

    given = dict(flag.split("=", 1) for flag in environment.worker_flags(settings))
    variables = {row.flag: row.variable for row in settings_table.table()}
    seen = configuration.load({variables[flag]: value for flag, value in given.items()})

    assert (seen.bucket, seen.executors, seen.visibility_timeout_seconds) == ("stepbench", 3, 7)
    assert seen.profile is None
    assert seen.endpoint_url is None
    assert {variables[flag] for flag in given} == {
        row.variable for row in settings_table.table() if "worker" in row.programs
    }
