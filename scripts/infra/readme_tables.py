"""The tables of a module's README, as `terraform-docs markdown table` prints them.

https://terraform-docs.io/reference/markdown-table/
"""

from __future__ import annotations

import json
import re
from collections.abc import Iterable, Mapping
from pathlib import PurePosixPath

from scripts.infra.hcl import Block, blocks, literal

BEGIN = "<!-- BEGIN_TF_DOCS -->"
END = "<!-- END_TF_DOCS -->"

_DOCS = "https://registry.terraform.io/providers/hashicorp/aws/latest/docs"


def written_into(readme: str, files: Mapping[str, str]) -> str:
    """`readme` with the tables of a module between its marks; `files` are the module's, by name."""
    if BEGIN not in readme:
        readme = readme.rstrip("\n") + f"\n\n{BEGIN}\n{END}\n"
    before, _, rest = readme.partition(BEGIN)
    after = rest.partition(END)[2]
    return f"{before}{BEGIN}\n{tables(files)}\n{END}{after}"


def tables(files: Mapping[str, str]) -> str:
    """Requirements, providers, modules, resources, inputs, outputs."""
    found = [block for name in sorted(files) if PurePosixPath(name).suffix == ".tf" for block in blocks(files[name])]
    versions = _providers(found)
    core = [block.text("required_version") for block in found if block.kind == "terraform"]
    requirements = [("terraform", version) for version in core if version] + sorted(versions.items())
    sections = [
        _section("Requirements", ("Name", "Version"), [(_named("requirement", n), v) for n, v in requirements]),
        _section("Providers", ("Name", "Version"), [(_named("provider", n), v) for n, v in _used(found, versions)]),
        _section("Modules", ("Name", "Source", "Version"), [_module(block) for block in _sorted(found, "module")]),
        _section("Resources", ("Name", "Type"), _resources(found)),
        _section("Inputs", _INPUTS, [_input(block) for block in _sorted(found, "variable")], _RULES),
        _section("Outputs", ("Name", "Description"), [_output(block) for block in _sorted(found, "output")]),
    ]
    return "\n\n".join(sections)


_INPUTS = ("Name", "Description", "Type", "Default", "Required")
_RULES = ("------", "-------------", "------", "---------", ":--------:")


def _section(title: str, columns: tuple[str, ...], rows: Iterable[tuple[str, ...]], rules: tuple[str, ...] = ()) -> str:
    rows = list(rows)
    if not rows:
        return f"## {title}\n\nNo {title.lower()}."
    rules = rules or tuple("-" * (len(column) + 2) for column in columns)
    lines = [f"| {' | '.join(columns)} |", f"|{'|'.join(rules)}|", *(f"| {' | '.join(row)} |" for row in rows)]
    return f"## {title}\n\n" + "\n".join(lines)


def _named(kind: str, name: str) -> str:
    escaped = name.replace("_", "\\_")
    return f'<a name="{kind}_{name}"></a> [{escaped}](#{kind}\\_{escaped})'


def _sorted(found: Iterable[Block], kind: str) -> list[Block]:
    return sorted((block for block in found if block.kind == kind), key=lambda block: block.labels)


def _providers(found: Iterable[Block]) -> dict[str, str]:
    """Version of each provider that the module requires."""
    inner = [block for outer in found if outer.kind == "terraform" for block in outer.inner()]
    required = [block.body for block in inner if block.kind == "required_providers"]
    return {name: provider["version"] for body in required for name, provider in literal(f"{{{body}}}").items()}


def _used(found: Iterable[Block], versions: Mapping[str, str]) -> list[tuple[str, str]]:
    names = {block.labels[0].split("_")[0] for block in found if block.kind in {"resource", "data"}}
    return [(name, versions.get(name, "n/a")) for name in sorted(names)]


def _module(block: Block) -> tuple[str, str, str]:
    return _named("module", block.labels[0]), block.text("source") or "", block.text("version") or "n/a"


def _resources(found: Iterable[Block]) -> list[tuple[str, str]]:
    rows = []
    for kind, folder, words in (("resource", "resources", "resource"), ("data", "data-sources", "data source")):
        for block in _sorted(found, kind):
            address = f"{block.labels[0]}.{block.labels[1]}"
            page = f"{_DOCS}/{folder}/{block.labels[0].removeprefix('aws_')}"
            rows.append((f"[{address}]({page})", words))
    return rows


def _input(block: Block) -> tuple[str, str, str, str, str]:
    default = block.written("default")
    return (
        _named("input", block.labels[0]),
        _prose(block),
        _code(block.written("type") or "any"),
        "n/a" if default is None else _code(_json(default)),
        "yes" if default is None else "no",
    )


def _output(block: Block) -> tuple[str, str]:
    return _named("output", block.labels[0]), _prose(block)


def _prose(block: Block) -> str:
    """A description with its underscores escaped, but for those in code and in addresses."""
    parts = (block.text("description") or "n/a").split("`")
    parts[::2] = [
        "".join(word if "://" in word else word.replace("_", "\\_") for word in re.split(r"(\s+)", part))
        for part in parts[::2]
    ]
    return "`".join(parts)


def _json(default: str) -> str:
    return json.dumps(literal(default), indent=2, ensure_ascii=False, sort_keys=True)


def _code(text: str) -> str:
    return f"<pre>{text.replace(chr(10), '<br/>')}</pre>" if "\n" in text else f"`{text}`"
