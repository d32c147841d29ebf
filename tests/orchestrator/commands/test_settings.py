from __future__ import annotations

import subprocess
import sys

import pytest

from orchestrator.commands.settings import HEADINGS, as_markdown, as_text
from stepbench.settings_table import Row, table

TERMINAL_COLUMNS = 80
ROW = Row("PAYLOAD_MB", "--payload-mb", "50", "MB", "a number above 0", "size of the records", ("orchestrator",))


def shown(*flags: str) -> str:
    command = [sys.executable, "-m", "orchestrator", "settings", *flags]
    answer = subprocess.run(command, capture_output=True, text=True, check=True)
    assert answer.stderr == ""
    return answer.stdout


def test_the_text_has_every_setting_with_its_flag_and_meaning() -> None:
    words = " ".join(shown().split())
    for row in table():
        assert f"{row.variable} {row.flag} " in words
        assert row.meaning in words


def test_the_markdown_has_a_line_for_every_setting() -> None:
    lines = shown("--markdown").splitlines()
    assert lines == list(as_markdown(table()))
    assert len(lines) == 2 + len(table())


def test_every_line_of_markdown_has_as_many_cells_as_there_are_headings() -> None:
    for line in as_markdown(table()):
        assert line.replace(r"\|", "").count("|") == len(HEADINGS) + 1


def test_a_row_of_markdown_is_as_the_readme_has_it() -> None:
    assert list(as_markdown([ROW]))[2] == (
        "| `PAYLOAD_MB` | `--payload-mb` | `50` | MB | a number above 0 | size of the records |"
    )


def test_a_bar_in_a_cell_does_not_end_it() -> None:
    row = Row("A", "--a", "", "", "x|y", "z", ("worker",))
    assert r"| x\|y | z |" in list(as_markdown([row]))[2]


def test_a_row_of_text_has_default_and_bounds_with_their_unit() -> None:
    first, *rest = list(as_text([ROW]))[1:]
    assert first.split() == ["PAYLOAD_MB", "--payload-mb", "50", "MB"]
    assert [line.strip() for line in rest] == ["size of the records", "accepts a number above 0 MB"]


def test_a_setting_without_a_default_shows_a_dash_and_without_bounds_no_line_for_them() -> None:
    row = Row("ORCH_BUCKET", "--bucket", "", "", "", "bucket", ("worker",))
    assert [line.split() for line in as_text([row])][1:] == [["ORCH_BUCKET", "--bucket", "-"], ["bucket"]]


@pytest.mark.parametrize("row", table(), ids=lambda row: row.variable)
def test_no_line_of_text_is_wider_than_a_terminal_but_where_one_value_is(row: Row) -> None:
    first, *rest = list(as_text([row]))[1:]
    assert max(map(len, rest)) <= TERMINAL_COLUMNS
    assert len(first) <= TERMINAL_COLUMNS or row.variable == "ORCH_PREFIX"


def test_variables_begin_their_lines_and_what_they_mean_is_indented() -> None:
    names = {line.split()[0] for line in as_text(table()) if not line.startswith(" ")}
    assert names == {HEADINGS[0], *(row.variable for row in table())}
