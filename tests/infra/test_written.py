"""What infra/ has from elsewhere is what `make docs` writes."""

from __future__ import annotations

import pytest

from scripts.docs.tree import ROOT
from scripts.infra.__main__ import made


@pytest.mark.parametrize("path", sorted(made()))
def test_a_written_file_is_what_make_docs_writes(path: str) -> None:
    assert (ROOT / path).read_text(encoding="utf-8") == made()[path], "make docs writes it anew"
