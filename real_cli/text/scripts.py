"""Writing systems: in which script a text is mainly written, and pairs whose texts differ in it."""

import unicodedata
from array import array
from collections import Counter
from itertools import islice
from typing import Any

import numpy as np
from numpy.typing import ArrayLike

from real_cli.stats.bootstrap import wilson_interval
from real_cli.stats.proportions import estimate_share

# What comes later in a text seldom changes the answer.
MOST_CHARACTERS = 2000
# As a byte, of a pair that tells nothing.
UNTOLD = -1
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
        self._mixed, self._chosen_is_odd = array("b"), array("b")

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
        odd = [one is not None and one != script for one in (first, second)]
        told = script is not None and (first is not None or second is not None)
        self._mixed.append(any(odd) if told else UNTOLD)
        self._chosen_is_odd.append(odd[0] if told and labeled and odd[0] != odd[1] else UNTOLD)

    def summary(self, prompts: ArrayLike) -> dict[str, Any]:
        """Sum up.

        Args:
            prompts: A number for the prompt of each pair, shape (batch,).

        Returns:
            `scripts`, a row a script, the most frequent first; `num_mixed_script`, the pairs where a response is mainly
            written in another script than its prompt, of `num_script_pairs` that have a script on both sides; and of
            the labeled pairs with one such response how often it is the chosen one.

        Example:
            >>> count = ScriptCount()
            >>> count.add("Who wrote this book?", ("Толстой её написал", "Tolstoy wrote it"), labeled=True)
            >>> summary = count.summary([7])
            >>> summary["num_mixed_script"], summary["num_chosen_other_script"], summary["scripts"][0]["script"]
            (1, 1, 'Latin')
        """
        both = self._prompts + self._responses
        total = both.total()
        mixed, chosen = np.array(self._mixed), np.array(self._chosen_is_odd)
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
            "num_script_pairs": int((mixed != UNTOLD).sum()),
            "num_mixed_script": int((mixed == 1).sum()),
            **estimate_share(np.where(mixed == UNTOLD, np.nan, mixed), prompts).fields("share_mixed_script"),
            "num_chosen_other_script": int((chosen == 1).sum()),
            "num_rejected_other_script": int((chosen == 0).sum()),
            **estimate_share(np.where(chosen == UNTOLD, np.nan, chosen), prompts).fields("share_other_script_chosen"),
        }


def share_of(name: str, successes: int, trials: int) -> dict[str, float | None]:
    """Return a share of independent trials and Wilson's interval as a summary names them.

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
