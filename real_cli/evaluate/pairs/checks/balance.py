"""Checks of the whole: whether something other than the answer's worth goes with the label."""

import math
from functools import partial

import numpy as np

from real_cli.evaluate.pairs.checks.check import (
    SMALL_EFFECT,
    UNTOLD,
    Check,
    Finding,
    PairView,
    Prompts,
    Values,
    judge_balance,
    say_share,
    without_counterpart,
)
from real_cli.evaluate.pairs.duplicates import LABEL_BIT
from real_cli.report.contents import VerdictLevel
from real_cli.stats.bootstrap import FEWEST_CELLS
from real_cli.stats.intervals import Estimate
from real_cli.stats.proportions import estimate_share
from real_cli.text.normalize import digest
from real_cli.text.phrases import say_count
from real_cli.text.refusals import is_refusal

# Who knows nothing but the author's name is to be wrong in more than one pair of ten.
MOST_TELLING = 0.9


def _length_gap(view: PairView) -> float:
    return float(len(view.texts[0]) - len(view.texts[1])) if view.is_labeled else math.nan


def _refusal(view: PairView) -> float:
    return float(is_refusal(view.texts[0]) - is_refusal(view.texts[1])) if view.is_labeled else math.nan


def _script(view: PairView) -> float:
    prompt, *responses = view.scripts
    if prompt is None or not view.is_labeled:
        return math.nan
    odd = [script is not None and script != prompt for script in responses]
    return float(odd[0] - odd[1])


def _models(view: PairView) -> float:
    """Number the two models, with the label as lowest bit; 0 where they are the same, or not known."""
    first, second = (response.get("model") for response in view.responses)
    if not view.is_labeled or first == second or not (isinstance(first, str) and isinstance(second, str)):
        return 0
    return digest(*sorted((first, second))) & ~1 | (first < second)


def _judge_models(values: Values, prompts: Prompts) -> Finding:
    """Guess each label by which of the two models is mostly chosen, where there are ten pairs of them."""
    _, groups, sizes = np.unique(values & ~LABEL_BIT, return_inverse=True, return_counts=True)
    wins = np.bincount(groups, weights=(values & LABEL_BIT).astype(np.float64), minlength=sizes.size)
    known = (values > 0) & (sizes[groups] >= FEWEST_CELLS) if values.size else np.zeros(0, dtype=np.bool_)
    guess = (wins * 2 > sizes)[groups] if values.size else known
    right = guess == (values & LABEL_BIT).astype(np.bool_)
    share = estimate_share(np.where(known, right, np.nan), prompts)
    signs = np.where(known, np.where(right, 1.0, -1.0), 0.0)
    rows = np.where(known, without_counterpart(signs), UNTOLD).astype(np.int8)
    wrong = share.low is not None and share.low > MOST_TELLING
    count = int((known & right).sum())
    return Finding(rows, wrong, share, f"the models' names tell the label of {count:,} of {say_share(share)}")


def _judge_scripts(values: Values, prompts: Prompts) -> Finding:
    """Find scripts of fewer prompts than an interval needs; 0 is no script."""
    scripts, groups = np.unique(values, return_inverse=True)
    counts = np.array([np.unique(prompts[groups == number]).size for number in range(scripts.size)], dtype=np.int64)
    rare = (counts < FEWEST_CELLS) & (scripts != 0)
    is_wrong = bool(rare.any()) and bool((counts[scripts != 0] >= FEWEST_CELLS).any())
    rows = np.where(values == 0, UNTOLD, rare[groups] if values.size else 0).astype(np.int8)
    share = estimate_share(np.where(rows == UNTOLD, np.nan, rows), prompts)
    few = int((rows == 1).sum()) if is_wrong else 0
    if not is_wrong:
        rows[rows == 1] = 0
        share = Estimate(0.0, None, None, share.num_rows)
    return Finding(rows, is_wrong, share, f"{few:,} of {say_share(share)}")


def _judge_number(values: Values, prompts: Prompts) -> Finding:
    rows = np.zeros(values.size, dtype=np.int8)
    return Finding(rows, not values.size, Estimate(None, None, None, values.size), say_count(values.size, "pair"))


ROWS = (
    Check(
        "no-pairs",
        VerdictLevel.broken,
        "there are no pairs",
        "There is nothing to train on.",
        lambda view: 0.0,
        _judge_number,
        holds="there are pairs",
    ),
    Check(
        "longer-chosen",
        VerdictLevel.doubtful,
        "length goes with the label",
        "Farther from half than chance brings it, by 0.2 standard deviations or more: DPO learns length first "
        "(arXiv:2310.03716). "
        "Left out are pairs without a counterpart of like length; --loss simpo or dpo-norm keeps them all.",
        _length_gap,
        partial(judge_balance, what="the longer response", least=SMALL_EFFECT),
        kind="d",
        holds="length goes with the label no more than chance allows",
    ),
    Check(
        "refusals",
        VerdictLevel.doubtful,
        "refusing goes with the label",
        "Where one of the two refuses, it is chosen too often or too seldom: the policy learns to refuse, or not to, "
        "whatever it is asked. Where that is the aim, leave it.",
        _refusal,
        partial(judge_balance, what="the refusal"),
        kind="d",
        holds="refusing goes with the label no more than chance allows",
    ),
    Check(
        "other-scripts",
        VerdictLevel.doubtful,
        "writing in another script than the prompt goes with the label",
        "The policy learns which script to write in, not what to answer.",
        _script,
        partial(judge_balance, what="the response in another script"),
        kind="d",
        holds="writing in another script than the prompt goes with the label no more than chance allows",
    ),
    Check(
        "rare-scripts",
        VerdictLevel.doubtful,
        "the prompt's script has fewer than 10 prompts",
        "Too few to learn from or to measure by, beside scripts that have more.",
        lambda view: digest(view.scripts[0]) | 1 if view.scripts[0] else 0,
        _judge_scripts,
        kind="Q",
        holds="no prompt's script is rare beside the others",
    ),
    Check(
        "models",
        VerdictLevel.doubtful,
        "which models wrote the two responses tells the label",
        "In nine pairs of ten and more: the policy learns one model's style, whatever the answer is worth. Compare "
        "responses of one model, or label by content.",
        _models,
        _judge_models,
        kind="Q",
        holds="which models wrote the two responses does not tell the label",
    ),
)
