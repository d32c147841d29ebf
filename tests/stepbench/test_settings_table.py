from __future__ import annotations

import pytest

from stepbench import configuration, settings_table
from stepbench.settings import Settings, flag_of, variable_of


def test_the_table_has_a_row_for_every_setting_and_each_says_what_it_means() -> None:
    rows = settings_table.table()

    assert [row.variable for row in rows] == [variable_of(field) for field in Settings.model_fields]
    for row in rows:
        assert row.meaning
        assert row.flag == flag_of(row.variable)
        assert set(row.programs) <= {"orchestrator", "worker"}
        assert row.programs


@pytest.mark.parametrize(
    ("variable", "default", "unit", "accepts"),
    [
        ("STEPS", "5", "", "a whole number from 1 to 100,000"),
        ("PAYLOAD_MB", "50", "MB", "a number above 0, at most 50,000"),
        ("CLEANUP", "false", "", "true, false"),
        ("SSE", "none", "", "none, s3, kms"),
        ("EXECUTORS", "", "", "a whole number from 1 to 1,024"),
        ("EXECUTOR_MAX_STEPS", "0", "", "a whole number from 0"),
        ("ORCH_BUCKET", "", "", ""),
    ],
)
def test_a_row_shows_default_unit_and_what_is_accepted(variable: str, default: str, unit: str, accepts: str) -> None:
    [row] = [row for row in settings_table.table() if row.variable == variable]
    assert (row.default, row.unit, row.accepts) == (default, unit, accepts)


@pytest.mark.parametrize("row", [row for row in settings_table.table() if row.default], ids=lambda row: row.variable)
def test_a_default_is_shown_as_one_may_type_it(row: settings_table.Row) -> None:
    assert configuration.load({row.variable: row.default}) == configuration.load({})
