from __future__ import annotations

from scripts.docs import settings_table

TABLE = "| setting |\n|---|\n| `STEPS` |\n"
README = f"before\n{settings_table.BEGIN}\n{settings_table.END}\nafter\n"


def test_a_table_that_was_written_in_does_not_differ() -> None:
    assert settings_table.differs(settings_table.written_into(README, TABLE), TABLE) == []


def test_writing_twice_changes_nothing_and_the_rest_stays() -> None:
    once = settings_table.written_into(README, TABLE)
    assert settings_table.written_into(once, TABLE) == once
    assert once.startswith("before\n")
    assert once.endswith("\nafter\n")


def test_a_backslash_in_the_table_is_written_as_it_is() -> None:
    assert r"| \d |" in settings_table.written_into(README, r"| \d |")


def test_the_first_row_that_differs_is_named() -> None:
    written = settings_table.written_into(README, TABLE)
    (changed,) = settings_table.differs(written, TABLE.replace("STEPS", "STRIDES"))
    (added,) = settings_table.differs(written, TABLE + "| `CHAINS` |\n")
    assert "row 3 " in changed
    assert "row 4 " in added


def test_missing_markers_are_a_problem_of_their_own() -> None:
    (problem,) = settings_table.differs("no table", TABLE)
    assert settings_table.BEGIN in problem
