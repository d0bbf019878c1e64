"""The messages of a text as a person reads them, and the words that differ between two texts."""

import re
from typing import NamedTuple

from real_cli.records.messages import Text, message_text
from real_cli.text.terminal_safe import printable
from real_cli.text.token_diff import differing_tokens

WORD = re.compile(r"\w+|[^\w\s]")

# Comparing two texts takes time proportional to the product of their lengths; this much takes a moment.
MAX_COMPARISONS = 2_000_000


class ShownTurn(NamedTuple):
    """A message to show; plain text has no role."""

    role: str
    content: str


def turns(text: Text) -> list[ShownTurn]:
    """Split a text into printable messages.

    >>> turns("Hi"), turns([{"role": "user", "content": "Hi"}])
    ([ShownTurn(role='', content='Hi')], [ShownTurn(role='user', content='Hi')])
    """
    if isinstance(text, str):
        return [ShownTurn("", printable(text))]
    return [ShownTurn(printable(str(turn["role"])), printable(message_text(turn))) for turn in text]


def differing_words(first: str, second: str) -> tuple[list[tuple[int, int]], list[tuple[int, int]]]:
    """Find the spans of the words in each text that the other does not have there; of long texts, nowhere at all.

    >>> differing_words("the cat sat", "the dog sat")
    ([(4, 7)], [(4, 7)])
    """
    tokens = [list(WORD.finditer(text)) for text in (first, second)]
    words = [[match[0] for match in matches] for matches in tokens]
    if len(words[0]) * len(words[1]) > MAX_COMPARISONS:
        others = set(words[1]), set(words[0])
        marks = [[word not in other for word in text_words] for text_words, other in zip(words, others, strict=True)]
    else:
        ids = {word: number for number, word in enumerate(dict.fromkeys(words[0] + words[1]))}
        marks = differing_tokens([[ids[word] for word in text_words] for text_words in words])
    spans = [
        [match.span() for match, is_marked in zip(matches, flags, strict=True) if is_marked]
        for matches, flags in zip(tokens, marks, strict=True)
    ]
    return spans[0], spans[1]
