from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from stepbench import registry, settings_table
from stepbench.errors import UsageError
from stepbench.settings import Settings, flag_of, named, variable_of, variables_of

FIELDS = list(Settings.model_fields)
A_QUEUE = "https://sqs.eu-west-1.amazonaws.com/123456789012/steps"
FLEETS = json.dumps({"small": {"steps_queue_url": A_QUEUE}})
OTHER_VALUES = {
    "fleets": FLEETS,
    "lambda_function": "arn:aws:lambda:eu-west-1:123456789012:function:steps",
    "steps_queue_url": A_QUEUE,
    "results_queue_url": A_QUEUE,
    "payload_file": "records.json",
}


def other_value(field: str) -> str:
    """A value, as one types it, that is valid and not the default."""
    row = next(row for row in settings_table.table() if row.variable == variable_of(field))
    default = Settings.model_fields[field].get_default()
    if isinstance(default, bool):
        return str(not default).lower()
    if isinstance(default, int | float):
        return str(default + 1 if default != 0.5 else 0.25)
    if ", " in row.accepts and not field.endswith("prefix"):
        return next(choice for choice in row.accepts.split(", ") if choice != default)
    if field == "s3_client":
        return registry.choices("stepbench.s3_clients")[-1]
    if row.accepts.startswith("a whole number"):
        return "7"
    return {"compression": "zstd:4", **OTHER_VALUES}.get(field, "other")


def read(flags: dict[str, Any]) -> Settings:
    return Settings(**flags)


def env_file(*lines: str) -> None:
    Path(".env").write_text("".join(f"{line}\n" for line in lines), encoding="utf-8")


@pytest.mark.parametrize("field", FIELDS)
def test_every_setting_is_taken_from_a_flag_a_variable_and_a_line(field: str, monkeypatch: pytest.MonkeyPatch) -> None:
    variable, value = variable_of(field), other_value(field)
    default = getattr(Settings(), field)

    by_flag = getattr(read({variable: value}), field)
    env_file(f"{variable}={value}")
    by_line = getattr(Settings(), field)
    Path(".env").unlink()
    monkeypatch.setenv(variable, value)
    by_variable = getattr(Settings(), field)

    assert by_flag == by_variable == by_line
    assert by_flag != default or field == "s3_client"  # of which there may be only one


@pytest.mark.parametrize(
    ("flags", "environment", "lines", "steps"),
    [
        ({}, {}, [], 5),
        ({}, {}, ["STEPS=2"], 2),
        ({}, {"STEPS": "3"}, ["STEPS=2"], 3),
        ({"STEPS": "4"}, {"STEPS": "3"}, ["STEPS=2"], 4),
        ({"STEPS": "4"}, {}, ["STEPS=2"], 4),
        ({"STEPS": "4"}, {"STEPS": "3"}, [], 4),
        ({}, {"STEPS": ""}, ["STEPS=2"], 5),
        ({"STEPS": ""}, {"STEPS": "3"}, ["STEPS=2"], 5),
        ({}, {}, ["STEPS="], 5),
        ({}, {}, ["STEPS"], 5),
    ],
)
def test_flags_win_over_the_environment_and_that_over_the_file_and_empty_means_not_set(
    flags: dict[str, str], environment: dict[str, str], lines: list[str], steps: int, monkeypatch: pytest.MonkeyPatch
) -> None:
    for name, value in environment.items():
        monkeypatch.setenv(name, value)
    env_file(*lines)

    assert read(flags).steps == steps


@pytest.mark.parametrize(
    ("environment", "lines", "region"),
    [
        ({"AWS_REGION": "one"}, [], "one"),
        ({"AWS_DEFAULT_REGION": "two"}, [], "two"),
        ({"AWS_REGION": "one", "AWS_DEFAULT_REGION": "two"}, [], "one"),
        ({"AWS_REGION": "", "AWS_DEFAULT_REGION": "two"}, [], "two"),
        ({}, ["AWS_REGION=", "AWS_DEFAULT_REGION=two"], "two"),
        ({"AWS_DEFAULT_REGION": "two"}, ["AWS_REGION=three"], "two"),
        ({"AWS_REGION": ""}, ["AWS_REGION=three"], None),
    ],
)
def test_the_default_region_stands_in_for_the_region(
    environment: dict[str, str], lines: list[str], region: str | None, monkeypatch: pytest.MonkeyPatch
) -> None:
    for name, value in environment.items():
        monkeypatch.setenv(name, value)
    env_file(*lines)

    assert Settings().region == region


def test_placeholders_in_the_file_are_not_variables_of_the_environment(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("DATE", "wrong")
    env_file("ORCH_PREFIX=mine/${DATE}/${RUN_ID}/")

    assert Settings().prefix == "mine/${DATE}/${RUN_ID}/"


@pytest.mark.parametrize(
    "line", ["STEPS=2", "export STEPS=2", "STEPS='2'", "  STEPS = 2  # a remark", "# x\n\nSTEPS=2", "\ufeffSTEPS=2"]
)
def test_the_usual_forms_of_a_line_are_understood(line: str) -> None:
    env_file(line)

    assert Settings().steps == 2


def test_a_file_that_is_no_text_is_refused_in_a_sentence() -> None:
    Path(".env").write_bytes(b"STEPS=2\n\xff\xfe\n")

    with pytest.raises(UsageError, match=r"^\.env is not UTF-8 text"):
        Settings()


def test_a_file_that_may_not_be_read_is_refused_in_a_sentence(monkeypatch: pytest.MonkeyPatch) -> None:
    def refuse(*_: object, **__: object) -> None:
        raise PermissionError(13, "Permission denied")

    env_file("STEPS=2")
    monkeypatch.setattr(Path, "read_text", refuse)

    with pytest.raises(UsageError, match=r"^\.env cannot be read: Permission denied"):
        Settings()


def test_a_folder_of_that_name_is_no_file_of_settings() -> None:
    Path(".env").mkdir()

    assert Settings() == Settings.model_construct()


@pytest.mark.parametrize("text", ["true", "TRUE", "1", "yes", "on"])
def test_a_switch_is_on_in_every_usual_spelling(text: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("CLEANUP", text)
    assert Settings().cleanup is True


@pytest.mark.parametrize("text", ["false", "False", "0", "no", "off", ""])
def test_a_switch_is_off_in_every_usual_spelling(text: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("CLEANUP", text)
    assert Settings().cleanup is False


@pytest.mark.parametrize("name", ["steps", "payload_mb", "ORCH_STEPS", "UNHEARD_OF"])
def test_variables_that_are_not_ours_are_left_alone(name: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv(name, "no number")
    env_file(f"{name}=no number")

    assert Settings() == Settings.model_construct()


def test_settings_cannot_be_changed() -> None:
    with pytest.raises(ValueError, match="frozen"):
        Settings().steps = 3  # type: ignore[misc] # that is the point


@pytest.mark.parametrize(
    ("variable", "flag"),
    [
        ("PAYLOAD_MB", "--payload-mb"),
        ("ORCH_BUCKET", "--bucket"),
        ("ORCH_STEPS_QUEUE_URL", "--steps-queue-url"),
        ("AWS_REGION", "--aws-region"),
        ("KMS_KEY_ID", "--kms-key-id"),
    ],
)
def test_a_flag_is_its_variable_in_lower_case_with_hyphens(variable: str, flag: str) -> None:
    assert flag_of(variable) == flag


def test_no_two_settings_share_a_variable_or_a_flag() -> None:
    variables = [variable for field in FIELDS for variable in variables_of(field)]
    assert len(set(variables)) == len(variables)
    assert len({flag_of(variable) for variable in variables}) == len(variables)


@given(steps=st.integers(min_value=1, max_value=100_000))
def test_a_number_within_its_bounds_is_taken_as_it_is_typed(steps: int) -> None:
    assert read({"STEPS": str(steps)}).steps == steps


def test_a_setting_is_named_by_flag_and_variable() -> None:
    assert named("steps_queue_url") == "--steps-queue-url (ORCH_STEPS_QUEUE_URL)"
