"""Scripts: in which one a text is mainly written."""

import unicodedata
from collections import Counter
from itertools import islice

# Later characters seldom change the answer.
MOST_CHARACTERS = 2000
# Fewer letters (a formula, a number with its unit) decide no script.
FEWEST_LETTERS = 10
LATIN = "Latin"
EAST_ASIAN = "Han and kana"
# First words of Unicode's names for letters; Japanese mixes Han and both kana within one sentence.
SHARED_NAMES = dict.fromkeys(("CJK", "HIRAGANA", "KATAKANA", "BOPOMOFO", "IDEOGRAPHIC"), EAST_ASIAN)


class _Scripts(dict[str, str]):
    """The script of each character, worked out when it is first met; empty for what is no letter."""

    def __missing__(self, character: str) -> str:
        plain = unicodedata.normalize("NFKC", character)[:1]
        name = unicodedata.name(plain, "").partition(" ")[0]
        script = SHARED_NAMES.get(name, name.capitalize()) if plain.isalpha() else ""
        self[character] = script
        return script


SCRIPTS = _Scripts()


def main_script(text: str) -> str | None:
    """Name the script of most letters among the first 2,000 characters of a text.

    >>> main_script("Who wrote it?"), main_script("Кто это написал?"), main_script("2 + 2 = 4")
    ('Latin', 'Cyrillic', None)
    """
    text = text[:MOST_CHARACTERS]
    if text.isascii():
        return LATIN if next(islice(filter(str.isalpha, text), FEWEST_LETTERS - 1, None), None) else None
    counts: Counter[str] = Counter()
    for character, count in Counter(text).items():
        counts[SCRIPTS[character]] += count
    del counts[""]
    if counts.total() < FEWEST_LETTERS:
        return None
    return min(counts, key=lambda script: (-counts[script], script))
