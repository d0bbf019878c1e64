"""Tags of a prompt: what a question wants to know of it, and how an answer is read."""

import re
from collections.abc import Callable, Iterator, Sequence
from functools import partial
from typing import Any, NamedTuple

from real_cli.errors import RecordError, clip
from real_cli.llm.embedded_json import located_objects
from real_cli.llm.statements import Statement, blanked, is_doubted, settle, spelling
from real_cli.llm.thoughts import spoken, unwrapped
from real_cli.llm.wording import plain_answer, plain_marks
from real_cli.records.record import Record

ANY_TEXT = "text"
FIELD_NAME = re.compile(r"[A-Za-z_]\w*", re.ASCII)
# What says something else on a record, or makes another layout of it.
TAKEN = frozenset(
    {"prompt", "responses", "chosen", "rejected", "preferences", "judge", "response", "completion", "output"}
    | {"instruction", "messages", "completions", "generations"}
)
MARKS = " \t\n\"'*_`.,;"
# "easy to hard", "easy -> hard" give no value.
GOES_ON = re.compile(r"\s*(?:to\b|->|[~+<>\u2192\u2248])", re.IGNORECASE)
LINK = r"(?:->|=>|\u2192|[:=|]|(?<=\s)[-\u2013\u2014](?=\s))"
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


def read_tags(fields: tuple[TagField, ...], shown: Sequence[str] = ()) -> Callable[[str], dict[str, str]]:
    """Make a reader of tags.

    Args:
        fields: What is wanted.
        shown: What the model was shown: a value that is stated there is quoted, unless it is the whole answer.

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
        said = plain_answer(spoken(text, shown))
        if len(fields) == 1 and _bare(unwrapped(said)) in map(_bare, fields[0].values):
            return {fields[0].name: _value(fields[0], unwrapped(said), text)}
        find = partial(_objects, fields=fields)
        objects = [_named(one) for one in settle(said, shown, find)]
        prose = blanked(said, [(one.start, one.end) for one in find(said)])
        return {field.name: _value(field, _stated(field, objects, prose, shown), text) for field in fields}

    return read


def _objects(text: str, fields: tuple[TagField, ...]) -> Iterator[Statement[str]]:
    """List the JSON objects that hold one of the fields, as they stand."""
    names = {_bare(field.name) for field in fields}
    for start, end, found in located_objects(text):
        if names & set(map(_bare, found)):
            yield Statement(text[start:end], spelling(text[start:end]), start, end)


def _named(text: str) -> Record:
    """Read an object, its names as they are compared."""
    return {_bare(key): value for _, _, found in located_objects(text) for key, value in found.items()}


def _stated(field: TagField, objects: list[Record], prose: str, shown: Sequence[str]) -> Any:
    """Find what is stated of a field in objects and around them; several different values are a list."""
    last = objects[-1].get(_bare(field.name)) if objects else None
    if not field.values or (objects and last is None):
        return last if objects else _words_of(field, prose)
    find = partial(_values_of, field=field, link=LINK if objects else rf"(?:\bis\b|{LINK})")
    stated = [named[_bare(field.name)] for named in objects if _bare(field.name) in named]
    stated += settle(plain_marks(prose), [plain_marks(one) for one in shown], find)
    single = [one[0] if isinstance(one, list) and len(one) == 1 else one for one in stated]
    differing = {_bare(one) if isinstance(one, str) else repr(one): one for one in single}
    return (next(iter(differing.values())) if len(differing) == 1 else list(differing.values())) if differing else None


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


def _words_of(field: TagField, said: str) -> str | None:
    """Find the last words that lines or broken JSON say of a field."""
    quoted: list[str] = re.findall(rf"{_name_of(field)}:\s*\"((?:[^\"\\]|\\.)*)\"", said, re.IGNORECASE)
    lines: list[str] = re.findall(rf"^[ \t#>*_-]*{_name_of(field)}[:=]{GAP}(.*)$", said, re.IGNORECASE | re.MULTILINE)
    return quoted[-1] if quoted else lines[-1].rstrip(" \t*") if lines else None


def _values_of(text: str, field: TagField, link: str) -> Iterator[Statement[str]]:
    """List which values words or broken JSON give a field."""
    # The longest first: "good enough" is not "good".
    values = "|".join(_loosely(value) for value in sorted(field.values, key=len, reverse=True))
    # A list of all values is the echo of the format asked for.
    echo = rf"(?!{GAP}(?:,|/|\||\bor\b){GAP}(?:or\b\s*)?(?:{values})(?!\w))"
    for match in re.finditer(rf"{_name_of(field)}{link}{GAP}({values})(?!\w){echo}", text, re.IGNORECASE):
        unclear = is_doubted(text, match.start()) or GOES_ON.match(text, match.end())
        value = text[match.start() : match.end() + 20] if unclear else match[1]
        yield Statement(value, spelling(match[0]), *match.span())


def _name_of(field: TagField) -> str:
    """Make a pattern of a field's name: "quality" is not named by "input_quality"; that __quality__ may be bold."""
    return rf"(?<![^\W_])(?<![^\W_]_){_loosely(field.name)}{GAP}"


def _loosely(text: str) -> str:
    """Make a pattern of words that may stand apart by a space, a hyphen or an underscore."""
    words = [r"(?:&|and)" if word == "and" else re.escape(word) for word in _bare(text).split()]
    return r"[\s_-]+".join(words)
