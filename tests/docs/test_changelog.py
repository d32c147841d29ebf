from __future__ import annotations

import pytest

from scripts.docs import changelog

GOOD = """# Changelog

## [Unreleased]

### Added

- x

## [0.2.0] - 2031-02-03

### Fixed

## [0.1.0] - 2031-01-02
"""


def test_the_usual_form_is_fine() -> None:
    assert changelog.malformed(GOOD) == []


@pytest.mark.parametrize(
    ("right", "wrong"),
    [
        ("# Changelog\n", "# Changes\n"),
        ("## [Unreleased]", "## [0.3.0] - 2031-03-04"),
        ("### Fixed", "### Mended"),
        ("## [0.2.0] - 2031-02-03", "## 0.2.0"),
        ("## [0.2.0] - 2031-02-03", "## [0.2.0] - 3 February 2031"),
        ("## [0.2.0]", "## [0.0.9]"),
    ],
)
def test_each_departure_from_the_form_is_found(right: str, wrong: str) -> None:
    assert len(changelog.malformed(GOOD.replace(right, wrong))) == 1
