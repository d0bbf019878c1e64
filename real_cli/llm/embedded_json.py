"""JSON objects embedded in text, found in linear time whatever the text holds."""

import json
import re
from collections.abc import Iterator
from typing import Any

import orjson

from real_cli.records.record import Record


def _undoubled(pairs: list[tuple[str, Any]]) -> Record:
    """Build an object; one that gives a name two values contradicts itself, and is none."""
    record: Record = {}
    for name, value in pairs:
        if name in record and repr(record[name]) != repr(value):
            raise ValueError(f"{name!r} has two values")
        record[name] = value
    return record


# Ours: json_repair guesses what broken JSON meant, and no guess may decide who wins.
# Many models write raw line breaks into JSON strings.
DECODER = json.JSONDecoder(strict=False, object_pairs_hook=_undoubled)
TOKEN = re.compile(
    r"[ \t\n\r]*+(?:(?P<mark>[{}\[\],:])"
    r'|(?P<string>"(?:[^"\\]++|\\(?:["\\/bfnrt]|u[0-9a-fA-F]{4}))*+")'
    r"|(?P<plain>-?(?:0|[1-9][0-9]*+)(?:\.[0-9]++)?+(?:[eE][+-]?[0-9]++)?+|true|false|null|NaN|-?Infinity))"
)
# Deepest nesting that orjson writes.
MAX_DEPTH = 254
# Bounds the work on objects that parse but cannot be written as JSON again, in lengths of the text.
VAIN_READINGS = 4
VALUE, FIRST_ITEM, AFTER_ITEM = "value", "first item", "after item"
KEY, FIRST_KEY, COLON, AFTER_MEMBER = "key", "first key", "colon", "after member"
VALUES = {"{": FIRST_KEY, "[": FIRST_ITEM, "string": "", "plain": ""}
# What may follow in each state, and the state it leads to; "" is the end of a value.
STEPS: dict[str, dict[str, str]] = {
    VALUE: VALUES,
    FIRST_ITEM: VALUES | {"]": ""},
    AFTER_ITEM: {",": VALUE, "]": ""},
    KEY: {"string": COLON},
    FIRST_KEY: {"string": COLON, "}": ""},
    COLON: {":": VALUE},
    AFTER_MEMBER: {",": KEY, "}": ""},
}


def json_objects(text: str) -> Iterator[Record]:
    r"""Yield the outermost JSON objects of a text; one that cannot be written as JSON again is none.

    >>> list(json_objects('{a} {"b": {"c": 1}} and {"d": [{"e": 2}'))
    [{'b': {'c': 1}}, {'e': 2}]
    """
    for _, _, record in located_objects(text):
        yield record


def located_objects(text: str) -> Iterator[tuple[int, int, Record]]:
    r"""Yield the same objects, each after its start and end.

    >>> list(located_objects('So: {"a": 1}.'))
    [(4, 12, {'a': 1})]
    """
    ends: dict[int, int] = {}
    budget = VAIN_READINGS * len(text)
    start = text.find("{")
    while start >= 0:
        if start not in ends:
            _scan(text, start, ends)
        end = ends.pop(start)
        if end:
            try:
                yield start, end, orjson.loads(orjson.dumps(DECODER.raw_decode(text, start)[0]))
            except (ValueError, TypeError, RecursionError):
                budget -= end - start
                end = start + 1 if budget > 0 else end
        start = text.find("{", end or start + 1)


def _scan(text: str, start: int, ends: dict[int, int]) -> None:
    """Scan on from a brace; note where it and each brace after it ends, 0 for one that is never closed.

    A syntax error breaks every object open there, so none of them is scanned again. Braces inside strings are not
    noted: of two scans one is always outside the string, so no text is scanned more than twice.
    """
    opened: list[int] = []
    state, at = VALUE, start
    while match := TOKEN.match(text, at):
        at = match.end()
        kind = match["mark"] or match.lastgroup or ""
        following = STEPS[state].get(kind)
        if following is None:
            return
        if kind in "{[":
            opened.append(at - 1)
            if kind == "{":
                ends[at - 1] = 0
            if len(opened) > MAX_DEPTH:
                return
        elif kind in "}]":
            closed = opened.pop()
            if kind == "}":
                ends[closed] = at
            if not opened:
                return
        state = following or (AFTER_MEMBER if text[opened[-1]] == "{" else AFTER_ITEM)
