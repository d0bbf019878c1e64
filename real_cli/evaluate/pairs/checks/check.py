"""What a check of `real eval pairs` is: it looks at each pair, and judges what it saw when all have passed."""

import math
from collections.abc import Callable
from typing import Any, NamedTuple

import numpy as np
from numpy.typing import NDArray

from real_cli.records.record import Record
from real_cli.report.contents import VerdictLevel
from real_cli.report.numbers import show_percent
from real_cli.stats.intervals import Estimate
from real_cli.stats.proportions import estimate_share
from real_cli.text.phrases import say_count

# As a byte: the check has nothing to say of this pair.
UNTOLD = -1
# Cohen, 1988: an effect below 0.2 is smaller than what he calls small.
SMALL_EFFECT = 0.2
Values = NDArray[Any]
Scripts = tuple[str | None, str | None, str | None]
Prompts = NDArray[np.uint64]


class PairView(NamedTuple):
    """What checks see of one pair.

    Attributes:
        record: The record as it is read.
        prompt: The prompt's words.
        texts: The words of the two responses, the chosen one first.
        responses: What else is known of each: `text`, `score`, `rank`, `model`, `is_cut`.
        is_labeled: Whether the first one is chosen.
        is_empty: Of prompt and responses.
        is_equal: Whether the texts are equal.
        is_near: Whether they differ, and share 0.8 of their runs of three words.
        repeats_prompt: Whether the prompt stands in one of the responses again.
        gap: Of the scores, first less second; NaN without both.
        scripts: Of prompt and responses; None where too few letters tell.
    """

    record: Record
    prompt: str
    texts: tuple[str, str]
    responses: tuple[Record, Record]
    is_labeled: bool
    is_empty: tuple[bool, ...]
    is_equal: bool
    is_near: bool
    repeats_prompt: bool
    gap: float = math.nan
    scripts: Scripts = (None, None, None)


class Finding(NamedTuple):
    """What a check found.

    Attributes:
        rows: 1 for each pair that mending leaves out, 0 for the others, -1 for one that was not looked at. Shape
            (pairs,).
        is_wrong: Whether the check's level holds; the data are sound otherwise.
        share: What is measured, of the pairs that were looked at.
        measure: The same in words.
    """

    rows: NDArray[np.int8]
    is_wrong: bool
    share: Estimate
    measure: str


class Check(NamedTuple):
    """One check.

    Attributes:
        name: How `--drop` and the summary call it; stable.
        level: What the data are if it finds something.
        title: What it looks for.
        reason: Why that matters for training.
        look: What of a pair is kept for `judge`.
        judge: Judges what was kept, with a number for the prompt of each pair.
        kind: Typecode of what is kept: "b" a small number, "d" a float, "Q" a number of 64 bits, as of `array`.
        column: What the evaluation hands over instead of `look`, if it has it: "leaks" only with another file,
            "near-leaks" only with its embeddings.
        holds: What is so where nothing was found, such as "no response is empty".
    """

    name: str
    level: VerdictLevel
    title: str
    reason: str
    look: Callable[[PairView], float]
    judge: Callable[[Values, Prompts], Finding]
    kind: str = "b"
    column: str = ""
    holds: str = ""


def count_rows(values: Values, prompts: Prompts) -> Finding:
    """Judge pairs one by one: those of which `look` said 1 are wrong."""
    rows = np.asarray(values, dtype=np.int8)
    share = estimate_share(np.where(rows == UNTOLD, np.nan, rows), prompts)
    count = int((rows == 1).sum())
    return Finding(rows, count > 0, share, f"{count:,} of {say_share(share)}")


def say_share(share: Estimate, noun: str = "pair") -> str:
    """Say of how many, and the share with its interval where there is one.

    >>> say_share(Estimate(0.25, 0.1, 0.5, 40))
    '40 pairs (25.0%, 95% interval 10.0% to 50.0%)'
    """
    whole = say_count(share.num_rows, noun)
    if not share.value or share.low is None or share.high is None:
        return whole
    low, high = show_percent(share.low), show_percent(share.high)
    return f"{whole} ({show_percent(share.value)}, 95% interval {low} to {high})"


def judge_balance(values: Values, prompts: Prompts, *, what: str, least: float = 0.0) -> Finding:
    """Judge whether what tells two responses apart goes with the label more often than chance allows.

    Args:
        values: Above 0 where the chosen response has more of it, below 0 where the rejected one has, 0 where neither
            has; NaN where that cannot be told. Shape (pairs,).
        prompts: A number for the prompt of each pair, shape (pairs,).
        what: "the longer response", for the measure.
        least: The smallest mean over standard deviation of the values that counts.

    Returns:
        Wrong if the interval of the share of chosen ones leaves out a half, and the effect is no smaller than `least`.
        To be left out are pairs without a counterpart: then the share is a half.
    """
    known = values[~np.isnan(values)]
    signs = np.where(np.isnan(values) | (values == 0), np.nan, (values > 0).astype(np.float64))
    share = estimate_share(signs, prompts)
    is_lopsided = share.low is not None and share.high is not None and not share.low <= 0.5 <= share.high
    spread = float(np.std(np.sort(known), ddof=1)) if known.size > 1 else 0.0
    is_large = not least or (spread > 0 and abs(float(np.sort(known).mean())) / spread >= least)
    rows = np.where(np.isnan(values), UNTOLD, without_counterpart(values)).astype(np.int8)
    count = int((signs == 1).sum())
    return Finding(rows, is_lopsided and is_large, share, f"{what} is chosen in {count:,} of {say_share(share)}")


def without_counterpart(values: Values) -> NDArray[np.bool_]:
    """Mark the pairs of the larger side that the smaller one cannot match, size by size.

    Each value of the smaller side takes the nearest free one of the larger side that stands behind the last taken.

    >>> without_counterpart(np.array([5.0, -4.0, 90.0, 0.0, 4.0, -80.0])).tolist()
    [True, False, False, False, False, False]
    """
    positive, negative = np.flatnonzero(values > 0), np.flatnonzero(values < 0)
    larger, smaller = (positive, negative) if positive.size >= negative.size else (negative, positive)
    larger, smaller = (side[np.argsort(np.abs(values[side]), kind="stable")] for side in (larger, smaller))
    sizes = np.abs(values[larger])
    marked = np.zeros(values.size, dtype=np.bool_)
    marked[larger] = True
    start = 0
    for rank, size in enumerate(np.abs(values[smaller])):
        last = larger.size - (smaller.size - rank)  # as many must stay as are still to be matched
        place = min(max(start, int(np.searchsorted(sizes, size))), last)
        if place > start and abs(sizes[place - 1] - size) <= abs(sizes[place] - size):
            place -= 1
        marked[larger[place]] = False
        start = place + 1
    return marked


def as_byte(value: bool, *, if_known: bool = True) -> float:
    """Make a byte of what `look` saw."""
    return float(value) if if_known else UNTOLD


def score_gap(view: PairView) -> float:
    """Return the gap of the scores of a labeled pair; NaN otherwise."""
    return view.gap if view.is_labeled else math.nan


def look_at_nothing(view: PairView) -> float:
    """Keep nothing of a pair: the check judges a column."""
    return 0.0
