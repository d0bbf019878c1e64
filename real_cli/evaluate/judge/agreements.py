"""How far a judge's labels agree with others: overall, by tenths of a number, in the halves by similarity."""

from typing import Any

import numpy as np
from numpy.typing import NDArray

from real_cli.evaluate.judge.rows import JudgedRows, Numbers
from real_cli.stats.agreement import cohen_kappa, gwet_ac1, what_labels_show
from real_cli.stats.describe import tenths_of
from real_cli.stats.intervals import Estimate
from real_cli.stats.proportions import estimate_share, share_difference

# Which of two responses comes first is arbitrary: the categories second, tie and first are mirrored.
MIRROR = (2, 1, 0)


def right_of(rows: JudgedRows) -> Numbers:
    """Tell how right each label is: 1 for the response that the other label prefers, 1/2 for a tie, 0 for the other.

    Where there is no other label, or it is a tie, nothing can be right or wrong: NaN.
    """
    decided = np.abs(rows.gold) == 1
    return np.where(decided, (1 + rows.label * rows.gold) / 2, np.nan)


def describe_agreement(rows: JudgedRows) -> dict[str, Any]:
    """Describe how far pairs that have both labels agree.

    >>> from real_cli.evaluate.judge.rows import JudgedPair, JudgedTally
    >>> tally = JudgedTally()
    >>> for number, label in enumerate((1, 1, -1, 0)):
    ...     tally.add(JudgedPair(number, number, label, 1.0, 0, 0.0, 0.0, [], 0, -1))
    >>> described = describe_agreement(tally.rows())
    >>> described["agreement"], described["accuracy"], described["num_judge_ties"]
    (0.5, 0.625, 1)
    """
    judged, gold = ((side + 1).astype(np.int64) for side in (rows.label, rows.gold))
    return (
        {
            "num_compared": int(rows.label.size),
            "num_compared_prompts": rows.num_prompts,
            "num_judge_ties": int((rows.label == 0).sum()),
            "num_gold_ties": int((rows.gold == 0).sum()),
            "num_gold_decided": int((np.abs(rows.gold) == 1).sum()),
        }
        | estimate_share(rows.label == rows.gold, rows.prompt).fields("agreement")
        | cohen_kappa(judged, gold, rows.prompt, MIRROR).fields("kappa")
        | gwet_ac1(judged, gold, rows.prompt, MIRROR).fields("ac1")
        | estimate_share(right_of(rows), rows.prompt).fields("accuracy")
    )


def by_tenths(rows: JudgedRows, values: Numbers, name: str) -> list[dict[str, Any]]:
    """Describe the agreement of the pairs in each tenth of a number, the smallest first; equal ones stay together."""
    known = ~np.isnan(values)
    rows, values = rows.take(known), values[known]
    tenths = tenths_of(values)
    table = []
    for tenth in np.unique(tenths):
        inside = tenths == tenth
        ends = {f"{name}_low": float(values[inside].min()), f"{name}_high": float(values[inside].max())}
        table.append({"tenth": int(tenth) + 1} | ends | describe_agreement(rows.take(inside)))
    return table


def compare_halves(rows: JudgedRows) -> dict[str, Any]:
    """Compare the agreement on the least similar half of the pairs with that on the most similar half.

    Pairs as similar as the middle one go to the most similar half, or to the other if that one would be empty.
    """
    known = rows.take(~np.isnan(rows.similarity))
    least = _least(known.similarity)
    sides = [(known.label == known.gold)[half].astype(np.float64) for half in (least, ~least)]
    prompts = [known.prompt[half] for half in (least, ~least)]
    shares = [estimate_share(*side) for side in zip(sides, prompts, strict=True)]
    difference = Estimate(None, None, None, 0)
    if sides[0].size and sides[1].size:
        difference = share_difference(sides[0], prompts[0], sides[1], prompts[1])
    return (
        {"num_least_similar": int(sides[0].size), "num_most_similar": int(sides[1].size)}
        | shares[0].fields("agreement_least_similar")
        | shares[1].fields("agreement_most_similar")
        | difference.fields("agreement_gap")
    )


def _least(similarities: Numbers) -> NDArray[np.bool_]:
    if not similarities.size:
        return np.zeros(0, dtype=np.bool_)
    middle = np.sort(similarities)[similarities.size // 2]
    below = similarities < middle
    least: NDArray[np.bool_] = below if below.any() else similarities <= middle
    return least


def describe_reach(rows: JudgedRows, agreement: dict[str, Any], effect: float) -> dict[str, Any]:
    """Work out which difference between two models such labels show; its ends are those of the accuracy's interval.

    `rows` are all that the judge labeled. Pairs of one prompt count as one: how far they repeat each other when two
    models are compared is not known.
    """
    count = rows.num_prompts
    ties = float((rows.label == 0).mean()) if count else 0.0
    ends = (agreement["accuracy"], agreement["accuracy_high"], agreement["accuracy_low"])
    shown = [None if end is None else what_labels_show(end, ties, count, effect) for end in ends]
    value, low, high = (None if end is None else end.difference for end in shown)
    needed, fewest, most = (None if end is None else end.num_labels for end in shown)
    return (
        {"effect": effect, "num_labels": count}
        | Estimate(value, low, high, count).fields("smallest_difference")
        | {"labels_needed": needed, "labels_needed_low": fewest, "labels_needed_high": most}
        | {"labels_missing": None if needed is None else max(0, needed - count)}
        | {"labels_per_gold_label": _exchange(agreement, ties)}
    )


def _exchange(agreement: dict[str, Any], ties: float) -> float | None:
    """Work out how many of the judge's labels show as much as one of the others."""
    if agreement["accuracy"] is None or not agreement["num_compared"]:
        return None
    gold_ties = agreement["num_gold_ties"] / agreement["num_compared"]
    slope = 2 * agreement["accuracy"] - 1
    return (1 - ties) / (1 - gold_ties) / slope**2 if slope > 0 and gold_ties < 1 else None
