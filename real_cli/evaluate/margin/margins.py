"""Accuracy and margin of implicit rewards, with intervals over prompts."""

import math
from array import array
from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import Any, NamedTuple

import numpy as np
from numpy.typing import NDArray

from real_cli.stats.by_length import describe_lengths
from real_cli.stats.by_prompt import PromptIntervals
from real_cli.stats.calibration import calibrate

NUM_BUCKETS = 4
NUM_BARS = 30


class PairMargin(NamedTuple):
    """One measured pair.

    Attributes:
        chosen_logratio: Log of policy over reference of the chosen response, in nats.
        rejected_logratio: Of the rejected one.
        likelihood_margin: Log-probability of chosen minus rejected under the policy alone, in nats.
        similarity: Of the two responses, if known.
        num_tokens_chosen: Tokens of the chosen response.
        num_tokens_rejected: Of the rejected one.
    """

    chosen_logratio: float
    rejected_logratio: float
    likelihood_margin: float
    similarity: float | None = None
    num_tokens_chosen: int = 1
    num_tokens_rejected: int = 1

    @property
    def margin(self) -> float:
        """Log-ratio of chosen minus rejected, in nats."""
        return self.chosen_logratio - self.rejected_logratio

    @property
    def is_finite(self) -> bool:
        """Whether the policy said numbers."""
        return math.isfinite(self.margin) and math.isfinite(self.likelihood_margin)

    def row(self, beta: float) -> dict[str, Any]:
        """List the numbers of the pair, for `--rows`.

        >>> pair = PairMargin(3.0, 1.0, -4.0, None, 3, 2)
        >>> {name: pair.row(0.5)[name] for name in ("is_correct", "margin", "margin_beta", "margin_per_token")}
        {'is_correct': True, 'margin': 2.0, 'margin_beta': 1.0, 'margin_per_token': 0.5}
        """
        known = self.num_tokens_chosen > 0 and self.num_tokens_rejected > 0
        return {
            "is_correct": self.margin > 0,
            "margin": self.margin,
            "margin_beta": self.margin * beta,
            "rewards_chosen": self.chosen_logratio * beta,
            "rewards_rejected": self.rejected_logratio * beta,
            "likelihood_margin": self.likelihood_margin,
            "margin_per_token": self.chosen_logratio / self.num_tokens_chosen
            - self.rejected_logratio / self.num_tokens_rejected
            if known
            else None,
            "similarity": self.similarity,
            "num_tokens_chosen": self.num_tokens_chosen,
            "num_tokens_rejected": self.num_tokens_rejected,
        }


class Columns(NamedTuple):
    """The numbers of all pairs, shape (batch,) each; NaN for what is not known."""

    prompts: NDArray[np.uint64]
    chosen: NDArray[np.float64]
    rejected: NDArray[np.float64]
    likelihood: NDArray[np.float64]
    similarity: NDArray[np.float64]
    per_token: NDArray[np.float64]
    lengths: NDArray[np.float64]

    @property
    def margins(self) -> NDArray[np.float64]:
        """Log-ratios of chosen minus rejected, in nats."""
        return self.chosen - self.rejected


@dataclass
class MarginTally:
    """The numbers of pairs, and what can be said of them; 56 bytes a pair.

    Attributes:
        beta: Scale of the implicit reward.
        seed: Of the draws behind intervals.
    """

    beta: float
    seed: int = 0
    _columns: "tuple[array[Any], ...]" = field(default_factory=lambda: (array("Q"), *(array("d") for _ in range(6))))

    def add(self, pair: PairMargin, prompt: bytes) -> None:
        """Count one pair under the digest that `text_key` made of its prompt."""
        tokens = pair.num_tokens_chosen, pair.num_tokens_rejected
        normalized = (
            pair.chosen_logratio / tokens[0] - pair.rejected_logratio / tokens[1] if min(tokens) > 0 else math.nan
        )
        similarity = math.nan if pair.similarity is None else pair.similarity
        length = tokens[0] - tokens[1] if min(tokens) > 0 else math.nan
        values = pair.chosen_logratio, pair.rejected_logratio, pair.likelihood_margin, similarity, normalized, length
        for column, value in zip(self._columns, (int.from_bytes(prompt[:8], "big"), *values), strict=True):
            column.append(value)

    def columns(self) -> Columns:
        """Return the numbers in the order in which they came."""
        prompts, *others = self._columns
        return Columns(np.array(prompts, dtype=np.uint64), *(np.array(column, dtype=np.float64) for column in others))

    def summary(self) -> dict[str, Any]:
        """Sum up.

        A pair is correct if the chosen response has the larger implicit reward. Ties, which a policy equal to its
        reference makes of every pair, are told apart: TRL counts them as wrong. For numbers a token each log-ratio is
        divided by its response's number of tokens first.

        >>> tally = MarginTally(beta=0.1)
        >>> tally.add(PairMargin(3.0, 1.0, -4.0), b"prompt 1")
        >>> tally.add(PairMargin(0.0, 0.0, 2.0), b"prompt 2")
        >>> {name: tally.summary()[name] for name in ("accuracy", "num_ties", "margin", "margin_beta")}
        {'accuracy': 0.5, 'num_ties': 1, 'margin': 1.0, 'margin_beta': 0.1}
        """
        columns = _ordered(self.columns())
        margins, rewards = columns.margins, (columns.chosen * self.beta, columns.rejected * self.beta)
        intervals = PromptIntervals(columns.prompts, seed=self.seed)
        result = {
            **_accuracy(margins, intervals),
            "num_prompts": intervals.num_prompts,
            **intervals.mean("margin", margins),
            **intervals.mean("margin_beta", margins * self.beta),
            "beta": self.beta,
            **intervals.mean("rewards_chosen", rewards[0]),
            **intervals.mean("rewards_rejected", rewards[1]),
            **intervals.share("likelihood_accuracy", (columns.likelihood > 0).astype(np.float64)),
            **intervals.mean("likelihood_margin", columns.likelihood),
            **intervals.share("accuracy_per_token", _is_positive(columns.per_token)),
            **intervals.mean("margin_per_token", columns.per_token),
            "num_per_token": int((~np.isnan(columns.per_token)).sum()),
            **_by_similarity(columns, intervals),
            **describe_lengths(margins, columns.lengths, columns.prompts, intervals),
            **calibrate(margins, self.beta, intervals),
            "margin_histogram": signed_histogram(margins, margins),
            "rewards_chosen_histogram": signed_histogram(rewards[0], np.concatenate(rewards)),
            "rewards_rejected_histogram": signed_histogram(rewards[1], np.concatenate(rewards)),
        }
        return result | {"notes": intervals.notes()}


def compare(tallies: Sequence[MarginTally], names: Sequence[str]) -> list[dict[str, Any]]:
    """Subtract the first policy's numbers from each other policy's, pair by pair.

    >>> first, second = MarginTally(1.0), MarginTally(1.0)
    >>> first.add(PairMargin(0.0, 1.0, 0.0), b"prompt 1")
    >>> second.add(PairMargin(3.0, 1.0, 0.0), b"prompt 1")
    >>> difference = compare([first, second], ["a", "b"])[0]
    >>> difference["policy"], difference["minus"], difference["accuracy"], difference["margin"]
    ('b', 'a', 1.0, 3.0)
    """
    base = tallies[0].columns()
    return [
        {"policy": name, "minus": names[0], **_difference(base, tally.columns(), tally.seed)}
        for name, tally in zip(names[1:], tallies[1:], strict=True)
    ]


def _difference(base: Columns, other: Columns, seed: int) -> dict[str, Any]:
    margins = other.margins - base.margins
    correct, likely = (
        [(values > 0).astype(np.float64) for values in both]
        for both in ((other.margins, base.margins), (other.likelihood, base.likelihood))
    )
    # The order of addition moves the last digit: that of the input is to move nothing.
    order = np.lexsort((margins, base.prompts))
    intervals = PromptIntervals(base.prompts[order], seed=seed)
    return {
        "num_pairs": int(margins.size),
        **intervals.difference("accuracy", correct[0][order], correct[1][order]),
        **intervals.mean("margin", margins[order]),
        **intervals.difference("likelihood_accuracy", likely[0][order], likely[1][order]),
        "notes": intervals.notes(),
    }


def _ordered(columns: Columns) -> Columns:
    """Put the pairs in an order that does not depend on that of the input."""
    order = np.lexsort(tuple(reversed(columns)))
    return Columns(columns.prompts[order], *(column[order] for column in columns[1:]))


def _by_similarity(columns: Columns, intervals: PromptIntervals) -> dict[str, Any]:
    """Split the pairs that carry a similarity into four of equal number, least similar first; compare the ends."""
    similarity, margins = columns.similarity, columns.margins
    known = np.flatnonzero(~np.isnan(similarity))
    # A stable sort: pairs that are equally similar stay in the order of their prompts' digests, which is random.
    order = known[np.argsort(similarity[known], kind="stable")]
    groups = [group for group in np.array_split(order, NUM_BUCKETS) if group.size]
    if not groups:
        return {}
    buckets = [
        {"similarity_low": float(similarity[group[0]]), "similarity_high": float(similarity[group[-1]])}
        | _accuracy(margins, intervals, group)
        | intervals.mean("margin", margins, group)
        for group in groups
    ]
    if len(groups) == 1:
        return {"by_similarity": buckets}
    ends = [np.full(margins.size, np.nan) for _ in range(2)]
    for outcomes, group in zip(ends, (groups[0], groups[-1]), strict=True):
        outcomes[group] = margins[group] > 0
    gap = intervals.difference("accuracy_gap", *ends)
    sizes = {"num_least_similar": int(groups[0].size), "num_most_similar": int(groups[-1].size)}
    return {"by_similarity": buckets, **gap, **sizes}


def _accuracy(
    margins: NDArray[np.float64], intervals: PromptIntervals, rows: NDArray[np.intp] | None = None
) -> dict[str, Any]:
    chosen = margins if rows is None else margins[rows]
    return {
        "num_pairs": int(chosen.size),
        "num_correct": int((chosen > 0).sum()),
        "num_ties": int((chosen == 0).sum()),
        **intervals.share("accuracy", (margins > 0).astype(np.float64), rows),
    }


def _is_positive(values: NDArray[np.float64]) -> NDArray[np.float64]:
    return np.where(np.isnan(values), np.nan, (values > 0).astype(np.float64))


def signed_histogram(values: NDArray[np.float64], span: NDArray[np.float64]) -> dict[str, list[float]]:
    """Count numbers in bars of one width, one of whose edges is 0, so that the signs stay apart.

    >>> signed_histogram(np.array([-1.0, 0.5, 0.6]), np.array([-1.0, 59.0]))["counts"][:2]
    [1, 2]
    """
    if not values.size:
        return {"edges": [], "counts": []}
    low, high = min(0.0, float(span.min())), max(0.0, float(span.max()))
    width = (high - low) / NUM_BARS or 1.0
    first, last = math.floor(low / width), max(1, math.ceil(high / width))
    edges = width * np.arange(first, last + 1)
    # The largest number stands on the last edge and belongs to the last bar.
    bars = np.minimum(np.floor(values / width).astype(np.int64) - first, last - first - 1)
    counts = np.bincount(bars, minlength=last - first)
    return {"edges": edges.tolist(), "counts": counts.tolist()}
