"""What else than quality moves a judge: length, its own model's voice; and whether it repeats itself."""

from typing import Any

import numpy as np

from real_cli.evaluate.judge.agreements import right_of
from real_cli.evaluate.judge.rows import JudgedRows, Numbers
from real_cli.stats.agreement import repeat_agreement
from real_cli.stats.intervals import Estimate
from real_cli.stats.length_control import LengthControl, control_length
from real_cli.stats.positions import FLIPPED_TO_FIRST, FLIPPED_TO_SECOND, one_a_row
from real_cli.stats.proportions import estimate_share, share_difference

# Peduzzi et al., 1996, Journal of Clinical Epidemiology 49, 1373-1379: a coefficient of a logistic curve needs as many
# of the rarer outcome.
FEWEST_OUTCOMES = 10


def describe_lengths(rows: JudgedRows) -> dict[str, Any]:
    """Describe how often a judge prefers the longer response, and how often the other labels do; ties are half.

    `length_effect` is what being far longer adds to the log-odds that the judge names the response that the other label
    prefers; `accuracy_equal_length` is how often it would name it were both equally long.
    """
    longer = np.sign(rows.length_difference)
    unequal = rows.take(longer != 0)
    right = right_of(rows)
    controlled = _control(rows, right)
    return (
        {"num_unequal_lengths": int(unequal.label.size)}
        | _preferences(unequal, longer[longer != 0], "longer")
        | controlled.rate.fields("accuracy_equal_length")
        | controlled.effect.fields("length_effect")
        | {"length_note": controlled.note}
    )


def _control(rows: JudgedRows, right: Numbers) -> LengthControl:
    """Fit how length moves right and wrong labels; few of either bend such a curve by chance."""
    known = ~np.isnan(right)
    rarer = min(int((right[known] < 0.5).sum()), int((right[known] > 0.5).sum()))
    if 0 < rarer < FEWEST_OUTCOMES:
        nothing = Estimate(None, None, None, 0)
        return LengthControl(
            nothing, nothing, f"{rarer} of the rarer of right and wrong labels, and {FEWEST_OUTCOMES} are needed"
        )
    return control_length(right[known], (rows.gold * rows.length_difference)[known], rows.prompt[known])


def describe_favor(rows: JudgedRows) -> dict[str, Any]:
    """Describe which place a judge names when its verdict flips: half the time either, unless it favors one.

    Verdicts that do not flip name both places once, and say nothing of it.
    """
    verdicts, prompts = one_a_row(rows.verdicts, rows.prompt)
    flipped = np.isin(verdicts, (FLIPPED_TO_FIRST, FLIPPED_TO_SECOND))
    share = estimate_share(verdicts[flipped] == FLIPPED_TO_FIRST, prompts[flipped])
    return share.fields("share_flips_to_first")


def describe_own(rows: JudgedRows) -> dict[str, Any]:
    """Describe how often a judge prefers what its own model wrote to what another did; ties are half."""
    pairs = rows.take(rows.by_judge != 0)
    return {"num_own": int(pairs.label.size)} | _preferences(pairs, pairs.by_judge, "own")


def _preferences(rows: JudgedRows, marked: Numbers, name: str) -> dict[str, Any]:
    """Describe how often both kinds of labels prefer the marked response, 1 for the first and -1 for the second."""
    judge, gold = ((1 + side * marked) / 2 for side in (rows.label, rows.gold))
    both = ~np.isnan(gold)
    difference = share_difference(np.where(both, judge, np.nan), rows.prompt, gold, rows.prompt)
    return (
        estimate_share(judge, rows.prompt).fields(f"judge_prefers_{name}")
        | estimate_share(gold, rows.prompt).fields(f"gold_prefers_{name}")
        | difference.fields(f"difference_prefers_{name}")
    )


def describe_repeats(rows: JudgedRows) -> dict[str, Any]:
    """Describe how often a judge that labeled the same pair several times said the same."""
    things = np.stack([rows.pair, rows.judge.astype(np.uint64)], axis=1)
    _, numbers = np.unique(things, axis=0, return_inverse=True)
    consistency = repeat_agreement(rows.label, numbers.reshape(-1), rows.prompt)
    return {"num_repeated": consistency.num_rows} | consistency.fields("self_consistency")
