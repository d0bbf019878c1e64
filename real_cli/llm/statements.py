"""What an answer states, in order: what it only quotes is left out, and what it takes back."""

import re
from collections.abc import Callable, Iterable, Iterator, Sequence
from typing import Generic, NamedTuple, TypeVar

Value = TypeVar("Value")

# What takes back what was stated before it.
CORRECTION = re.compile(
    r"\bno\s*[,.:;!\u2014-]|\bwait\b|\bcorrection\b|\bcorrect(?:ing)? myself\b|\bscratch that\b"
    r"|\bon (?:second thought|reflection)\b|\bchanged? my mind\b|\bi (?:take (?:that|it) back|revise)\b",
    re.IGNORECASE,
)
# The same behind all that was stated, where it begins a sentence.
TAKEN_BACK = re.compile(
    r"[.!?;\n][\s*_\"')]*(?:no\s*[,.:;!\u2014-]|wait\b|correction\b|scratch that\b|on (?:second thought|reflection)\b"
    r"|i (?:take (?:that|it) back|changed my mind)\b|actually\b|not\b|hardly\b)",
    re.IGNORECASE,
)
SENTENCE_END = re.compile(r"[.!?](?=[\s\"')*_\u3000-\u9fff]|\Z)|[\n;]")
CLAUSE_END = re.compile(r"[,:\u2014({\[]|\b(?:so|thus|hence|therefore|and|because|but)\b", re.IGNORECASE)
# What makes a clause say that something is not so, or would be, or that others say so.
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
# How far a sentence is followed.
SENTENCE_WIDTH = 400
# What a quotation may have or lack.
EMPHASIS = re.compile(r"[\s*_`]+")


class Statement(NamedTuple, Generic[Value]):
    """Something that an answer states.

    Attributes:
        value: What it states.
        words: As `spelling` writes them: those in which it says so.
        start: Its first character.
        end: The character behind it.
    """

    value: Value
    words: str
    start: int
    end: int


def spelling(words: str) -> str:
    """Write words as they are compared with those of a text that may have been quoted.

    Args:
        words: A statement, as it stands.

    Returns:
        Without case, space and emphasis.

    Example:
        >>> spelling("Winner:  **B**.")
        'winner:b'
    """
    return EMPHASIS.sub("", words.casefold()).strip(".\"'")


def blanked(text: str, places: Iterable[tuple[int, int]]) -> str:
    """Put spaces in place of parts of a text.

    Args:
        text: Any text.
        places: First characters and ends, in the order of the first; they may overlap.

    Returns:
        A text of the same length.

    Example:
        >>> blanked("a {} b", [(2, 4)])
        'a    b'
    """
    parts, done = [], 0
    for start, end in places:
        parts += [text[done:start], " " * (end - max(start, done))]
        done = max(end, done)
    return "".join([*parts, text[done:]])


def sentence_before(text: str, place: int) -> str:
    """Return what a sentence says before a place.

    Args:
        text: Any text.
        place: A character's number.

    Returns:
        The words since the last end of a sentence or a line.

    Example:
        >>> sentence_before("It is. Thus A", 12)
        'Thus'
    """
    before = text[max(place - SENTENCE_WIDTH, 0) : place]
    ends = [match.end() for match in SENTENCE_END.finditer(before)]
    return before[ends[-1] if ends else 0 :].strip()


def sentence_behind(text: str, place: int) -> str:
    """Return what a sentence says from a place on.

    Args:
        text: Any text.
        place: A character's number.

    Returns:
        The words up to the next end of a sentence or a line, with that end.

    Example:
        >>> sentence_behind("A is it. So be it.", 1)
        ' is it.'
    """
    behind = text[place : place + SENTENCE_WIDTH]
    match = SENTENCE_END.search(behind)
    return behind[: match.end()] if match else behind


def is_doubted(text: str, place: int) -> bool:
    """Tell whether the clause that leads to a place takes back what stands there, or lets others say it.

    Args:
        text: Any text.
        place: The first character of what is stated.

    Returns:
        True if there is a word of doubt in it.

    Example:
        >>> is_doubted("I would not give a score of 9", 19), is_doubted("It is not short, so a score of 9", 20)
        (True, False)
    """
    sentence = sentence_before(text, place)
    return bool(CONDITION.match(sentence) or DOUBT.search(CLAUSE_END.split(sentence)[-1]))


def outer_lines(text: str) -> Iterator[tuple[int, int]]:
    """Find the lines that may be an answer above or below its reasons, and are not part of a list.

    Args:
        text: Any text of two lines or more that are not empty.

    Yields:
        First characters and ends: of the first line, and of the last where a sentence ends before it.

    Example:
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
    """Work out what an answer states.

    Args:
        text: The answer.
        shown: What the model was shown and may quote: whatever is stated there counts only as the whole answer.
        find: Finds the statements of a text.
        find_quotable: Finds those of what was shown, where that is more.

    Returns:
        The values that remain, each once, in order: several if the answer contradicts itself, none if the words behind
        the last take it back.
    """
    stated = sorted(find(text), key=lambda one: one.start)
    if len(stated) != 1 or re.search(r"\w", _around(text, stated[0])):
        quotable = (
            {one.words for other in shown for one in quotations(other, find_quotable or find)} if stated else set()
        )
        stated = [one for one in stated if one.words not in quotable]
    kept: list[Statement[Value]] = []
    for one in stated:
        if kept and one.value != kept[-1].value and CORRECTION.search(text, kept[-1].end, one.start):
            kept = []
        kept.append(one)
    if kept and TAKEN_BACK.search(text, max(one.end for one in kept)):
        return []
    return list(dict.fromkeys(one.value for one in kept))


def quotations(text: str, find: Callable[[str], Iterable[Statement[Value]]]) -> Iterator[Statement[Value]]:
    """List what could be quoted of a text: JSON objects whole, and what stands in them."""
    yield from find(text)
    yield from find(text.replace("{", " "))


def _around(text: str, one: Statement[Value]) -> str:
    """Return what stands before and behind a statement but for the name of a fence."""
    return re.sub(r"```\w*", "", text[: one.start] + text[one.end :])
