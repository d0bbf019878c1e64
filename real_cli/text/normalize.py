"""Words and normalized texts: what two texts must share to be called near.

A word is a run of letters, marks and digits after NFKC and case folding; everything else separates words. In scripts
without spaces (Han, kana, Thai, Lao, Khmer, Burmese) each character is a word. '3+4' and '3-4' are equal words.
"""

import unicodedata
from collections.abc import Sequence

# Jaccard index of word 3-grams from which two texts are near.
NEAR = 0.8
MASK = (1 << 64) - 1
# First and last code points of scripts without spaces between words.
UNSPACED = (
    *((0x0E00, 0x0EFF), (0x1000, 0x109F), (0x1780, 0x17FF), (0x3041, 0x30FF)),
    *((0x3400, 0x4DBF), (0x4E00, 0x9FFF), (0xF900, 0xFAFF), (0x20000, 0x3134F)),
)


class _Folding(dict[int, str]):
    """The folded form of each character, worked out when it is first met."""

    def __missing__(self, point: int) -> str:
        character = chr(point)
        if not (character.isalnum() or unicodedata.category(character).startswith("M")):
            written = " "
        elif any(first <= point <= last for first, last in UNSPACED):
            written = f" {character} "
        else:
            written = character
        self[point] = written
        return written


FOLDING = _Folding()


def words(text: str) -> list[str]:
    """Split a text into normalized words.

    >>> words("Don't  STOP: 2 cats, 日本!")
    ['don', 't', 'stop', '2', 'cats', '日', '本']
    """
    if text.isascii():
        return text.lower().translate(FOLDING).split()
    folded = unicodedata.normalize("NFKC", unicodedata.normalize("NFKC", text).casefold())
    return folded.translate(FOLDING).split()


def normalized(text: str) -> str:
    """Return a string that is equal for texts that differ only in case, spaces, punctuation or width.

    >>> normalized("What is it?") == normalized("what  is it"), normalized(" ?! ")
    (True, '?!')
    """
    return join_words(words(text), text)


def join_words(split: Sequence[str], text: str) -> str:
    """Return what `normalized` does, from words that are already split.

    >>> join_words(["a", "b"], "A, b!"), join_words([], "?!")
    ('a b', '?!')
    """
    return " ".join(split) if split else text.strip()


def word_similarity(first: Sequence[str], second: Sequence[str]) -> float:
    """Return the Jaccard index of two texts' sets of word 3-grams.

    >>> word_similarity("a b c d".split(), "a b c e".split())
    0.3333333333333333

    References:
        Broder, 1997, On the resemblance and containment of documents, section 2 (resemblance of shingles).
    """
    ours, theirs = _grams(first), _grams(second)
    if not ours or not theirs:
        return 0.0
    shared = len(ours & theirs)
    return shared / (len(ours) + len(theirs) - shared)


def _grams(split: Sequence[str]) -> set[tuple[str, ...]]:
    if len(split) < 3:
        return {tuple(split)} if split else set()
    return set(zip(split, split[1:], split[2:], strict=False))


def digest(*texts: str) -> int:
    """Hash texts in order, within this process: equal for equal texts, hardly ever for others.

    >>> digest("a", "b") == digest("a", "b"), digest("a", "b") == digest("ab")
    (True, False)
    """
    return hash(texts) & MASK
