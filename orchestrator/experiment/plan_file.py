"""`--plan FILE.toml`: an experiment in a file, so that it can be kept beside the code that it is about.

version = 1
baseline = "json none"
repeats = 10

[settings]
payload_mb = 5

[axes]
serializer = ["json", "arrow"]
compression = ["none", "zstd:3"]

[[cases]]
name = "as it is in production"
serializer = "pickle"
"""

from __future__ import annotations

import difflib
import tomllib
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any

from orchestrator.experiment.axes import crossed
from orchestrator.experiment.names import checked, field_named, of_a_case
from orchestrator.experiment.request import MOST_REPEATS, MOST_SEED, Request, Wanted, minutes_of, share_of
from orchestrator.report.units import one_line
from stepbench.errors import UsageError
from stepbench.settings import named, variable_of

VERSION = 1
MOST_BYTES = 1_000_000
KEYS = ("version", "baseline", "repeats", "seed", "until_stable", "to_see", "max_minutes", "settings", "axes", "cases")


def read(path: Path) -> Request:
    """What is wrong is among its problems, with its place. Raises UsageError for what cannot be read at all."""
    return _Reader(path).read()


def _table(path: Path) -> dict[str, Any]:
    try:
        if path.stat().st_size > MOST_BYTES:
            raise UsageError(f"--plan {path}: is larger than {MOST_BYTES:,} bytes, and no plan of an experiment")
        return tomllib.loads(path.read_text(encoding="utf-8-sig"))  # editors of Windows begin a file with a mark
    except OSError as error:
        raise UsageError(f"--plan {path}: cannot be read: {error.strerror}") from error
    except (ValueError, RecursionError) as error:  # no UTF-8, no TOML, or a number of more digits than Python reads
        raise UsageError(f"--plan {path}: is no TOML: {one_line(str(error))}") from error


class _Reader:
    def __init__(self, path: Path) -> None:
        self._path = path
        self._problems: list[str] = []

    def read(self) -> Request:
        table = _table(self._path)
        if table.get("version") != VERSION or isinstance(table["version"], bool):
            given = f"version = {table['version']!r}" if "version" in table else "no version"
            raise UsageError(f"{self._path}: has {given}, and this program reads version = {VERSION}")
        for key in table.keys() - set(KEYS):
            self._wrong(one_line(key), f"is no key of a plan{_nearest(key, KEYS)}")
        base, base_places = self._settings("settings", table.get("settings", {}), any_setting=True)
        wanted = (*self._axes(table.get("axes", {})), *self._cases(table.get("cases", [])))
        return Request(
            wanted=wanted if table.get("axes") or table.get("cases") else (),
            base=base,
            base_places=base_places,
            baseline=self._words(table, "baseline", "a case's name"),
            repeats=self._number(table, "repeats", 1, MOST_REPEATS),
            seed=self._number(table, "seed", 0, MOST_SEED),
            until_stable=self._share(table, "until_stable"),
            to_see=self._share(table, "to_see"),
            max_minutes=self._minutes(table),
            # The last argument: what stands above finds them.
            problems=tuple(sorted(self._problems)),
        )

    def _wrong(self, where: str, what: str) -> None:
        self._problems.append(f"{self._path}, {where}: {what}")

    def _settings(
        self, where: str, table: object, *, any_setting: bool = False
    ) -> tuple[dict[str, str], dict[str, str]]:
        """Values and places by variable."""
        values: dict[str, str] = {}
        for key, value in self._checked_table(where, table).items():
            variable = self._variable(f"{where}.{key}", key, any_setting=any_setting)
            if variable in values:
                self._wrong(f"{where}.{key}", "the same setting stands there twice")
            if variable is not None and (text := self._text(f"{where}.{key}", value)) is not None:
                values[variable] = text
        return values, {variable: f"{self._path}, {where}.{variable} =" for variable in values}

    def _axes(self, table: object) -> tuple[Wanted, ...]:
        axes: dict[str, list[str]] = {}
        for key, values in self._checked_table("axes", table).items():
            where = f"axes.{key}"
            variable = self._variable(where, key, any_setting=False)
            if not isinstance(values, list) or not values:
                self._wrong(where, "is no list of values")
            elif variable in axes:
                self._wrong(where, "the same setting stands there twice")
            elif variable is not None:
                axes[variable] = [text for value in values if (text := self._text(where, value)) is not None]
        return crossed(axes, {variable: f"{self._path}, axes.{variable} =" for variable in axes}) if axes else ()

    def _cases(self, tables: object) -> list[Wanted]:
        if not isinstance(tables, list):
            self._wrong("cases", "write each case below a line [[cases]]")
            return []
        return [self._case(f"case {number}", table) for number, table in enumerate(tables, 1)]

    def _case(self, where: str, table: object) -> Wanted:
        table = dict(self._checked_table(where, table))
        name = self._words(table, "name", "a text", where)
        table.pop("name", None)
        if name is not None:
            try:
                name = checked(name)
            except UsageError as error:
                self._wrong(where, str(error))
        values, places = self._settings(where, table)
        return Wanted(values, places, f"{self._path}, {where}", name)

    def _checked_table(self, where: str, table: object) -> Mapping[str, Any]:
        if isinstance(table, dict):
            return table
        self._wrong(where, f"is no table; write it below a line [{where}]")
        return {}

    def _variable(self, where: str, key: str, *, any_setting: bool) -> str | None:
        try:
            field = field_named(key)
        except UsageError as error:
            self._wrong(where, str(error))
            return None
        if not any_setting and not of_a_case(field):
            self._wrong(where, f"{named(field)} is the same for a whole experiment; put it below [settings]")
            return None
        return variable_of(field)

    def _text(self, where: str, value: object) -> str | None:
        """A value as one would type it."""
        if isinstance(value, bool):
            return str(value).lower()
        if isinstance(value, str | int | float):
            return str(value)
        self._wrong(where, f"a {type(value).__name__} is no value of a setting")
        return None

    def _words(self, table: Mapping[str, Any], key: str, what: str, where: str = "") -> str | None:
        value = table.get(key)
        if value is None or isinstance(value, str):
            return value
        self._wrong(f"{where}.{key}" if where else key, f"{value!r} is not {what}")
        return None

    def _number(self, table: Mapping[str, Any], key: str, least: int, most: int) -> int | None:
        value = table.get(key)
        if value is None or (type(value) is int and least <= value <= most):
            return value
        self._wrong(key, f"{value!r} is no whole number from {least} to {most:,}")
        return None

    def _share(self, table: Mapping[str, Any], key: str) -> float | None:
        value = table.get(key)
        return None if value is None else self._made(key, value, lambda: share_of(str(value)))

    def _minutes(self, table: Mapping[str, Any]) -> float | None:
        value = table.get("max_minutes")
        return None if value is None else self._made("max_minutes", value, lambda: minutes_of(str(value)))

    def _made(self, key: str, value: object, make: Callable[[], float]) -> float | None:
        try:
            return make()
        except UsageError as error:
            self._wrong(key, str(error))
            return None


def _nearest(key: str, known: tuple[str, ...]) -> str:
    near = difflib.get_close_matches(key, known, n=1)
    return f"; did you mean {near[0]}?" if near else f"; those are {', '.join(known)}"
