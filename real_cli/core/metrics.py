"""What `eval margin` reports: accuracy and margin of implicit rewards."""

import math
from array import array
from dataclasses import dataclass, field
from typing import Any

import numpy as np
from numpy.typing import NDArray

from real_cli.core.intervals import wilson_interval

NUM_BUCKETS = 4


@dataclass
class MarginTally:
    """Log-ratios of pairs, and what can be said of them.

    Attributes:
        beta: Scale of the implicit reward.
    """

    beta: float
    _chosen: "array[float]" = field(default_factory=lambda: array("d"))
    _rejected: "array[float]" = field(default_factory=lambda: array("d"))
    _similarity: "array[float]" = field(default_factory=lambda: array("d"))
    _likelihood: "array[float]" = field(default_factory=lambda: array("d"))

    def add(
        self,
        chosen_logratio: float,
        rejected_logratio: float,
        likelihood_margin: float,
        similarity: float | None = None,
    ) -> None:
        """Count one pair.

        Args:
            chosen_logratio: Log of policy over reference of the chosen response, in nats.
            rejected_logratio: Of the rejected one.
            likelihood_margin: Log-probability of chosen minus rejected under the policy alone, in nats.
            similarity: Of the two, if known.
        """
        self._chosen.append(chosen_logratio)
        self._rejected.append(rejected_logratio)
        self._likelihood.append(likelihood_margin)
        self._similarity.append(math.nan if similarity is None else similarity)

    def summary(self) -> dict[str, Any]:
        """Sum up.

        A pair is correct if the chosen response has the larger implicit reward. Ties, which a policy equal to its
        reference makes of every pair, are told apart: TRL counts them as wrong.

        Returns:
            Names and numbers; `margin` is in nats, as REAL's code reports it, `margin_beta` times beta, as TRL does.

        Example:
            >>> tally = MarginTally(beta=0.1)
            >>> tally.add(3.0, 1.0, -4.0)
            >>> tally.add(0.0, 0.0, 2.0)
            >>> {name: tally.summary()[name] for name in ("accuracy", "num_ties", "margin", "margin_beta")}
            {'accuracy': 0.5, 'num_ties': 1, 'margin': 1.0, 'margin_beta': 0.1}
        """
        chosen, rejected = np.array(self._chosen), np.array(self._rejected)
        margins = chosen - rejected
        likelihood = np.array(self._likelihood)
        result = _accuracy(margins) | {
            "margin": _mean(margins),
            "margin_beta": _mean(margins, self.beta),
            "beta": self.beta,
            "rewards_chosen": _mean(chosen, self.beta),
            "rewards_rejected": _mean(rejected, self.beta),
            "likelihood_accuracy": _mean((likelihood > 0).astype(float)),
            "likelihood_margin": _mean(likelihood),
        }
        buckets = self._buckets(margins)
        return result | ({"by_similarity": buckets} if buckets else {})

    def _buckets(self, margins: NDArray[np.float64]) -> list[dict[str, Any]]:
        """Split the pairs that carry a similarity into four of equal number, least similar first."""
        similarity = np.array(self._similarity)
        known = np.flatnonzero(~np.isnan(similarity))
        order = known[np.argsort(similarity[known], kind="stable")]
        groups = [group for group in np.array_split(order, NUM_BUCKETS) if group.size]
        return [
            {"similarity_low": float(similarity[group[0]]), "similarity_high": float(similarity[group[-1]])}
            | _accuracy(margins[group])
            | {"margin": _mean(margins[group])}
            for group in groups
        ]


def _accuracy(margins: NDArray[np.float64]) -> dict[str, Any]:
    correct, ties = int((margins > 0).sum()), int((margins == 0).sum())
    interval = wilson_interval(correct, margins.size)
    return {
        "num_pairs": int(margins.size),
        "num_correct": correct,
        "num_ties": ties,
        "accuracy": correct / margins.size if margins.size else None,
        "accuracy_low": interval.low if interval else None,
        "accuracy_high": interval.high if interval else None,
    }


def _mean(values: NDArray[np.float64], scale: float = 1.0) -> float | None:
    return float(values.mean() * scale) if values.size else None
