from __future__ import annotations

from pathlib import Path

from orchestrator.cost import prices
from orchestrator.cost.costs import Wanted
from orchestrator.page.money import money_of
from orchestrator.page.shown import usd, usd_places
from tests.orchestrator.page.folders import one_run, read
from tests.orchestrator.report.sample_factory import make_run


def test_the_dollars_of_a_column_have_one_number_of_digits() -> None:
    for amounts, told in (
        ((0.0086, 0.00852, 0.0), ["$0.00860", "$0.00852", "$0"]),
        ((12.0, 0.5), ["$12.000", "$0.500"]),
        ((0.09, 0.00000123), ["$0.090000", "$0.000001"]),
        ((0.0,), ["$0"]),
    ):
        assert [usd(amount, usd_places(amounts)) for amount in amounts] == told


def test_storage_of_payloads_that_the_runs_removed_is_told_to_be_nothing_for_that(tmp_path: Path) -> None:
    for cleanup in (True, False):
        run = make_run(run_id="r1")
        run.lines[0] = run.lines[0].model_copy(update={"settings": {"CLEANUP": cleanup}})
        found = read(one_run(tmp_path / str(cleanup), run))
        grid = money_of(found, found.case_names, prices.read(), Wanted()).grid
        assert grid is not None
        assert ("removed their payloads" in grid.caption) is cleanup
