"""JSON that was right, with one value, key or nesting in it made hostile."""

from __future__ import annotations

import json
from random import Random
from typing import Any

from tests.chaos.inputs.mutation import damaged

_HERE = "the hostile token comes here"
_DEPTHS = (50, 200, 1_000, 20_000)

NUMBERS = (
    "-1", "0", "1", "1.5", "-0.0", "1e400", "-1e400", "1e-400", "NaN", "Infinity", "-Infinity", "01", "1_0", "0x1",
    "9007199254740993", "9223372036854775807", "9223372036854775808", "-9223372036854775808", "-9223372036854775809",
    "9" * 400, "9" * 5_000, "1" + "0" * 4_000 + ".5",
)  # fmt: skip # a line for each would be a page
TEXTS = (
    '""', '"\\u0000"', '"\\ud800"', '"\\udfff\\ud800"', '"\x01"', '"\u2028"', '"\\n\\r\\u001b[2J"', '"a\\', '"x',
    '"' + "a" * 70_000 + '"', '"s3://other/x"', '"s3://bucket/../x"', '"s3:///"', '"sha256:"', '"__class__"',
    '"!!python/object/apply:os.system"', '"os.system"', '"../../etc/passwd"', '"json\\u0000"', '"%2e%2e/"', '"None"',
)  # fmt: skip # as above
OTHERS = ("null", "true", "false", "[]", "{}", "[[]]", '{"v":1}', "", ",", "}", "nul", "/*x*/1", '{"a":1,"a":2}')


def hostile(text: str, random: Random) -> bytes:
    """`text`, which is JSON, as somebody would send it who wishes ill."""
    if random.random() < 0.3:
        return damaged(text.encode("utf-8", "surrogatepass"), random)
    for _ in range(random.choice((1, 1, 2, 3))):
        try:
            tree = _changed(json.loads(text), random)
            text = json.dumps(tree, ensure_ascii=random.random() < 0.5).replace(f'"{_HERE}"', _token(random))
        except (ValueError, RecursionError):  # it is beyond hope already
            break
    return text.encode("utf-8", "surrogatepass")


def _token(random: Random) -> str:
    depth = random.choice(_DEPTHS)
    deep = random.choice(("[" * depth + "]" * depth, '{"a":' * depth + "1" + "}" * depth, "[" * depth))
    return random.choice(
        (random.choice(NUMBERS), random.choice(NUMBERS), random.choice(TEXTS), random.choice(OTHERS), deep)
    )


def _changed(tree: Any, random: Random) -> Any:
    """The tree with one place of it replaced by the token, or one of its keys gone or called otherwise."""
    if not isinstance(tree, dict | list) or not tree or random.random() < 0.1:
        return _HERE
    key = random.choice(list(tree) if isinstance(tree, dict) else range(len(tree)))
    if isinstance(tree[key], dict | list) and tree[key] and random.random() < 0.8:
        tree[key] = _changed(tree[key], random)
    elif isinstance(tree, dict) and random.random() < 0.15:
        value = tree.pop(key)
        if random.random() < 0.5:
            tree[random.choice(("", "kind", "v", key.upper(), "a" * 1_000))] = value
    else:
        tree[key] = _HERE
    return tree
