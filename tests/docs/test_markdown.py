from __future__ import annotations

from scripts.docs import markdown

DOCUMENT = """# A title, with `code`
[out](https://example.com) and [in](a/b.md#x) and `[not](a-link)`
```console
$ cat [no](link)
```
[ref]: c.md
## Twice
## Twice
"""


def test_lines_in_a_fence_know_its_language_and_the_fences_are_left_out() -> None:
    fenced = [(line.number, line.text, line.fence) for line in markdown.lines(DOCUMENT) if line.fence is not None]
    assert fenced == [(4, "$ cat [no](link)", "console")]


def test_a_longer_fence_is_not_closed_by_a_shorter_one() -> None:
    document = "````text\n```\ninside\n````\noutside"
    assert [line.fence for line in markdown.lines(document) if line.text in {"inside", "outside"}] == ["text", None]


def test_links_are_found_outside_code_only() -> None:
    assert markdown.links(DOCUMENT) == [(2, "https://example.com"), (2, "a/b.md#x"), (6, "c.md")]


def test_headings_become_the_anchors_that_code_hosts_make() -> None:
    assert markdown.anchors(DOCUMENT) == {"a-title-with-code", "twice", "twice-1"}


def test_an_anchor_may_be_named_and_a_link_to_it_escaped() -> None:
    document = '| <a name="input_max_age"></a> [max\\_age](#input\\_max\\_age) |'
    assert markdown.anchors(document) == {"input_max_age"}
    assert [target for _, target in markdown.links(document)] == ["#input_max_age"]
