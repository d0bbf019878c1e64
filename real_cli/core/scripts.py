"""Writing systems: in which script a text is mainly written, and pairs whose texts differ in it."""

import unicodedata
from collections import Counter
from itertools import islice
from typing import Any

from real_cli.core.intervals import wilson_interval

# What comes later in a text seldom changes the answer.
MOST_CHARACTERS = 2000
# Of fewer letters (a formula, a number with its unit) no script is said.
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
        found = SHARED_NAMES.get(name, name.capitalize()) if plain.isalpha() else ""
        self[character] = found
        return found


SCRIPTS = _Scripts()


def main_script(text: str) -> str | None:
    """Name the script of most letters among the first 2,000 characters of a text.

    Args:
        text: Any string.

    Returns:
        The first word of Unicode's name of its letters, such as "Latin", "Cyrillic" or "Hangul"; "Han and kana" for
        Chinese and Japanese; None for fewer than 10 letters. The first in the alphabet if two have as many.

    Example:
        >>> main_script("Who wrote it?"), main_script("Кто это написал?"), main_script("2 + 2 = 4")
        ('Latin', 'Cyrillic', None)
    """
    text = text[:MOST_CHARACTERS]
    if text.isascii():
        return LATIN if next(islice(filter(str.isalpha, text), FEWEST_LETTERS - 1, None), None) else None
    found: Counter[str] = Counter()
    for character, count in Counter(text).items():
        found[SCRIPTS[character]] += count
    del found[""]
    if found.total() < FEWEST_LETTERS:
        return None
    return min(found, key=lambda script: (-found[script], script))


class ScriptCount:
    """Scripts of prompts and responses, and pairs that mix them."""

    def __init__(self) -> None:
        self._prompts: Counter[str] = Counter()
        self._responses: Counter[str] = Counter()
        self._num_told = self._num_mixed = self._num_chosen = self._num_rejected = 0

    def add(self, prompt: str, texts: tuple[str, str], *, labeled: bool) -> None:
        """Count one pair.

        Args:
            prompt: The prompt's words.
            texts: Those of its responses, the chosen one first.
            labeled: Whether one is chosen.
        """
        script, (first, second) = main_script(prompt), map(main_script, texts)
        if script:
            self._prompts[script] += 1
        for one in (first, second):
            if one:
                self._responses[one] += 1
        if not script or not (first or second):
            return
        self._num_told += 1
        odd = [one is not None and one != script for one in (first, second)]
        self._num_mixed += any(odd)
        if labeled:
            self._num_chosen += odd[0] and not odd[1]
            self._num_rejected += odd[1] and not odd[0]

    def summary(self) -> dict[str, Any]:
        """Sum up.

        Returns:
            `scripts`, a row a script, the most frequent first; `num_mixed_script`, the pairs where a response is mainly
            written in another script than its prompt, of `num_script_pairs` that have a script on both sides; and of
            the labeled pairs with one such response how often it is the chosen one.

        Example:
            >>> count = ScriptCount()
            >>> count.add("Who wrote this book?", ("Толстой её написал", "Tolstoy wrote it"), labeled=True)
            >>> summary = count.summary()
            >>> summary["num_mixed_script"], summary["num_chosen_other_script"], summary["scripts"][0]["script"]
            (1, 1, 'Latin')
        """
        both = self._prompts + self._responses
        total, odd = both.total(), self._num_chosen + self._num_rejected
        rows = [
            {
                "script": script,
                "num_prompts": self._prompts[script],
                "num_responses": self._responses[script],
                "share_of_texts": count / total,
            }
            for script, count in sorted(both.items(), key=lambda item: (-item[1], item[0]))
        ]
        return {
            "scripts": rows,
            "num_script_pairs": self._num_told,
            "num_mixed_script": self._num_mixed,
            **share_of("mixed_script", self._num_mixed, self._num_told),
            "num_chosen_other_script": self._num_chosen,
            "num_rejected_other_script": self._num_rejected,
            **share_of("other_script_chosen", self._num_chosen, odd),
        }


def share_of(name: str, successes: int, trials: int) -> dict[str, float | None]:
    """Return a share and Wilson's interval as a summary names them.

    Args:
        name: What happened.
        successes: How often.
        trials: Out of how many.

    Returns:
        share_NAME, share_NAME_low and share_NAME_high; None without trials.

    Example:
        >>> share_of("tied", 0, 0)
        {'share_tied': None, 'share_tied_low': None, 'share_tied_high': None}
    """
    interval = wilson_interval(successes, trials)
    return {
        f"share_{name}": successes / trials if trials else None,
        f"share_{name}_low": interval.low if interval else None,
        f"share_{name}_high": interval.high if interval else None,
    }
