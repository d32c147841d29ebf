"""The key prefix of a run: `${DATE}` and `${RUN_ID}` (or `{date}` and `{run_id}`) filled in, nothing that escapes.

The literal part, what stands before the first placeholder, is the fence: a worker reads and writes only below it.
"""

from __future__ import annotations

import re

PLACEHOLDERS = {"${DATE}": "date", "{date}": "date", "${RUN_ID}": "run_id", "{run_id}": "run_id"}
_PLACEHOLDER = re.compile(r"\$?\{[^{}]*\}")
_ALLOWED = re.compile(r"[A-Za-z0-9!_.*'()/=+@:,-]*")
# A key may have 1,024 bytes; what is left is for the names below the prefix.
# https://docs.aws.amazon.com/AmazonS3/latest/userguide/object-keys.html
MAX_PREFIX_BYTES = 700


def expand(template: str, run_id: str, date: str) -> str:
    """The prefix of one run, ending in a slash. A template that does not name the run gets the run id appended."""
    values = {"date": date, "run_id": run_id}
    expanded = _PLACEHOLDER.sub(lambda match: values[PLACEHOLDERS[match.group()]], _with_run_id(template))
    return expanded if expanded.endswith("/") else expanded + "/"


def literal_part(template: str) -> str:
    """What stands before the first placeholder."""
    return _PLACEHOLDER.split(_with_run_id(template), maxsplit=1)[0]


def problems(template: str) -> list[str]:
    """What is wrong with a template, as ends of a sentence; empty if nothing."""
    found = [
        f"has the unknown placeholder {placeholder}; known are {', '.join(PLACEHOLDERS)}"
        for placeholder in _PLACEHOLDER.findall(template)
        if placeholder not in PLACEHOLDERS
    ]
    literal_text = _PLACEHOLDER.sub("", template)
    if template.startswith("/"):
        found.append("begins with a slash; S3 keys do not")
    elif not literal_part(template):
        found.append("has nothing before its first placeholder; workers need a fixed part that they stay below")
    if {"..", "."} & set(template.split("/")) or "//" in template:
        found.append("has a '.', '..' or empty folder in it, which some S3 servers fold away")
    if not _ALLOWED.fullmatch(literal_text):
        found.append("has characters that S3 keys should not have; letters, digits and !_.*'()/=+@:,- are safe")
    if len(template.encode(errors="surrogateescape")) > MAX_PREFIX_BYTES:
        found.append(f"is longer than {MAX_PREFIX_BYTES} bytes")
    return found


def _with_run_id(template: str) -> str:
    if any(PLACEHOLDERS.get(found) == "run_id" for found in _PLACEHOLDER.findall(template)):
        return template
    return template.rstrip("/") + "/${RUN_ID}/"
