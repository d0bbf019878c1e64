"""How much a pair weighs in the loss."""

import math
from collections.abc import Callable, Collection
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from real_cli.errors import RealError, RecordError, UsageError, clip
from real_cli.records.messages import is_number
from real_cli.records.record import Record, check_labeled
from real_cli.relabel.scored import check_temperature
from real_cli.relabel.weight.choices import Negative, Normalization, WeightRule
from real_cli.relabel.weight.expression import Expression
from real_cli.stats.numeric import sigmoid
from real_cli.text.phrases import say_count


def reward_difference(gap: float, temperature: float = 1.0) -> float:
    """Weigh a pair by how much better its chosen response is, R = r(y_w) - r(y_l), as reward difference optimization.

    Args:
        gap: score_chosen - score_rejected; negative where the label disagrees with the scores.
        temperature: What the gap is divided by, > 0; the paper has none.

    Returns:
        The weight.

    Example:
        >>> reward_difference(9 - 4)
        5.0

    References:
        Wang et al., 2024, Reward Difference Optimization, arXiv:2408.09385.
    """
    return gap / temperature


def gap_utility(gap: float, temperature: float = 1.0) -> float:
    """Weigh a pair by the utility of its gap, sigmoid(gap / T), between 0 and 1.

    OPTune reweighs pairs by a monotone function of r_w - r_l. Its exact form is unverified: no official code is
    published, and the sigmoid is ours.

    Args:
        gap: score_chosen - score_rejected.
        temperature: T, > 0; the larger, the more alike the weights.

    Returns:
        The weight; 1/2 for equal scores.

    Example:
        >>> round(gap_utility(2.0), 6)
        0.880797

    References:
        Chen et al., 2024, OPTune, arXiv:2406.07657.
    """
    return float(sigmoid(np.array(gap / temperature)))


def refuse_negative(weight: float) -> float:
    """Refuse a negative weight."""
    if weight < 0:
        raise RecordError(f"the weight is {weight:g}; --negative clip makes it 0, keep leaves it")
    return weight


def clip_negative(weight: float) -> float:
    """Make a negative weight 0: it would turn the descent on this pair into ascent."""
    return max(0.0, weight)


def keep_negative(weight: float) -> float:
    """Leave a negative weight as it is; `train-dpo` refuses it."""
    return weight


def scale_to_mean(weights: NDArray[np.float64]) -> NDArray[np.float64]:
    """Scale weights to mean 1, so that runs with and without them have one learning rate.

    Args:
        weights: Of all pairs, shape (batch,), at least one.

    Returns:
        Weights with mean 1, shape (batch,).

    Raises:
        RealError: If the mean is not positive.

    Example:
        >>> scale_to_mean(np.array([1.0, 0.0, 5.0]))
        array([0.5, 0. , 2.5])
    """
    mean = weights.mean()
    if not mean > 0 or not np.isfinite(mean):
        what = _all_are(weights) if not weights.any() else f"the mean of the weights is {mean:g}"
        raise RealError(f"--normalize mean: {what}; a mean above 0 is needed")
    return np.asarray(weights / mean)


def scale_to_range(weights: NDArray[np.float64]) -> NDArray[np.float64]:
    """Move and scale weights so that the smallest is 0 and the largest 1.

    Args:
        weights: Of all pairs, shape (batch,), at least one.

    Returns:
        Weights from 0 to 1, shape (batch,).

    Raises:
        RealError: If all are equal.

    Example:
        >>> scale_to_range(np.array([1.0, 3.0, 5.0]))
        array([0. , 0.5, 1. ])
    """
    low, high = weights.min(), weights.max()
    if low == high:
        raise RealError(f"--normalize min-max: {_all_are(weights)}; two different ones are needed")
    return np.asarray(
        (weights / 2 - low / 2) / (high / 2 - low / 2)
    )  # halved, since the range of two floats may overflow


def _all_are(weights: NDArray[np.float64]) -> str:
    value = f"{weights[0]:g}"
    return f"the only weight is {value}" if len(weights) == 1 else f"all {len(weights):,} weights are {value}"


WEIGHTS: dict[WeightRule, Callable[[float, float], float]] = {
    WeightRule.reward_difference: reward_difference,
    WeightRule.gap_utility: gap_utility,
}
# Rules for which --negative would be ignored.
NEVER_NEGATIVE = frozenset({WeightRule.gap_utility})
NEGATIVES: dict[Negative, Callable[[float], float]] = {
    Negative.refuse: refuse_negative,
    Negative.clip: clip_negative,
    Negative.keep: keep_negative,
}
# None: weights stay as they are, and no pair waits for another.
NORMALIZATIONS: dict[Normalization, Callable[[NDArray[np.float64]], NDArray[np.float64]] | None] = {
    Normalization.none: None,
    Normalization.mean: scale_to_mean,
    Normalization.min_max: scale_to_range,
}


class Bounds(NamedTuple):
    """What a weight is clipped to."""

    low: float = -math.inf
    high: float = math.inf


class Weigher:
    """Weighs pairs, and counts the weights that were changed.

    Either `rule` (reward-difference if neither is given, at `temperature` 1) or `expression`, arithmetic over the
    record's fields, gives the number; `negative` (clip if it is not given) then says what a negative one becomes, and
    `bounds` clip. Settings that contradict each other raise UsageError.
    """

    def __init__(
        self,
        rule: WeightRule | None = None,
        *,
        expression: str | None = None,
        temperature: float | None = None,
        negative: Negative | None = None,
        bounds: tuple[float, float] | None = None,
    ) -> None:
        if expression is not None and (rule is not None or temperature is not None):
            other = "--by" if rule is not None else "--temperature"
            raise UsageError(f"--expression and {other}: the expression alone says how a pair is weighed; give one")
        self._expression = None if expression is None else Expression(expression)
        if negative is not None and rule in NEVER_NEGATIVE:
            raise UsageError(f"--negative: --by {rule} gives no negative weight, whatever the scores; leave it out")
        self._rule = WEIGHTS[rule or WeightRule.reward_difference]
        self._temperature = check_temperature(temperature)
        self._negative = NEGATIVES[negative or Negative.clip]
        self._bounds = Bounds() if bounds is None else Bounds(*bounds)
        if bounds is not None:
            _check_bounds(self._bounds)
        self.num_weights = self.num_disagreeing = self.num_negative = self.num_clipped = 0

    @property
    def fields(self) -> Collection[str]:
        """The fields that the expression names."""
        return self._expression.fields if self._expression else ()

    def __call__(self, record: Record) -> float:
        """Weigh one pair.

        Args:
            record: A preference record.

        Returns:
            Its weight, finite.

        Raises:
            RecordError: If it is no labeled pair, a number is missing, or the weight is refused or infinite.

        Example:
            >>> pair = {"prompt": "q", "chosen": "a", "rejected": "b", "score_chosen": 9, "score_rejected": 4}
            >>> Weigher()(pair), Weigher(bounds=(0, 3))(pair), Weigher(expression="score_chosen / 3")(pair)
            (5.0, 3.0, 3.0)
        """
        check_labeled(record)
        gap = 0.0 if self._expression else _gap(record)
        raw = self._expression(record) if self._expression else self._rule(gap, self._temperature)
        if not math.isfinite(raw):
            raise RecordError(f"the weight is {raw:g}; the scores are too far apart")
        positive = self._negative(raw)
        weight = float(min(max(positive, self._bounds.low), self._bounds.high))
        self.num_weights += 1
        self.num_disagreeing += gap < 0
        self.num_negative += positive != raw
        self.num_clipped += weight != positive
        return weight

    def sentence(self) -> str:
        """Report the counts in one line."""
        parts = [f"{say_count(self.num_weights, 'pair')} weighed"]
        if self.num_disagreeing:
            verb = "disagrees" if self.num_disagreeing == 1 else "disagree"
            parts.append(f"{say_count(self.num_disagreeing, 'label')} {verb} with the scores")
        if self.num_negative:
            parts.append(f"{say_count(self.num_negative, 'negative weight')} set to 0")
        if self.num_clipped:
            parts.append(
                f"{say_count(self.num_clipped, 'weight')} clipped to {self._bounds.low:g} and {self._bounds.high:g}"
            )
        return "; ".join(parts)


def _check_bounds(bounds: Bounds) -> None:
    given = f"--clip {bounds.low:g} {bounds.high:g}"
    if not (math.isfinite(bounds.low) and math.isfinite(bounds.high)):
        raise UsageError(f"{given}: both must be finite numbers")
    if bounds.low > bounds.high:
        raise UsageError(f"{given}: give the smaller number first")


def _gap(record: Record) -> float:
    for field in ("score_chosen", "score_rejected"):
        if not is_number(record.get(field)):
            value = clip(record[field]) if field in record else "missing"
            raise RecordError(f"field '{field}' is {value}; a weight needs the score of both responses")
    return float(record["score_chosen"]) - float(record["score_rejected"])
