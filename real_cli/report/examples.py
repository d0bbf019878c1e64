"""A few records to look at: the extremes of a stream, cut to what a person reads."""

import heapq
import re
from collections.abc import Callable, Mapping
from typing import TypeAlias

from real_cli.records.messages import transcript
from real_cli.records.record import Record, is_preference, to_candidates
from real_cli.report.contents import Excerpt, ExcerptRow, Section
from real_cli.report.field_words import in_words

# Rows by what they have in common.
Examples: TypeAlias = Mapping[str, tuple[ExcerptRow, ...]]

NUM_ROWS = 5
NUM_CHARACTERS = 600
# A longer run of letters is no word, and on a phone it would fill a page; scripts without spaces stand behind U+0E00.
NUM_WORD = 80
LONG_WORD = re.compile(rf"([^\s\u0e00-\U0010ffff]{{{NUM_WORD}}})[^\s\u0e00-\U0010ffff]+")


class Extremes:
    """The few rows of a stream with the smallest, or the largest, value; memory holds these alone.

    Args:
        largest: Keep the largest; otherwise the smallest.
        count: How many rows.
    """

    def __init__(self, *, largest: bool = False, count: int = NUM_ROWS) -> None:
        self._sign = 1.0 if largest else -1.0
        self._count = count
        # The number of arrival settles ties, so that of equal values the first come stays.
        self._heap: list[tuple[float, int, ExcerptRow]] = []
        self._num_seen = 0

    def offer(self, value: float, make: Callable[[], ExcerptRow]) -> None:
        """Show one row; it is made only if it stays."""
        self._num_seen += 1
        key = (self._sign * value, -self._num_seen)
        if len(self._heap) < self._count:
            heapq.heappush(self._heap, (*key, make()))
        elif key > self._heap[0][:2]:
            heapq.heapreplace(self._heap, (*key, make()))

    def rows(self) -> tuple[ExcerptRow, ...]:
        """Hand out what stayed, the most extreme first."""
        return tuple(row for _, _, row in sorted(self._heap, key=lambda entry: entry[:2], reverse=True))


def excerpt(place: str, record: Record, facts: dict[str, object]) -> ExcerptRow:
    """Cut one pair or candidates record to what a person reads.

    >>> excerpt("a:1", {"prompt": "q", "chosen": "x", "rejected": "y"}, {"gap": 0.5}).texts
    (('chosen', 'x'), ('rejected', 'y'))
    """
    responses = to_candidates(record)["responses"]
    heads = ["chosen", "rejected"] if is_preference(record) else [f"response {n}" for n in range(1, len(responses) + 1)]
    texts = tuple((head, _cut(transcript(response["text"]))) for head, response in zip(heads, responses, strict=True))
    shown = tuple(
        (in_words(name), f"{value:z.4g}" if isinstance(value, float) else str(value)) for name, value in facts.items()
    )
    return ExcerptRow(place, _cut(transcript(record["prompt"])), texts, shown)


def examples_section(title: str, text: str, examples: Examples) -> Section | None:
    """Lay out examples by kind as a section; None without any row."""
    items = tuple(Excerpt(f"{kind[:1].upper()}{kind[1:]}", rows) for kind, rows in examples.items() if rows)
    return Section(title, text, items) if items else None


def _cut(text: str) -> str:
    rest = len(text) - NUM_CHARACTERS
    shown = LONG_WORD.sub(r"\1…", text[:NUM_CHARACTERS])
    return shown if rest <= 0 else f"{shown} … ({rest:,} more characters)"
