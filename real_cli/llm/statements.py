"""What an answer states, in order, without what it only quotes or takes back."""

import re
from collections.abc import Callable, Iterable, Iterator, Sequence
from typing import Generic, NamedTuple, TypeVar

Value = TypeVar("Value")

# Takes back the statement before it.
CORRECTION = re.compile(
    r"\bno\s*[,.:;!\u2014-]|\bwait\b|\bcorrection\b|\bcorrect(?:ing)? myself\b|\bscratch that\b"
    r"|\bon (?:second thought|reflection)\b|\bchanged? my mind\b|\bi (?:take (?:that|it) back|revise)\b",
    re.IGNORECASE,
)
# The same after the last statement, where it begins a sentence.
TAKEN_BACK = re.compile(
    r"[.!?;\n][\s*_\"')]*(?:no\s*[,.:;!\u2014-]|wait\b|correction\b|scratch that\b|on (?:second thought|reflection)\b"
    r"|i (?:take (?:that|it) back|changed my mind)\b|actually\b|not\b|hardly\b)",
    re.IGNORECASE,
)
SENTENCE_END = re.compile(r"[.!?](?=[\s\"')*_\u3000-\u9fff]|\Z)|[\n;]")
CLAUSE_END = re.compile(r"[,:\u2014({\[]|\b(?:so|thus|hence|therefore|and|because|but)\b", re.IGNORECASE)
# Makes a clause a denial, a hypothesis, or the opinion of others.
DOUBT = re.compile(
    r"\b(?:not|never|neither|nor|no|cannot|hardly|if|unless|whether|without|(?:would|could|might) have|some|others?"
    r"|asks?\s+for|asked\s+for"
    r"|many|people|claims?|says?|said|argues?|insists?|rather than|instead of|wrong|doubt(?:ful)?|deny|false|refuse)\b"
    r"|n['\u2019]t\b",
    re.IGNORECASE,
)
# A shorter line is an item of a list.
REASON_WIDTH = 8
CONDITION = re.compile(r"\W*(?:if|unless|had)\b", re.IGNORECASE)
# Longest part of a sentence that is read.
SENTENCE_WIDTH = 400
# What a quotation may add or lack.
EMPHASIS = re.compile(r"[\s*_`]+")


class Statement(NamedTuple, Generic[Value]):
    """A statement in an answer.

    Attributes:
        value: What it states.
        words: Its wording, as `spelling` normalizes it.
        start: Its first character.
        end: The character after it.
    """

    value: Value
    words: str
    start: int
    end: int


def spelling(words: str) -> str:
    """Normalize wording, for comparison with a text that may have been quoted.

    >>> spelling("Winner:  **B**.")
    'winner:b'
    """
    return EMPHASIS.sub("", words.casefold()).strip(".\"'")


def blanked(text: str, spans: Iterable[tuple[int, int]]) -> str:
    """Blank out spans of a text, sorted by their start; its length stays.

    >>> blanked("a {} b", [(2, 4)])
    'a    b'
    """
    parts, done = [], 0
    for start, end in spans:
        parts += [text[done:start], " " * (end - max(start, done))]
        done = max(end, done)
    return "".join([*parts, text[done:]])


def sentence_before(text: str, position: int) -> str:
    """Return the part of a sentence before a position.

    >>> sentence_before("It is. Thus A", 12)
    'Thus'
    """
    before = text[max(position - SENTENCE_WIDTH, 0) : position]
    ends = [match.end() for match in SENTENCE_END.finditer(before)]
    return before[ends[-1] if ends else 0 :].strip()


def sentence_behind(text: str, position: int) -> str:
    """Return the rest of a sentence from a position on.

    >>> sentence_behind("A is it. So be it.", 1)
    ' is it.'
    """
    behind = text[position : position + SENTENCE_WIDTH]
    match = SENTENCE_END.search(behind)
    return behind[: match.end()] if match else behind


def is_doubted(text: str, position: int) -> bool:
    """Tell whether the clause that leads to a position denies what stands there, or ascribes it to others.

    >>> is_doubted("I would not give a score of 9", 19), is_doubted("It is not short, so a score of 9", 20)
    (True, False)
    """
    sentence = sentence_before(text, position)
    return bool(CONDITION.match(sentence) or DOUBT.search(CLAUSE_END.split(sentence)[-1]))


def outer_lines(text: str) -> Iterator[tuple[int, int]]:
    """Yield the first and the last line where they may be an answer above or below its reasons, not part of a list.

    >>> list(outer_lines("It is so.\\n\\nA"))
    [(11, 12)]
    """
    lines = [match.span() for match in re.finditer(r"[^\n]+", text) if match[0].strip()]
    if len(lines) > 1:
        if lines[1][1] - lines[1][0] >= REASON_WIDTH:
            yield lines[0]
        if text[lines[-2][0] : lines[-2][1]].rstrip(" \t*_\"')").endswith((".", "!")):
            yield lines[-1]


def settle(
    text: str,
    shown: Sequence[str],
    find: Callable[[str], Iterable[Statement[Value]]],
    find_quotable: Callable[[str], Iterable[Statement[Value]]] | None = None,
) -> list[Value]:
    """Work out the values that an answer states: several if it contradicts itself, none if it takes the last back.

    A statement that also stands in `shown` is a quotation, unless it is the whole answer; `find_quotable` finds those,
    where that is more than `find` finds.
    """
    stated = sorted(find(text), key=lambda statement: statement.start)
    if len(stated) != 1 or re.search(r"\w", _around(text, stated[0])):
        quotable = (
            {statement.words for other in shown for statement in quotations(other, find_quotable or find)}
            if stated
            else set()
        )
        stated = [statement for statement in stated if statement.words not in quotable]
    kept: list[Statement[Value]] = []
    for statement in stated:
        if kept and statement.value != kept[-1].value and CORRECTION.search(text, kept[-1].end, statement.start):
            kept = []
        kept.append(statement)
    if kept and TAKEN_BACK.search(text, max(statement.end for statement in kept)):
        return []
    return list(dict.fromkeys(statement.value for statement in kept))


def quotations(text: str, find: Callable[[str], Iterable[Statement[Value]]]) -> Iterator[Statement[Value]]:
    """Yield what an answer could quote from a text: whole JSON objects, and the statements inside them."""
    yield from find(text)
    yield from find(text.replace("{", " "))


def _around(text: str, statement: Statement[Value]) -> str:
    """Return the text around a statement, without code fences."""
    return re.sub(r"```\w*", "", text[: statement.start] + text[statement.end :])
