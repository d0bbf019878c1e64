"""Checks of labels: against each other, against scores, against held-out data."""

import math

import numpy as np

from real_cli.evaluate.pairs.checks.check import (
    SMALL_EFFECT,
    UNTOLD,
    Check,
    Finding,
    Prompts,
    Values,
    as_byte,
    count_rows,
    look_at_nothing,
    score_gap,
)
from real_cli.evaluate.pairs.duplicates import LABEL_BIT
from real_cli.report.contents import VerdictLevel
from real_cli.stats.proportions import estimate_share

# How `leaks.HOW` numbers what was found of a prompt in the other file.
OVERLAP, NORMALIZED = 1, 2
# Scores are close where they differ by less than a small effect, in the scores' standard deviation. Of two draws of one
# normal distribution 11.2% are that close, P(|Z| < 0.2 / sqrt 2); the data are to have twice that.
MOST_CLOSE = 2 * math.erf(SMALL_EFFECT / 2)


def _is_contradiction(values: Values, prompts: Prompts) -> Finding:
    """Find the pairs whose two texts are labeled the other way round elsewhere; 0 is no label."""
    codes, labels = values & ~LABEL_BIT, values & LABEL_BIT
    _, groups = np.unique(codes, return_inverse=True)
    sums = np.bincount(groups, weights=labels.astype(np.float64))[groups] if values.size else np.zeros(0)
    sizes = np.bincount(groups)[groups] if values.size else np.zeros(0)
    rows = np.where(values == 0, UNTOLD, (sums > 0) & (sums < sizes)).astype(np.int8)
    return count_rows(rows, prompts)


def _is_close(values: Values, prompts: Prompts) -> Finding:
    """Find gaps that are small beside the scores' own spread, and judge whether they are more than chance gives."""
    gaps = np.abs(values)
    known = np.sort(gaps[~np.isnan(gaps)])
    spread = math.sqrt(float((known**2).mean()) / 2) if known.size else 0.0
    close = (gaps > 0) & (gaps < SMALL_EFFECT * spread)
    rows = np.where(np.isnan(values), UNTOLD, close).astype(np.int8)
    finding = count_rows(rows, prompts)
    low = estimate_share(np.where(rows == UNTOLD, np.nan, rows), prompts).low
    return finding._replace(is_wrong=low is not None and low > MOST_CLOSE)


def _is_leaked(values: Values, prompts: Prompts) -> Finding:
    """Find prompts that are equal to some in the other file, as they are or once normalized."""
    return count_rows((values >= NORMALIZED).astype(np.int8), prompts)


def _is_overlapping(values: Values, prompts: Prompts) -> Finding:
    """Find prompts that are not equal to any in the other file, and share a run of words with some."""
    return count_rows((values == OVERLAP).astype(np.int8), prompts)


ROWS = (
    Check(
        "contradictions",
        VerdictLevel.broken,
        "two texts of a prompt are labeled both ways",
        "One of the two labels is wrong, and together they teach nothing; label these pairs again or leave them out.",
        look_at_nothing,
        _is_contradiction,
        column="labels",
        holds="no two texts of a prompt are labeled both ways",
    ),
    Check(
        "against-scores",
        VerdictLevel.broken,
        "the chosen response has the lower score",
        "Either the label or the score is wrong; 'real pair -s all' would choose by the scores.",
        lambda view: as_byte(view.gap < 0, if_known=view.is_labeled and not math.isnan(view.gap)),
        count_rows,
        holds="no chosen response has the lower score",
    ),
    Check(
        "leaked-prompts",
        VerdictLevel.broken,
        "the prompt stands in the file of --against",
        "A policy that was trained on a prompt cannot be tested by it.",
        look_at_nothing,
        _is_leaked,
        column="leaks",
        holds="no prompt stands in the file of --against",
    ),
    Check(
        "overlapping-prompts",
        VerdictLevel.doubtful,
        "the prompt shares 13 words in a row with one in the file of --against",
        "It may be the same task in other words (GPT-3's rule, arXiv:2005.14165).",
        look_at_nothing,
        _is_overlapping,
        column="leaks",
        holds="no prompt shares 13 words in a row with one in the file of --against",
    ),
    Check(
        "near-leaked-prompts",
        VerdictLevel.doubtful,
        "the prompt is nearer than --near to one in the file of --against",
        "It may be the same question in other words; the report shows the nearest, and how near is too near depends on "
        "the encoder.",
        look_at_nothing,
        count_rows,
        column="near-leaks",
        holds="no prompt is nearer than --near to one in the file of --against",
    ),
    Check(
        "equal-scores",
        VerdictLevel.doubtful,
        "both responses have the same score",
        "The score does not say which is better: a label beside it comes from elsewhere, or from a coin.",
        lambda view: as_byte(view.gap == 0, if_known=not math.isnan(view.gap)),
        count_rows,
        holds="no two responses have the same score",
    ),
    Check(
        "small-gaps",
        VerdictLevel.doubtful,
        "the scores differ by less than 0.2 of their standard deviation",
        "Such pairs are more than twice as many as two draws at random give (11.2%): their labels are close to a coin.",
        score_gap,
        _is_close,
        kind="d",
        holds="close scores are no more frequent than chance gives",
    ),
)
