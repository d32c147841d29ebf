from __future__ import annotations

import os
import threading
from pathlib import Path

import pytest

from stepbench import env_file
from stepbench.settings import Settings, variables_of

KNOWN = [variable for field in Settings.model_fields for variable in variables_of(field)]
FILE = Path(".env")


def complaints(text: str) -> list[str]:
    FILE.write_text(text, encoding="utf-8")
    return env_file.complaints(KNOWN)


def test_without_a_file_nothing_is_said_and_nothing_is_wrong() -> None:
    assert env_file.read() == env_file.EnvFile({}, ())
    assert env_file.complaints(KNOWN) == []


@pytest.mark.parametrize(
    ("text", "lines"),
    [
        ("two words\n", "line 1"),
        ("STEPS=2\n\n# a remark\n\ntwo words\nCHAINS=3\n", "line 5"),
        ("STEPS=2\r\n\r\ntwo words=1\r\nCHAINS=3\r\n", "line 3"),
        ("two words\nSTEPS=2\n  NAME='torn\n=3", "lines 1, 3, 4"),
    ],
)
def test_lines_that_cannot_be_understood_are_told_in_one_sentence_with_file_and_number(
    text: str, lines: str, caplog: pytest.LogCaptureFixture
) -> None:
    told = f".env: left out what cannot be understood in {lines}; a line looks like STEPS=3"
    assert complaints(text) == [told]
    assert caplog.records == []


def test_the_lines_around_one_that_cannot_be_understood_hold() -> None:
    FILE.write_text("STEPS=2\ntwo words\nCHAINS=3\n")
    assert env_file.read().values == {"STEPS": "2", "CHAINS": "3"}


def test_a_file_that_is_a_pipe_is_read_as_password_managers_offer_it() -> None:
    os.mkfifo(FILE)
    writer = threading.Thread(target=FILE.write_text, args=("STEPS=2\n",))
    writer.start()
    assert env_file.read().values == {"STEPS": "2"}
    writer.join()


@pytest.mark.parametrize(
    ("name", "meant"),
    [
        ("SERIALISER", "SERIALIZER"),
        ("COMPRESION", "COMPRESSION"),
        ("CONCURENCY", "CONCURRENCY"),
        ("PAYLOADMB", "PAYLOAD_MB"),
        ("payload_mb", "PAYLOAD_MB"),
        ("STEP_TIME_OUT", "STEP_TIMEOUT"),
    ],
)
def test_a_name_that_is_nearly_a_setting_is_told_with_the_one_that_was_meant(name: str, meant: str) -> None:
    assert complaints(f"{name}=1\n") == [f".env: {name!r} is no setting; did you mean {meant}?"]


@pytest.mark.parametrize(
    "name",
    [
        "CHAIN",
        "SSL",
        "LOG_FILE",
        "AWS_ENDPOINT_URL_SNS",
        "AWS_ACCESS_KEY_ID",
        "CONNECTION_TIMEOUT",
        "INSTALL_TIMEOUT",
        "READ_TIMEOUT_MS",
        "DATABASE_URL",
        "COMPOSE_PROJECT_NAME",
        "PAYLOAD_SIZE",
    ],
)
def test_variables_of_other_programs_draw_no_complaint(name: str) -> None:
    assert complaints(f"{name}=1\n") == []


@pytest.mark.parametrize("variable", KNOWN)
def test_no_setting_draws_a_complaint(variable: str) -> None:
    assert complaints(f"{variable}=1\n") == []
