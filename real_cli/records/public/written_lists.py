"""Lists and objects inside a text, as JSON or as Python or numpy print them."""

import ast
import json
import re
from collections.abc import Iterator
from contextlib import suppress
from typing import Any

import orjson

from real_cli.errors import RecordError
from real_cli.records.record import Record

# numpy prints an array of objects without commas.
NO_COMMA = re.compile(r"\}\s*\n\s*\{")
ARRAY = re.compile(r"\s*array\((.*?)(?:,\s*dtype=\w+)?\)\s*", re.DOTALL)
# A list of texts, as Python or numpy prints it.
TEXTS = re.compile(r"""\s*\[\s*(['"]).*['"]\s*\]\s*""", re.DOTALL)
# Columns of RewardBench 2, whose sides are lists.
COUNTS = frozenset({"num_correct", "num_incorrect", "num_rejected", "total_completions"})
TWO_STRINGS = re.compile(r"""['"]\s+['"]""")
HALF = re.compile(r"[\ud800-\udfff]")


def parse_list(text: str) -> Any:
    """Read a list or an object from JSON or from Python's or numpy's print; None if it is neither.

    Two strings side by side, which Python would join, make it neither; half of a surrogate pair is refused.

    >>> parse_list("['a', 'b']"), parse_list('["a"]'), parse_list("['a' 'b']"), parse_list("7")
    (['a', 'b'], ['a'], None, None)
    """
    with suppress(orjson.JSONDecodeError):
        parsed = orjson.loads(text)
        return parsed if isinstance(parsed, list | dict) else None
    array = ARRAY.fullmatch(text)
    bare = (array[1] if array else text).strip()
    parsed = _lenient(bare)
    parsed = list(parsed) if isinstance(parsed, tuple) else parsed
    half = next((match for string in _strings(parsed) if (match := HALF.search(string))), None)
    if half:
        raise RecordError(f"a list written as text holds half a character, \\u{ord(half[0]):x}; take it out")
    with suppress(TypeError):  # what JSON cannot write is no list of ours
        orjson.dumps(parsed)
        if isinstance(parsed, list | dict) and not _joins_strings(bare, parsed):
            return parsed
    return None


def read_side_lists(record: Record) -> Record:
    """Read the lists of texts that a table's cells hold for both sides of a pair: RewardBench 2.

    >>> read_side_lists({"chosen": "['a']", "rejected": "['b', 'c']", "num_correct": "1"})["rejected"]
    ['b', 'c']
    """
    sides = ("chosen", "rejected")
    if not all(isinstance(record.get(side), str) and TEXTS.fullmatch(record[side]) for side in sides):
        return record
    lists = {side: parse_list(record[side]) for side in sides}
    if COUNTS.isdisjoint(record) or not all(isinstance(texts, list) for texts in lists.values()):
        raise RecordError(
            "'chosen' and 'rejected' are lists written as text, and nothing says that they are no answers; give them "
            "as lists in JSON lines"
        )
    return record | lists


def _lenient(text: str) -> Any:
    """Read a Python literal, or JSON with half a character, which Python may not read."""
    if "\\u" in text:
        with suppress(ValueError, RecursionError):
            return json.loads(text)
    with suppress(ValueError, SyntaxError, MemoryError, RecursionError):
        return ast.literal_eval(NO_COMMA.sub("}, {", text))
    return None


def ends_as_text(text: str) -> bool:
    """Tell whether words follow a list or an object up to its last bracket: then the text only quotes it.

    >>> ends_as_text('[{"role": "user"}] what is this?'), ends_as_text('[{"role": "user"}, {"role"')
    (True, False)
    """
    ends = [text.rfind(bracket) + 1 for bracket in "]}"]
    return any(0 < end < len(text.rstrip()) and parse_list(text[:end]) is not None for end in ends)


def _joins_strings(text: str, parsed: Any) -> bool:
    """Tell whether Python may have read two strings as one."""
    return bool(TWO_STRINGS.search(text)) and not any(TWO_STRINGS.search(repr(string)) for string in _strings(parsed))


def _strings(value: Any) -> Iterator[str]:
    if isinstance(value, str):
        yield value
    elif isinstance(value, dict | list):
        for element in (*value, *value.values()) if isinstance(value, dict) else value:
            yield from _strings(element)
