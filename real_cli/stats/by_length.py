"""Whether the chosen responses are preferred, or the long ones."""

from typing import Any

import numpy as np
from numpy.typing import NDArray

from real_cli.stats.by_prompt import PromptIntervals
from real_cli.stats.intervals import Estimate
from real_cli.stats.linear import fit_line

Numbers = NDArray[np.float64]
NOTHING = Estimate(None, None, None, 0)
# A share of neither side is measured on fewer pairs than this.
FEWEST_PAIRS = 3
EQUALLY_LONG = "both responses are equally long in every pair, counted in {}s, so that length explains nothing"


def describe_lengths(
    margins: Numbers,
    lengths: Numbers,
    prompts: NDArray[np.uint64],
    intervals: PromptIntervals,
    *,
    name: str = "margin",
    unit: str = "token",
) -> dict[str, Any]:
    """Sum up margins by which response is longer, and what the margin is where both are equally long.

    The margin at equal length is the height at 0 of a line through the margins over the differences of length.

    Args:
        margins: Of chosen minus rejected, log-ratios in nats or scores, shape (batch,).
        lengths: Length of chosen minus rejected, NaN where it is not known, shape (batch,).
        prompts: A number for the prompt of each pair, shape (batch,).
        intervals: Of these prompts.
        name: What margins are called in the summary.
        unit: What a length is counted in.

    Returns:
        `by_length`, a row a group that has pairs; `accuracy_length_gap`, accuracy where the chosen response is longer
        minus that where it is shorter; `NAME_equal_length` and `NAME_per_extra_UNIT`, with intervals; `num_lengths`,
        the pairs behind them; and `equal_length_note`, why one is missing.

    Example:
        >>> import numpy as np
        >>> prompts = np.arange(4, dtype=np.uint64)
        >>> lengths = np.array([-10.0, 10.0, -20.0, 20.0])
        >>> found = describe_lengths(0.1 * lengths + 2, lengths, prompts, PromptIntervals(prompts))
        >>> [(row["chosen_is"], row["accuracy"]) for row in found["by_length"]]
        [('longer', 1.0), ('shorter', 0.5)]
        >>> round(found["margin_equal_length"], 9), round(found["margin_per_extra_token"], 9)
        (2.0, 0.1)
    """
    groups = {"longer": lengths > 0, "equally long": lengths == 0, "shorter": lengths < 0}
    correct = (margins > 0).astype(np.float64)
    rows = [
        {
            "chosen_is": side,
            "num_pairs": int(inside.sum()),
            "num_correct": int(correct[inside].sum()),
            **intervals.share("accuracy", correct, inside),
            **intervals.mean(name, margins, inside),
        }
        for side, inside in groups.items()
        if inside.any()
    ]
    sides = [np.where(groups[side], correct, np.nan) for side in ("longer", "shorter")]
    return {
        "by_length": rows,
        **intervals.difference("accuracy_length_gap", *sides),
        **_at_equal_length(margins, lengths, prompts, name, unit),
    }


def _at_equal_length(
    margins: Numbers, lengths: Numbers, prompts: NDArray[np.uint64], name: str, unit: str
) -> dict[str, Any]:
    known = ~np.isnan(lengths)
    note = _refusal(lengths[known], unit)
    fit = None if note else fit_line(lengths[known], margins[known], prompts[known])
    if fit and fit.intercept.low is None:
        note = "too few prompts for an interval"
    equal, slope = (fit.intercept, fit.slope) if fit else (NOTHING, NOTHING)
    return {
        **equal.fields(f"{name}_equal_length"),
        **slope.fields(f"{name}_per_extra_{unit}"),
        "num_lengths": int(known.sum()),
        "equal_length_note": note or None,
    }


def _refusal(lengths: Numbers, unit: str) -> str:
    """Say why nothing can be known of equal length; empty where it can."""
    if lengths.size < FEWEST_PAIRS:
        return f"a line needs {FEWEST_PAIRS} pairs whose lengths are known"
    if not lengths.any():
        return EQUALLY_LONG.format(unit)
    if np.ptp(lengths) == 0:
        return "all differences of length are the same, so that length can explain nothing"
    if lengths.min() > 0 or lengths.max() < 0:
        return "one side is always the longer, so that a margin at equal length would be a guess"
    return ""
