from __future__ import annotations

from pathlib import Path

import pytest

from orchestrator.experiment.noise import cpu_ticks, load_1min, steal_share

BEFORE = (100, 0, 50, 800, 10, 5, 5, 30)


def test_steal_is_what_the_hypervisor_took_of_all_ticks_between_two_looks() -> None:
    after = (130, 0, 60, 850, 10, 5, 5, 40)

    assert steal_share(BEFORE, after) == 0.1


@pytest.mark.parametrize(("before", "after"), [(None, BEFORE), (BEFORE, None), (BEFORE, BEFORE)])
def test_where_nothing_was_counted_nothing_is_said(
    before: tuple[int, ...] | None, after: tuple[int, ...] | None
) -> None:
    assert steal_share(before, after) is None


@pytest.mark.parametrize("text", ["", "cpu  1 2 3\n", "intr x\n"])
def test_a_kernel_that_does_not_tell_is_no_error(text: str, tmp_path: Path) -> None:
    (tmp_path / "stat").write_text(text)

    assert cpu_ticks(tmp_path / "stat") is None
    assert cpu_ticks(tmp_path / "gone") is None


def test_this_machine_tells_its_load() -> None:
    assert (load_1min() or 0) >= 0
