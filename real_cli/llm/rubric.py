"""Rubrics: what a judge is asked and in which range it answers, as small TOML files; see `rubrics/`.

    name = "brevity"
    system = "You are a strict editor."       # optional
    temperature = 0.0                          # optional; also top_p, max_tokens

    [[question]]
    name = "brevity"
    asks = "each"                              # "pair", "all", "each", "prompt", "edit" or "turn"
    low = 1
    high = 5
    text = '''
    Rate from 1 to 5 how short the response is.
    # Prompt
    {prompt}
    # Response
    {response}
    '''

`asks = "pair"` shows two responses, {response_a} and {response_b}, and wants A, B or a tie. `each` shows one
{response}; `all` shows all of them, {responses}, numbered in a random order. The mean of a response's ratings that are
not N/A is its score. `prompt` shows the {prompt} alone and wants what its table of fields lists, a JSON object with one
of the values for each, or any "text"; they come onto the record under these names:

    fields = { reason = "text", register = ["formal", "casual"] }

`edit` (relabel bridge) shows {chosen} and {rejected} and wants the rejected one, edited; `turn` (relabel dsat) shows a
{conversation} and wants to know whether its last turn is dissatisfied.
"""

import hashlib
import re
from enum import StrEnum
from typing import Any, NamedTuple

import orjson

from real_cli.errors import UsageError, clip
from real_cli.llm.tags import TagField, field_faults, parse_fields
from real_cli.records.messages import is_number
from real_cli.records.questions import Sampling
from real_cli.records.record import Record


class Asks(StrEnum):
    """What one question of a rubric shows to the judge."""

    pair = "pair"
    all = "all"
    each = "each"
    prompt = "prompt"
    edit = "edit"
    turn = "turn"


HOLES = {
    Asks.pair: ("prompt", "response_a", "response_b"),
    Asks.all: ("prompt", "responses"),
    Asks.each: ("prompt", "response"),
    Asks.prompt: ("prompt",),
    Asks.edit: ("prompt", "chosen", "rejected"),
    Asks.turn: ("conversation",),
}
# The kinds of question that each command understands.
JUDGING = (Asks.pair, Asks.all, Asks.each, Asks.prompt)
BRIDGING = (Asks.edit,)
DETECTING = (Asks.turn,)
RATES = (Asks.all, Asks.each)
TAGS = (Asks.prompt,)
HOLE = re.compile(r"\{(\w+)\}")


class RubricQuestion(NamedTuple):
    """One question of a rubric.

    Attributes:
        name: What its rating is called on the record.
        asks: What it shows to the judge.
        text: Words with holes for prompt and responses.
        low: The lowest rating.
        high: The highest.
        not_applicable: Whether "N/A" is a rating; it does not count in the mean.
        counts: Whether the rating counts in the mean that becomes the score.
        repaired: Whether a top rating is checked against the mean of those that count (UltraFeedback's overall score).
        max_tokens: Longest answer, in tokens.
        fields: What it asks of a prompt.
    """

    name: str
    asks: Asks
    text: str
    low: float = 1
    high: float = 10
    not_applicable: bool = False
    counts: bool = True
    repaired: bool = False
    max_tokens: int = 512
    fields: tuple[TagField, ...] = ()


class Rubric(NamedTuple):
    """What a judge is asked.

    Attributes:
        name: Its name.
        digest: A hash of its content, 12 hexadecimal digits.
        system: A system message; empty for none.
        temperature: Of the answers.
        top_p: Of the answers.
        questions: Several that rate, several of the prompt alone, or one that asks anything else.
    """

    name: str
    digest: str
    system: str
    temperature: float
    top_p: float
    questions: tuple[RubricQuestion, ...]

    @property
    def compares(self) -> bool:
        """Whether it compares two responses, rather than rating them."""
        return self.questions[0].asks is Asks.pair

    @property
    def tags(self) -> bool:
        """Whether it asks of the prompt alone."""
        return self.questions[0].asks in TAGS

    def sampling(self, question: RubricQuestion) -> Sampling:
        """Return the sampling settings of a question."""
        return Sampling(question.max_tokens, self.temperature, self.top_p)

    def messages(self, question: RubricQuestion, **texts: str) -> list[dict[str, str]]:
        """Fill the holes of a question; return a conversation."""
        # In one pass, so that a response with "{prompt}" in it stays as it is.
        content = HOLE.sub(lambda hole: texts.get(hole[1], hole[0]), question.text).strip()
        system = [{"role": "system", "content": self.system}] if self.system else []
        return [*system, {"role": "user", "content": content}]


MOST = 1e9
TOP_KEYS = {"name": str, "system": str, "temperature": float, "top_p": float, "max_tokens": int, "question": list}
QUESTION_KEYS = {
    "name": str,
    "asks": object,  # checked on its own
    "text": str,
    "low": float,
    "high": float,
    "not_applicable": bool,
    "counts": bool,
    "repaired": bool,
    "max_tokens": int,
    "fields": dict,
}


def parse_rubric(table: Record, place: str, understood: tuple[Asks, ...] = JUDGING) -> Rubric:
    """Build a rubric from a parsed TOML file; the UsageError names every fault.

    >>> question = {"asks": "each", "text": "Rate {response} to {prompt}."}
    >>> parse_rubric({"name": "short", "question": [question]}, "short.toml").questions[0].name
    'short'
    """
    faults = _type_faults(table, TOP_KEYS, "")
    entries = table.get("question")
    if not isinstance(entries, list) or not entries or not all(isinstance(entry, dict) for entry in entries):
        raise UsageError(f"{place}: " + "; ".join([*faults, "a rubric needs one [[question]] or more"]))
    for number, entry in enumerate(entries, 1):
        faults += _question_faults(entry, f"question {number}: ", understood)
    faults += _rubric_faults(table, entries)
    if faults:
        raise UsageError(f"{place}: " + "; ".join(faults))
    common = {"max_tokens": table["max_tokens"]} if "max_tokens" in table else {}
    questions = tuple(RubricQuestion(**(common | {"name": table["name"]} | entry | _typed(entry))) for entry in entries)
    digest = hashlib.blake2b(orjson.dumps(table, option=orjson.OPT_SORT_KEYS), digest_size=6).hexdigest()
    temperature, top_p = float(table.get("temperature", 0)), float(table.get("top_p", 1))
    return Rubric(table["name"], digest, table.get("system", ""), temperature, top_p, questions)


def _typed(entry: Record) -> Record:
    return {"asks": Asks(entry["asks"]), "fields": parse_fields(entry.get("fields", {}))}


def _type_faults(table: Record, keys: dict[str, Any], where: str) -> list[str]:
    faults = [f"{where}unknown key '{key}'; known are {', '.join(keys)}" for key in table if key not in keys]
    for key, kind in keys.items():
        value = table.get(key)
        # A number beyond MOST does not fit into a request.
        fits = abs(_number(table, key, 0)) <= MOST if kind is float else isinstance(value, kind)
        if key in table and (not fits or (kind is int and isinstance(value, bool))):
            names = {str: "a text", float: "a number", int: "a whole number", bool: "true or false", dict: "a table"}
            faults.append(f"{where}{key} is {clip(value)}; {names.get(kind, 'a list of tables')} is needed")
        elif key == "max_tokens" and isinstance(value, int) and not 1 <= value <= MOST:
            faults.append(f"{where}max_tokens is {value}; 1 or more is needed")
    return faults


def _number(table: Record, key: str, default: float) -> float:
    """Return a number; NaN for a value that was reported as a fault already."""
    value = table.get(key, default)
    return float(value) if is_number(value) else float("nan")


def _question_faults(entry: Record, where: str, understood: tuple[Asks, ...]) -> list[str]:
    faults = _type_faults(entry, QUESTION_KEYS, where)
    if entry.get("asks") not in understood:
        wanted = " or ".join(f"'{asks}'" for asks in understood)
        return [*faults, f"{where}asks is {clip(entry.get('asks'))}; {wanted} is needed"]
    holes = set(HOLE.findall(str(entry.get("text", ""))))
    missing = [f"{{{hole}}}" for hole in HOLES[Asks(entry["asks"])] if hole not in holes]
    if missing:
        faults.append(f"{where}text lacks {', '.join(missing)}")
    if entry["asks"] in TAGS:
        faults += [f"{where}{fault}" for fault in field_faults(entry.get("fields", {}))]
    elif "fields" in entry:
        faults.append(f"{where}fields are for asks = 'prompt'")
    return faults


def _rubric_faults(table: Record, entries: list[Record]) -> list[str]:
    faults = [] if table.get("name") else ["a rubric needs a name"]
    known = [entry["asks"] for entry in entries if entry.get("asks") in tuple(Asks)]
    if len(entries) > 1 and not any(all(asks in kind for asks in known) for kind in (RATES, TAGS)):
        faults.append(
            "a rubric has several questions only if all of them rate (asks = 'all' or 'each') or all ask of the prompt"
        )
    fields = [name for entry in entries if isinstance(entry.get("fields"), dict) for name in entry["fields"]]
    faults += [f"two questions have the field '{name}'" for name in dict.fromkeys(fields) if fields.count(name) > 1]
    names = [str(entry.get("name", table.get("name", f"number {n}"))) for n, entry in enumerate(entries, 1)]
    faults += [f"question {number} has an empty name" for number, name in enumerate(names, 1) if not name]
    faults += [f"two questions are named '{name}'" for name in dict.fromkeys(names) if names.count(name) > 1]
    for name, entry in zip(names, entries, strict=True):
        if _number(entry, "low", 1) >= _number(entry, "high", 10):
            faults.append(f"question '{name}': low is not below high")
        if entry.get("repaired") and (entry.get("counts", True) or entry.get("asks") != Asks.each):
            faults.append(f"question '{name}': repaired needs asks = 'each' and counts = false")
    if entries[0].get("asks") in RATES and not any(entry.get("counts", True) for entry in entries):
        faults.append("no question counts; the score is the mean of those that do")
    temperature, top_p = _number(table, "temperature", 0), _number(table, "top_p", 1)
    if temperature < 0 or temperature > 2 or top_p <= 0 or top_p > 1:
        faults.append("temperature is from 0 to 2, top_p above 0 and at most 1")
    return faults
