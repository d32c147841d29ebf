from __future__ import annotations

import pytest

from orchestrator.page import shown


@pytest.mark.parametrize(
    ("amount", "text"),
    [(None, "\N{EN DASH}"), (float("nan"), "\N{EN DASH}"), (0.0, "$0"), (0.0085, "$0.0085"), (1234.5, "$1,234.50")],
)
def test_dollars_have_three_figures_or_cents(amount: float | None, text: str) -> None:
    assert shown.usd(amount) == text


@pytest.mark.parametrize("amount", [1e-9, 3.4e-7, 0.00012, 0.5, 12.0, 1e9])
def test_no_amount_is_shown_as_nothing_or_with_an_exponent(amount: float) -> None:
    text = shown.usd(amount)
    assert "e" not in text
    assert float(text.strip("$").replace(",", "")) == pytest.approx(amount, rel=0.01)
