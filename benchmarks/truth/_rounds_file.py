"""Measured rounds as they are kept: a JSON line for the machine, then one for each round."""

from __future__ import annotations

Steps = dict[str, list[int]]
