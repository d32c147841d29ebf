"""The drawing library that a page carries: Vega, Vega-Lite and vega-embed in one script, packed."""

from __future__ import annotations

import base64
import gzip
from functools import cache

GLOBAL = "window.vegaEmbed = vegaEmbed;"


@cache
def packed() -> str:
    """About 0.4 MB of base64. Takes some seconds: vl-convert puts it together anew."""
    import vl_convert

    return pack(str(vl_convert.javascript_bundle(GLOBAL)))


def pack(text: str) -> str:
    """gzip, then base64: what a browser unpacks by itself, and what no text can break out of."""
    return base64.b64encode(gzip.compress(text.encode(), compresslevel=9, mtime=0)).decode("ascii")
