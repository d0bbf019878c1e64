"""Tags of a prompt: the fields that a question asks for, and how an answer is read."""

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
# Names that mean something else on a record, or change its layout.
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
    """A field that a question asks for.

    Attributes:
        name: Its field on the record.
        values: Those that it may have; empty for any text.
    """

    name: str
    values: tuple[str, ...] = ()


def parse_fields(table: Record) -> tuple[TagField, ...]:
    """Build the fields of a question's table that has no faults.

    >>> parse_fields({"intent": "text", "length": ["short", "long"]})
    (TagField(name='intent', values=()), TagField(name='length', values=('short', 'long')))
    """
    return tuple(TagField(name, () if values == ANY_TEXT else tuple(values)) for name, values in table.items())


def field_faults(table: Any) -> list[str]:
    """Describe each fault in a question's table of fields.

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
    """Normalize a value or a name for comparison: "very_easy" is "Very easy"."""
    words = re.sub(r"[\s_-]+", " ", text.replace("&", " and ").strip(MARKS))
    return words.strip().casefold()


def tags_schema(fields: tuple[TagField, ...]) -> Record:
    """Return the JSON schema of an answer; what comes first is written first.

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
    """Make a reader of all fields, values spelled as in the rubric; one missing or contradicted raises RecordError.

    >>> read = read_tags((TagField("why"), TagField("difficulty", ("easy", "very easy"))))
    >>> read('{"why": "One step.", "difficulty": "Very_easy"}')
    {'why': 'One step.', 'difficulty': 'very easy'}
    >>> read("**Why:** One step.\\n**Difficulty:** easy.")
    {'why': 'One step.', 'difficulty': 'easy'}
    """

    def read(text: str) -> dict[str, str]:
        answer = plain_answer(spoken(text, shown))
        if len(fields) == 1 and _bare(unwrapped(answer)) in map(_bare, fields[0].values):
            return {fields[0].name: _value(fields[0], unwrapped(answer), text)}
        find = partial(_objects, fields=fields)
        objects = [_named(words) for words in settle(answer, shown, find)]
        prose = blanked(answer, [(statement.start, statement.end) for statement in find(answer)])
        return {field.name: _value(field, _stated(field, objects, prose, shown), text) for field in fields}

    return read


def _objects(text: str, fields: tuple[TagField, ...]) -> Iterator[Statement[str]]:
    """Yield the JSON objects that hold one of the fields, as written."""
    names = {_bare(field.name) for field in fields}
    for start, end, record in located_objects(text):
        if names & set(map(_bare, record)):
            yield Statement(text[start:end], spelling(text[start:end]), start, end)


def _named(text: str) -> Record:
    """Read an object, its names normalized."""
    return {_bare(key): value for _, _, record in located_objects(text) for key, value in record.items()}


def _stated(field: TagField, objects: list[Record], prose: str, shown: Sequence[str]) -> Any:
    """Find the value of a field in objects and around them; several that differ are a list."""
    last = objects[-1].get(_bare(field.name)) if objects else None
    if not field.values or (objects and last is None):
        return last if objects else _words_of(field, prose)
    find = partial(_values_of, field=field, link=LINK if objects else rf"(?:\bis\b|{LINK})")
    stated = [named[_bare(field.name)] for named in objects if _bare(field.name) in named]
    stated += settle(plain_marks(prose), [plain_marks(other) for other in shown], find)
    single = [value[0] if isinstance(value, list) and len(value) == 1 else value for value in stated]
    differing = {_bare(value) if isinstance(value, str) else repr(value): value for value in single}
    return (next(iter(differing.values())) if len(differing) == 1 else list(differing.values())) if differing else None


def _value(field: TagField, value: Any, text: str) -> str:
    """Check one value; a list of one counts as its element."""
    if isinstance(value, list) and len(value) == 1:
        value = value[0]
    if value is None:
        raise RecordError(f"the answer has no '{field.name}': {clip(text)}")
    if not field.values and isinstance(value, str):
        return value.strip()
    spelled = {_bare(choice): choice for choice in field.values}
    if not isinstance(value, str) or _bare(value) not in spelled:
        wanted = f"one of {', '.join(field.values)}" if field.values else "a text"
        raise RecordError(f"the answer's '{field.name}' is {clip(value)}; {wanted} is needed")
    return spelled[_bare(value)]


def _words_of(field: TagField, answer: str) -> str | None:
    """Find the last text that a line or broken JSON gives a field."""
    quoted: list[str] = re.findall(rf"{_name_of(field)}:\s*\"((?:[^\"\\]|\\.)*)\"", answer, re.IGNORECASE)
    lines: list[str] = re.findall(rf"^[ \t#>*_-]*{_name_of(field)}[:=]{GAP}(.*)$", answer, re.IGNORECASE | re.MULTILINE)
    return quoted[-1] if quoted else lines[-1].rstrip(" \t*") if lines else None


def _values_of(text: str, field: TagField, link: str) -> Iterator[Statement[str]]:
    """Yield the values that prose or broken JSON gives a field."""
    # The longest first: "good enough" is not "good".
    values = "|".join(_loosely(value) for value in sorted(field.values, key=len, reverse=True))
    # A list of values echoes the format asked for.
    echo = rf"(?!{GAP}(?:,|/|\||\bor\b){GAP}(?:or\b\s*)?(?:{values})(?!\w))"
    for match in re.finditer(rf"{_name_of(field)}{link}{GAP}({values})(?!\w){echo}", text, re.IGNORECASE):
        unclear = is_doubted(text, match.start()) or GOES_ON.match(text, match.end())
        value = text[match.start() : match.end() + 20] if unclear else match[1]
        yield Statement(value, spelling(match[0]), *match.span())


def _name_of(field: TagField) -> str:
    """Build the pattern of a field's name: "input_quality" does not name "quality", and bold __quality__ does."""
    return rf"(?<![^\W_])(?<![^\W_]_){_loosely(field.name)}{GAP}"


def _loosely(text: str) -> str:
    """Build the pattern of words that a space, a hyphen or an underscore may separate."""
    words = [r"(?:&|and)" if word == "and" else re.escape(word) for word in _bare(text).split()]
    return r"[\s_-]+".join(words)
