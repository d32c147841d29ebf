"""Holds up our programs on purpose, from inside, where the file that DELAYS names says so.

Python imports this at the start of every process that has this folder in its PYTHONPATH. Nothing of it is in what is
shipped. See `tests.delays.wrappers`.
"""

from __future__ import annotations

import os
import sys

if "DELAYS" in os.environ:
    from tests.delays import wrappers

    wrappers.put_into(sys.orig_argv)
