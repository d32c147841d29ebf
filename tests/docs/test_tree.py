from __future__ import annotations

from scripts.docs import __main__ as docs
from scripts.docs.tree import text_of, tracked_files


def test_the_documents_of_this_repository_hold() -> None:
    texts = {path: text for path in tracked_files() if (text := text_of(path)) is not None}
    assert docs.problems_of(texts) == []
