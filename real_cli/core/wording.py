"""Texts as a terminal may show them: nothing that it would obey, turns with their roles, words that differ."""

import re
from typing import NamedTuple

from real_cli.core.differences import differing_tokens
from real_cli.core.texts import Text, message_text

WORD = re.compile(r"\w+|[^\w\s]")
LINE_END = re.compile("\r\n?|[\x0b\x0c\x85\u2028\u2029]")
# Escape sequences begin with one of these, a few of them turn the direction of everything that follows, and tags hide
# words in what looks empty.
OBEYED = re.compile(
    "[\x00-\x08\x0e-\x1f\x7f-\x9f\u202a-\u202e\u2066-\u206f\ufeff\ufff9-\ufffb\ud800-\udfff\U000e0000-\U000e007f]"
)
CONTROL_PICTURES = 0x2400
DELETE, DELETE_PICTURE = 0x7F, "\u2421"
# Comparing two texts takes time in proportion to the product of their lengths; this much is done in a moment.
MAX_COMPARISONS = 2_000_000


class Turn(NamedTuple):
    """One message to show; a text that is no conversation has no role."""

    role: str
    content: str


def printable(text: str) -> str:
    """Make a text safe to write to a terminal.

    Args:
        text: Any text, an attacker's too.

    Returns:
        The text with every control character as a picture of it; only line ends and tabs stay.

    Example:
        >>> printable("a\\x1b[2Jb\\r\\nc")
        'a\u241b[2Jb\\nc'

    References:
        Unicode 16, section 23.1: control codes; UAX #9, section 2: directional formatting characters.
    """
    return OBEYED.sub(_picture, LINE_END.sub("\n", text))


def _picture(match: re.Match[str]) -> str:
    code = ord(match[0])
    if code < 0x20:
        return chr(CONTROL_PICTURES + code)
    return DELETE_PICTURE if code == DELETE else "\ufffd"


def turns(text: Text) -> list[Turn]:
    """Split a text into the messages to show.

    Args:
        text: A string or a conversation.

    Returns:
        Messages with their roles, printable.

    Example:
        >>> turns("Hi"), turns([{"role": "user", "content": "Hi"}])
        ([Turn(role='', content='Hi')], [Turn(role='user', content='Hi')])
    """
    if isinstance(text, str):
        return [Turn("", printable(text))]
    return [Turn(printable(str(turn["role"])), printable(message_text(turn))) for turn in text]


def differing_words(first: str, second: str) -> tuple[list[tuple[int, int]], list[tuple[int, int]]]:
    """Find the words of each text that the other has not at that place.

    Args:
        first: A text.
        second: Another one.

    Returns:
        For each text, where its differing words start and end, in characters. In long texts only words that the other
        has nowhere.

    Example:
        >>> differing_words("the cat sat", "the dog sat")
        ([(4, 7)], [(4, 7)])
    """
    found = [list(WORD.finditer(text)) for text in (first, second)]
    words = [[match[0] for match in matches] for matches in found]
    if len(words[0]) * len(words[1]) > MAX_COMPARISONS:
        others = set(words[1]), set(words[0])
        marks = [[word not in other for word in own] for own, other in zip(words, others, strict=True)]
    else:
        ids = {word: number for number, word in enumerate(dict.fromkeys(words[0] + words[1]))}
        marks = differing_tokens([[ids[word] for word in own] for own in words])
    spans = [
        [match.span() for match, is_marked in zip(matches, own, strict=True) if is_marked]
        for matches, own in zip(found, marks, strict=True)
    ]
    return spans[0], spans[1]
