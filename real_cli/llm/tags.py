"""Tags of a prompt: what a question wants to know of it, and how an answer is read."""

import re
from collections.abc import Callable
from typing import Any, NamedTuple

from real_cli.errors import RecordError, clip
from real_cli.llm.parse_answer import find_json, spoken
from real_cli.records.record import Record

ANY_TEXT = "text"
FIELD_NAME = re.compile(r"[A-Za-z_]\w*", re.ASCII)
# What says something else on a record, or makes another layout of it.
TAKEN = frozenset(
    {"prompt", "responses", "chosen", "rejected", "preferences", "judge", "response", "completion", "output"}
    | {"instruction", "messages", "completions", "generations"}
)
MARKS = " \t\n\"'*_`.,;"
GAP = r"[\"'*_`\s]*"


class TagField(NamedTuple):
    """One thing that a question wants to know of a prompt.

    Attributes:
        name: Its field on the record.
        values: Those it may have; none for any text.
    """

    name: str
    values: tuple[str, ...] = ()


def parse_fields(table: Record) -> tuple[TagField, ...]:
    """Make fields of a question's table that has no faults.

    Args:
        table: By name, a list of values or "text".

    Returns:
        The fields, in the order of the table.

    Example:
        >>> parse_fields({"intent": "text", "length": ["short", "long"]})
        (TagField(name='intent', values=()), TagField(name='length', values=('short', 'long')))
    """
    return tuple(TagField(name, () if values == ANY_TEXT else tuple(values)) for name, values in table.items())


def field_faults(table: Any) -> list[str]:
    """Name what is wrong with a question's table of fields.

    Args:
        table: What the rubric has; something else than a table is a fault that was named already.

    Returns:
        A phrase for each fault.

    Example:
        >>> field_faults({"length": ["short"]})
        ["field 'length' is ['short']; two texts or more that differ, or 'text', are needed"]
    """
    if not isinstance(table, dict):
        return []
    faults = [] if table else ["fields are missing; asks = 'prompt' needs one or more"]
    for name, values in table.items():
        if not FIELD_NAME.fullmatch(name) or name in TAKEN:
            faults.append(f"a field is called {clip(name)}; letters, digits and _ that name nothing else are needed")
        texts = values if isinstance(values, list) and all(isinstance(value, str) for value in values) else []
        bare = {_bare(value) for value in texts}
        if values != ANY_TEXT and (len(bare) < 2 or len(bare) < len(texts) or "" in bare):
            faults.append(
                f"field '{name}' is {clip(values)}; two texts or more that differ, or '{ANY_TEXT}', are needed"
            )
    return faults


def _bare(text: str) -> str:
    """Write a value or a name as it is compared: "very_easy" is "Very easy"."""
    words = re.sub(r"[\s_-]+", " ", text.replace("&", " and ").strip(MARKS))
    return words.strip().casefold()


def tags_schema(fields: tuple[TagField, ...]) -> Record:
    """Return the JSON schema of an answer.

    Args:
        fields: What is wanted.

    Returns:
        That of an object with all of them, in their order: what comes first is written first.

    Example:
        >>> tags_schema((TagField("length", ("short", "long")),))["properties"]
        {'length': {'type': 'string', 'enum': ['short', 'long']}}
    """
    return {
        "type": "object",
        "properties": {
            name: {"type": "string", "enum": list(values)} if values else {"type": "string"} for name, values in fields
        },
        "required": [field.name for field in fields],
        "additionalProperties": False,
    }


def read_tags(fields: tuple[TagField, ...]) -> Callable[[str], dict[str, str]]:
    """Make a reader of tags.

    Args:
        fields: What is wanted.

    Returns:
        Takes an answer's text (JSON with all the fields, broken JSON, lines that say "Difficulty: easy", of one field
        the value alone), gives each field's value as the rubric spells it; raises RecordError if one is missing, has
        two values, or one that is not in the list.

    Example:
        >>> read = read_tags((TagField("why"), TagField("difficulty", ("easy", "very easy"))))
        >>> read('{"why": "One step.", "difficulty": "Very_easy"}')
        {'why': 'One step.', 'difficulty': 'very easy'}
        >>> read("**Why:** One step.\\n**Difficulty:** easy.")
        {'why': 'One step.', 'difficulty': 'easy'}
    """

    def read(text: str) -> dict[str, str]:
        said = spoken(text)
        found = find_json(said)
        named = {_bare(key): value for key, value in found.items()} if isinstance(found, dict) else {}
        if any(_bare(field.name) in named for field in fields):
            return {field.name: _value(field, named.get(_bare(field.name)), text) for field in fields}
        if len(fields) == 1 and _bare(said) in map(_bare, fields[0].values):
            return {fields[0].name: _value(fields[0], said, text)}
        return {field.name: _value(field, _said_of(field, said), text) for field in fields}

    return read


def _value(field: TagField, value: Any, text: str) -> str:
    """Check one value; a list of one is that one."""
    if isinstance(value, list) and len(value) == 1:
        value = value[0]
    if value is None:
        raise RecordError(f"the answer has no '{field.name}': {clip(text)}")
    if not field.values and isinstance(value, str):
        return value.strip()
    spelled = {_bare(one): one for one in field.values}
    if not isinstance(value, str) or _bare(value) not in spelled:
        wanted = f"one of {', '.join(field.values)}" if field.values else "a text"
        raise RecordError(f"the answer's '{field.name}' is {clip(value)}; {wanted} is needed")
    return spelled[_bare(value)]


def _said_of(field: TagField, said: str) -> str | list[str] | None:
    """Find what words or broken JSON say of a field; several different values are a list."""
    # "quality" is not named by "input_quality"; that __quality__ may be bold.
    name = rf"(?<![^\W_])(?<![^\W_]_){_loosely(field.name)}{GAP}"
    if not field.values:
        quoted: list[str] = re.findall(rf"{name}:\s*\"((?:[^\"\\]|\\.)*)\"", said, re.IGNORECASE)
        lines: list[str] = re.findall(rf"^[ \t#>*_-]*{name}[:=]{GAP}(.*)$", said, re.IGNORECASE | re.MULTILINE)
        return quoted[-1] if quoted else lines[-1].rstrip(" \t*") if lines else None
    # The longest first: "good enough" is not "good".
    values = "|".join(_loosely(value) for value in sorted(field.values, key=len, reverse=True))
    # A list of all values is the echo of the format asked for.
    echo = rf"(?!{GAP}(?:,|/|\||\bor\b){GAP}(?:or\b\s*)?(?:{values})(?!\w))"
    found = re.findall(rf"{name}(?:\bis\b|[:=]){GAP}({values})(?!\w){echo}", said, re.IGNORECASE)
    differing = list({_bare(value): value for value in found}.values())
    return differing if differing else None


def _loosely(text: str) -> str:
    """Make a pattern of words that may stand apart by a space, a hyphen or an underscore."""
    words = [r"(?:&|and)" if word == "and" else re.escape(word) for word in _bare(text).split()]
    return r"[\s_-]+".join(words)
