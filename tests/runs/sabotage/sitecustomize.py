"""Breaks our programs on purpose, from inside, at points that have names: what a crash or a stuck C library does there.

Python imports this at the start of every process that has this folder in its PYTHONPATH. Nothing of it is in what is
shipped. `tests.runs.sabotage.points` names the points of each program, `tests.runs.sabotage.orders` what may be ordered
there.

SABOTAGE_BREACH names a function (`module:name`) that breaks a promise, for tests of what should find that.
"""

from __future__ import annotations

import os
import sys
from importlib import import_module

if "SABOTAGE_ORDERS" in os.environ:
    from tests.runs.sabotage import points

    points.put_into(sys.orig_argv)

if "SABOTAGE_BREACH" in os.environ:
    module, _, name = os.environ["SABOTAGE_BREACH"].partition(":")
    getattr(import_module(module), name)()
