from __future__ import annotations

from importlib.metadata import version

import pytest

from stepbench import flags, settings_table
from stepbench.flags import Parser


def parser(*variables: str) -> Parser:
    made = Parser(prog="program")
    flags.add(made, variables or [row.variable for row in settings_table.table()])
    return made


def given(*words: str) -> dict[str, str]:
    return flags.given(flags.parse(parser(), words))


def refusal(capsys: pytest.CaptureFixture[str], made: Parser, *words: str) -> str:
    with pytest.raises(SystemExit) as end:
        flags.parse(made, words)
    assert end.value.code == 2
    told = capsys.readouterr()
    assert told.out == ""
    return told.err


@pytest.mark.parametrize("row", settings_table.table(), ids=lambda row: row.flag)
def test_every_setting_has_a_flag_with_and_without_an_equals_sign(row: settings_table.Row) -> None:
    assert given(row.flag, "x") == given(f"{row.flag}=x") == {row.variable: "x"}


def test_what_is_not_given_is_not_there() -> None:
    assert given() == {}


@pytest.mark.parametrize(
    ("words", "value"), [(["--cleanup"], "true"), (["--cleanup=false"], "false"), (["--cleanup", "no"], "no")]
)
def test_a_switch_needs_no_value(words: list[str], value: str) -> None:
    assert given(*words, "--steps", "3") == {"CLEANUP": value, "STEPS": "3"}


def test_a_negative_number_is_a_value() -> None:
    assert given("--steps", "-1") == {"STEPS": "-1"}


def test_only_settings_are_taken_from_the_arguments() -> None:
    made = parser("STEPS")
    made.add_argument("--json", action="store_true")

    assert flags.given(flags.parse(made, ["--json", "--steps", "3"])) == {"STEPS": "3"}


@pytest.mark.parametrize("word", ["--payload-m", "--clean", "--bucke"])
def test_an_abbreviation_is_refused_with_the_whole_name(word: str, capsys: pytest.CaptureFixture[str]) -> None:
    told = refusal(capsys, parser(), word, "3")
    assert told.startswith(f"{word} is no flag or argument of this command (did you mean --")
    assert told.count("\n") == 1


def test_every_strange_flag_is_told_in_one_line_without_its_value(capsys: pytest.CaptureFixture[str]) -> None:
    told = refusal(capsys, parser(), "--stepz=3", "--qqqqqqqq", "5")
    assert told == (
        "--stepz is no flag or argument of this command (did you mean --steps?); "
        "--qqqqqqqq is no flag or argument of this command; see program --help\n"
    )


def test_only_a_flag_that_the_command_has_is_suggested(capsys: pytest.CaptureFixture[str]) -> None:
    assert "did you mean" not in refusal(capsys, parser("STEPS"), "--chain", "3")
    made = Parser(prog="program")
    flags.add(made.add_subparsers().add_parser("start"), ["CHAINS"])
    assert "(did you mean --chains?)" in refusal(capsys, made, "start", "--chain", "3")


def test_a_flag_that_is_no_setting_is_suggested_too(capsys: pytest.CaptureFixture[str]) -> None:
    made = parser()
    made.add_argument("--quiet", action="store_true")
    assert "(did you mean --quiet?)" in refusal(capsys, made, "--quit")


@pytest.mark.parametrize("words", [["--version"], ["--version", "--steps", "3"]])
def test_the_version_is_that_of_the_installed_package(words: list[str], capsys: pytest.CaptureFixture[str]) -> None:
    with pytest.raises(SystemExit) as end:
        flags.parse(parser(), words)
    assert end.value.code == 0
    assert capsys.readouterr() == (f"stepbench {version('stepbench')}\n", "")


def test_a_word_too_many_is_told(capsys: pytest.CaptureFixture[str]) -> None:
    assert refusal(capsys, parser(), "extra").startswith("extra is no flag or argument of this command;")


def test_a_flag_of_another_command_is_told_as_such(capsys: pytest.CaptureFixture[str]) -> None:
    told = refusal(capsys, parser("STEPS"), "--serializer", "json")
    assert told == "--serializer is a setting, but not one of this command; see program --help\n"


def test_the_help_to_look_at_is_the_commands_own(capsys: pytest.CaptureFixture[str]) -> None:
    made = Parser(prog="program")
    made.add_subparsers(dest="command").add_parser("start")

    assert refusal(capsys, made, "start", "--x").endswith("; see program start --help\n")


def test_a_flag_without_its_value_is_told_in_one_line(capsys: pytest.CaptureFixture[str]) -> None:
    told = refusal(capsys, parser(), "--steps")
    assert "--steps" in told
    assert told.count("\n") == 1


def test_a_command_that_reads_no_settings_has_no_heading_for_them() -> None:
    made = Parser(prog="program")
    flags.add(made, [])
    assert "settings" not in made.format_help()


def test_help_shows_variable_default_bounds_and_unit_of_each_setting() -> None:
    text = " ".join(parser().format_help().split())

    assert "--payload-mb MB" in text
    assert "(PAYLOAD_MB; default 50)" in text
    for row in settings_table.table():
        assert row.flag in text
        accepted = f"; accepts {row.accepts}" if row.accepts else ""
        assert f"{row.meaning}{accepted} ({row.variable}" in text
