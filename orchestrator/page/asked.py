"""Which files a person asked for. Imports nothing that is not installed with the program itself."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

from orchestrator.page import needs


@dataclass(frozen=True)
class Asked:
    """By flag; null what was not asked for."""

    html: Path | None = None
    csv: Path | None = None
    parquet: Path | None = None
    json_tables: Path | None = None
    png: Path | None = None
    force: bool = False

    @property
    def anything(self) -> bool:
        return any((self.html, self.csv, self.parquet, self.json_tables, self.png))

    def check_needs(self) -> None:
        """Raises UsageError for packages that are not installed."""
        flags = [flag for flag, path in (("--html", self.html), ("--png", self.png)) if path is not None]
        if flags:
            needs.check(flags)
        elif self.anything:
            needs.check(["report"], ["numpy"])
