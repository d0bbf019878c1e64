"""What is compared: numbers of a pair whose means over prompts and seeds are told, each a row of a table."""

from collections.abc import Callable, Sequence
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from real_cli.evaluate.compare.cells import AlignedCells
from real_cli.stats.crossed import CrossedMean, crossed_mean
from real_cli.stats.linear import intercept_terms

Floats = NDArray[np.float64]


class Measure(NamedTuple):
    """One row.

    Attributes:
        name: Of the number in a summary.
        values: Makes it of all cells, shape (pairs, cells); a pair of NaN is none.
        lacks: Says why it cannot be had; empty where it can.
        span: Least and largest value of a share; None for another number.
    """

    name: str
    values: Callable[[AlignedCells], Floats]
    lacks: Callable[[AlignedCells], str]
    span: tuple[float, float] | None = None


def level(cells: AlignedCells, measure: Measure, columns: Sequence[int]) -> CrossedMean:
    """Estimate a measure of the cells of one method."""
    return _mean(cells, measure.values(cells)[:, columns], measure.span)


def difference(cells: AlignedCells, measure: Measure, columns: Sequence[int], base: Sequence[int]) -> CrossedMean:
    """Estimate how much larger a measure is than that of the baseline, pair by pair and seed by seed."""
    values = measure.values(cells)
    ends = measure.span and (measure.span[0] - measure.span[1], measure.span[1] - measure.span[0])
    return _mean(cells, values[:, columns] - values[:, base], ends)


def _mean(cells: AlignedCells, values: Floats, ends: tuple[float, float] | None) -> CrossedMean:
    known = ~np.isnan(values).any(axis=1)
    prompts, size = cells.prompts[known], cells.num_prompts
    sums = [np.bincount(prompts, weights=column, minlength=size) for column in values[known].T]
    return crossed_mean(np.stack(sums, axis=1), np.bincount(prompts, minlength=size).astype(np.float64), ends=ends)


def _accuracy(cells: AlignedCells) -> Floats:
    return (cells.margins > 0).astype(np.float64)


def _margin(cells: AlignedCells) -> Floats:
    return cells.margins


def _margin_equal_length(cells: AlignedCells) -> Floats:
    return intercept_terms(cells.lengths[:, 0], cells.margins)


def _likelihood_accuracy(cells: AlignedCells) -> Floats:
    return (cells.likelihoods > 0).astype(np.float64)


def _prefers_longer(cells: AlignedCells) -> Floats:
    """Give 1 where the margin points to the longer response, 0 to the shorter, half a tie; NaN at equal length."""
    preferred = (1 + np.sign(cells.margins) * np.sign(cells.lengths)) / 2
    return np.where(cells.lengths == 0, np.nan, preferred)


def _nothing_lacks(cells: AlignedCells) -> str:
    return ""


def _lacks_likelihoods(cells: AlignedCells) -> str:
    return "not every row has likelihood_margin" if np.isnan(cells.likelihoods).any() else ""


def _lacks_lengths(cells: AlignedCells) -> str:
    lengths = cells.lengths
    if np.isnan(lengths).any():
        return "not every row has num_tokens_chosen and num_tokens_rejected"
    if (lengths != lengths[:, :1]).any():
        return "cells count other tokens for the same pair, as policies of several tokenizers do"
    return "" if lengths.any() else "both responses are equally long in every pair, counted in tokens"


def _lacks_both_sides(cells: AlignedCells) -> str:
    missing = _lacks_lengths(cells)
    if missing or (cells.lengths.min() < 0 < cells.lengths.max()):
        return missing
    return "one side is always the longer, so that a margin at equal length would be a guess"


SHARE = (0.0, 1.0)
# The first is that by which methods are told apart.
MEASURES = (
    Measure("accuracy", _accuracy, _nothing_lacks, SHARE),
    Measure("margin", _margin, _nothing_lacks),
    Measure("margin_equal_length", _margin_equal_length, _lacks_both_sides),
    Measure("likelihood_accuracy", _likelihood_accuracy, _lacks_likelihoods, SHARE),
    Measure("prefers_longer", _prefers_longer, _lacks_lengths, SHARE),
)
