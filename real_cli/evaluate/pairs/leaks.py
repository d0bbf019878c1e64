"""Prompts of one file that stand in another: held-out data that a policy was trained on."""

import re
from array import array
from collections.abc import Iterable
from typing import Any

import numpy as np
from numpy.typing import NDArray

from real_cli.evaluate.pairs.near_prompts import NearSearch
from real_cli.pair.near_duplicates import Rows
from real_cli.records.messages import Text, plain_text, without_system
from real_cli.records.record import Record
from real_cli.report.contents import ExcerptRow
from real_cli.report.examples import NUM_ROWS, Examples, excerpt
from real_cli.stats.proportions import share_of
from real_cli.text.normalize import digest, join_words, words

# GPT-3's rule: "13-gram overlap".
RUN_WORDS = 13
# Prompts whose runs are looked up at once.
BATCH_PROMPTS = 4096
# Sorted and freed of repeats whenever so many came anew.
COMPACT_DIGESTS = 1 << 22
# Who speaks, where a dialogue is one string, as in HH-RLHF.
MARKERS = re.compile(r"^[^\S\n]*(?:human|user|assistant|system)[^\S\n]*:", re.IGNORECASE | re.MULTILINE)
# Odd, so that no word is lost: the fractional part of the golden ratio, as in Knuth's multiplicative hashing.
BASE = 0x9E3779B97F4A7C15
HOW = ("", "13 words in a row", "equal once normalized", "equal")

Digests = NDArray[np.uint64]


def asked_words(prompt: Text) -> tuple[str, list[str]]:
    """Return what of a prompt is looked for, as text and as words: no marks of who speaks, no system message."""
    text = MARKERS.sub("", plain_text(without_system(prompt))).strip()
    return text, words(text)


class PromptBatch:
    """Prompts of one file as numbers: two digests each, and the runs of 13 words."""

    def __init__(self) -> None:
        self.exact = array("Q")
        self.near = array("Q")
        self._words = array("q")
        self._ends = array("Q")

    def __len__(self) -> int:
        return len(self.exact)

    def add(self, prompt: Text) -> None:
        """Put in one prompt."""
        text, split = asked_words(prompt)
        self.exact.append(digest(text))
        self.near.append(digest(join_words(split, text)))
        # Hashes are signed numbers of 64 bits.
        self._words.extend(map(hash, split))
        self._ends.append(len(self._words))

    def runs(self) -> tuple[Digests, NDArray[np.int64]]:
        """Hash each run of 13 words; each comes with the number of its prompt."""
        values = np.array(self._words, dtype=np.int64).view(np.uint64)
        size = values.size - RUN_WORDS + 1
        if size < 1:
            return np.empty(0, dtype=np.uint64), np.empty(0, dtype=np.int64)
        hashes = np.zeros(size, dtype=np.uint64)
        for offset in range(RUN_WORDS):
            hashes = hashes * np.uint64(BASE) + values[offset : offset + size]
        owners = np.searchsorted(np.array(self._ends, dtype=np.int64), np.arange(values.size), side="right")
        inside = owners[:size] == owners[RUN_WORDS - 1 :]
        return hashes[inside], owners[:size][inside]


class PromptIndex:
    """The prompts of the other file: eight bytes for each prompt, twice, and for each run of 13 words."""

    def __init__(self) -> None:
        self._batch = PromptBatch()
        self._exact, self._near, self._runs = (DigestSet() for _ in range(3))

    def add(self, prompt: Text) -> None:
        """Put in one prompt."""
        self._batch.add(prompt)
        if len(self._batch) == BATCH_PROMPTS:
            self._take_batch()

    @property
    def num_prompts(self) -> int:
        """Distinct prompts."""
        self._take_batch()
        return self._exact.values.size

    def look_up(self, batch: PromptBatch) -> NDArray[np.int64]:
        """Say how each prompt of a batch stands here: 0 not at all, 1 by 13 words, 2 once normalized, 3 as it is."""
        self._take_batch()
        levels = np.zeros(len(batch), dtype=np.int64)
        runs, owners = batch.runs()
        levels[owners[self._runs.contains(runs)]] = 1
        levels[self._near.contains(np.array(batch.near, dtype=np.uint64))] = 2
        levels[self._exact.contains(np.array(batch.exact, dtype=np.uint64))] = 3
        return levels

    def _take_batch(self) -> None:
        if len(self._batch):
            batch, self._batch = self._batch, PromptBatch()
            for held, new in zip(
                (self._exact, self._near, self._runs), (batch.exact, batch.near, batch.runs()[0]), strict=True
            ):
                held.add(np.array(new, dtype=np.uint64))


class DigestSet:
    """A set of digests as one sorted array, with some that are still to be sorted in."""

    def __init__(self) -> None:
        self._sorted: Digests = np.empty(0, dtype=np.uint64)
        self._new: list[Digests] = []
        self._num_new = 0

    def add(self, digests: Digests) -> None:
        """Put in digests, with or without repeats."""
        self._new.append(digests)
        self._num_new += digests.size
        if self._num_new >= COMPACT_DIGESTS:
            self._sorted = self.values

    @property
    def values(self) -> Digests:
        """All of them, sorted, each once."""
        if self._new:
            self._sorted = np.unique(np.concatenate([self._sorted, *self._new]))
            self._new, self._num_new = [], 0
        return self._sorted

    def contains(self, digests: Digests) -> NDArray[np.bool_]:
        """Say which digests are in the set."""
        values = self.values
        if not values.size:
            return np.zeros(digests.size, dtype=np.bool_)
        positions = np.minimum(np.searchsorted(values, digests), values.size - 1)
        matches: NDArray[np.bool_] = values[positions] == digests
        return matches


class LeakSearch:
    """Look for the prompts of one file in the index of another: by their words, and by what they mean.

    Args:
        index: The words of the other file.
        near: Its embeddings; None where they are not to be compared.
    """

    def __init__(self, index: PromptIndex, near: NearSearch | None = None) -> None:
        self._index = index
        self._near = near
        self._batch = PromptBatch()
        self._waiting: list[tuple[str, Text]] = []
        self._levels: list[NDArray[np.int8]] = []
        self.excerpts: list[ExcerptRow] = []

    def read(self, record: Record) -> Rows | None:
        """Read the embedding of a pair's prompt, where it is to be compared."""
        return self._near.read(record) if self._near else None

    def add(self, place: str, prompt: Text, vector: Rows | None = None) -> None:
        """Look for one prompt, with what `read` returned."""
        if self._near and vector is not None:
            self._near.add(place, prompt, vector)
        self._batch.add(prompt)
        self._waiting.append((place, prompt))
        if len(self._batch) == BATCH_PROMPTS:
            self._flush()

    def columns(self) -> dict[str, NDArray[np.int8]]:
        """Hand over what checks judge, a number for each pair."""
        return {"leaks": self.levels()} | ({"near-leaks": self._near.is_near()} if self._near else {})

    def examples(self) -> Examples:
        """Hand out prompts that stand in the other file, and the nearest to some that do."""
        return {"leaked": tuple(self.excerpts), "near leaked": self._near.rows() if self._near else ()}

    def levels(self) -> NDArray[np.int8]:
        """Say how the prompt of each pair stands in the index, as `look_up` does; shape (pairs,)."""
        self._flush()
        return np.concatenate([np.empty(0, dtype=np.int8), *self._levels])

    def summary(self, prompts: Iterable[int]) -> dict[str, Any]:
        """Sum up over distinct prompts.

        >>> index = PromptIndex()
        >>> index.add("Who are you?")
        >>> search = LeakSearch(index)
        >>> for number, prompt in enumerate(["Who are you?", "who are you", "Where?"]):
        ...     search.add(f"a:{number}", prompt)
        >>> summary = search.summary([1, 2, 3])
        >>> summary["num_leaked_prompts"], summary["num_leaked_normalized_prompts"]
        (1, 2)

        References:
            Brown et al., 2020, Language Models are Few-Shot Learners, arXiv:2005.14165, appendix C.
        """
        _, first = np.unique(np.fromiter(prompts, dtype=np.uint64), return_index=True)
        levels = self.levels()[first]
        at_least = {level: int((levels >= level).sum()) for level in (1, 2, 3)}
        return {
            "num_other_prompts": self._index.num_prompts,
            "num_leaked_prompts": at_least[3],
            **share_of(at_least[3], levels.size).fields("share_leaked_prompts"),
            "num_leaked_normalized_prompts": at_least[2],
            **share_of(at_least[2], levels.size).fields("share_leaked_normalized_prompts"),
            "num_overlapping_prompts": at_least[1],
            **share_of(at_least[1], levels.size).fields("share_overlapping_prompts"),
            **(self._near.summary(first) if self._near else {}),
        }

    def _flush(self) -> None:
        if not self._waiting:
            return
        levels = self._index.look_up(self._batch)
        for number in np.flatnonzero(levels)[: NUM_ROWS - len(self.excerpts)]:
            place, prompt = self._waiting[number]
            record = {"prompt": prompt, "responses": []}
            self.excerpts.append(excerpt(place, record, {"in the other file": HOW[levels[number]]}))
        self._levels.append(levels.astype(np.int8))
        self._batch, self._waiting = PromptBatch(), []
