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
        places: First characters and ends, in order.

    Returns:
        A text of the same length.

    Example:
        >>> blanked("a {} b", [(2, 4)])
        'a    b'
    """
    parts, done = [], 0
    for start, end in places:
        parts += [text[done:start], " " * (end - start)]
        done = end
    return "".join([*parts, text[done:]])


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
        The values that remain, each once, in order: several if the answer contradicts itself.
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
    return list(dict.fromkeys(one.value for one in kept))


def quotations(text: str, find: Callable[[str], Iterable[Statement[Value]]]) -> Iterator[Statement[Value]]:
    """List what could be quoted of a text: JSON objects whole, and what stands in them."""
    yield from find(text)
    yield from find(text.replace("{", " "))


def _around(text: str, one: Statement[Value]) -> str:
    """Return what stands before and behind a statement but for the name of a fence."""
    return re.sub(r"```\w*", "", text[: one.start] + text[one.end :])
