"""Repeats and contradictions in a file of pairs, found by digests of eight bytes each."""

from array import array
from typing import Any

import numpy as np
from numpy.typing import NDArray

from real_cli.text.normalize import digest

# The lowest bit of a text pair's digest is given up for the way it was labeled.
LABEL_BIT = np.uint64(1)


class Repeats:
    """Digests of prompts and pairs; they are compared at the end, here and by checks.

    Attributes:
        prompts: A number for the prompt of each pair.
    """

    def __init__(self) -> None:
        self.prompts = array("Q")
        self._contents = array("Q")
        self._near_prompts = array("Q")
        self._near_contents = array("Q")
        self._labeled = array("Q")

    def add(self, prompt: str, texts: tuple[str, str]) -> None:
        """Note one pair by its comparable texts, as they are."""
        self.prompts.append(digest(prompt))
        self._contents.append(digest(prompt, *texts))

    def add_normalized(self, prompt: str, texts: tuple[str, str]) -> None:
        """Note one pair by its normalized texts."""
        self._near_prompts.append(digest(prompt))
        self._near_contents.append(digest(prompt, *sorted(texts)))

    def add_label(self, prompt: str, chosen: str, rejected: str, *, labeled: bool) -> int | None:
        """Note how two unlike texts were labeled: the code's lowest bit is the label, the others name the two texts.

        A pair without a label, or of equal texts, has none.
        """
        if not labeled or chosen == rejected:
            self._labeled.append(0)
            return None
        is_sorted = chosen < rejected
        texts = (chosen, rejected) if is_sorted else (rejected, chosen)
        code = digest(prompt, *texts) & ~1 | is_sorted
        self._labeled.append(code)
        return code

    def columns(self) -> dict[str, NDArray[np.uint64]]:
        """Hand over what checks judge, a number for each pair: labels (0 is none), contents, normalized prompts."""
        columns = {"labels": self._labeled, "contents": self._contents, "near-prompts": self._near_prompts}
        return {name: _numbers(digests) for name, digests in columns.items()}

    def summary(self) -> dict[str, Any]:
        """Compare the digests.

        `num_repeats` pairs stand before, texts in the same order; `num_near_repeats` do once normalized, texts in
        either order. `num_repeated_prompts` pairs have a normalized prompt that stands before. `num_near_prompts`
        distinct prompts are equal to another once normalized. `num_contradictions` are two texts of a prompt labeled
        both ways.
        """
        num_prompts, num_near_prompts = (_num_distinct(prompts) for prompts in (self.prompts, self._near_prompts))
        repeated = len(self._near_prompts) - num_near_prompts
        return {
            "num_prompts": num_prompts,
            "num_repeats": len(self._contents) - _num_distinct(self._contents),
            "num_near_repeats": len(self._near_contents) - _num_distinct(self._near_contents),
            "num_repeated_prompts": repeated,
            "share_repeated_prompts": repeated / len(self._near_prompts) if self._near_prompts else None,
            "num_near_prompts": num_prompts - num_near_prompts,
            "num_contradictions": self._num_contradictions(),
        }

    def _num_contradictions(self) -> int:
        codes = np.unique(_numbers(self._labeled))
        labels = codes[codes > 0] & ~LABEL_BIT
        return int(np.count_nonzero(labels[1:] == labels[:-1]))


def _numbers(digests: "array[int]") -> NDArray[np.uint64]:
    return np.frombuffer(digests, dtype=np.uint64) if digests else np.empty(0, dtype=np.uint64)


def _num_distinct(digests: "array[int]") -> int:
    return int(np.unique(_numbers(digests)).size)
