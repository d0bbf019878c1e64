"""What is compared: numbers of a pair whose means over prompts and seeds are told, each a row of a table."""

from collections.abc import Callable, Sequence
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from real_cli.evaluate.compare.cells import AlignedCells
from real_cli.stats.contrast import Contrast
from real_cli.stats.crossed_cells import CrossedCells, linearized
from real_cli.stats.intervals import Estimate
from real_cli.stats.linear import intercept_terms

Floats = NDArray[np.float64]


class Measure(NamedTuple):
    """One row.

    Attributes:
        name: Of the number in a summary.
        values: Makes it of all cells, shape (pairs, cells); a pair of NaN is none.
        lacks: Says why it cannot be had; empty where it can.
        is_share: Whether it is a share of pairs.
    """

    name: str
    values: Callable[[AlignedCells], Floats]
    lacks: Callable[[AlignedCells], str]
    is_share: bool = False


def level(cells: AlignedCells, measure: Measure, columns: Sequence[int]) -> Estimate:
    """Estimate a measure of one method, whose cells these are; the rows are the prompts."""
    table = _table(cells, measure.values(cells)[:, columns])
    means = CrossedCells([table], [""], [range(len(columns))], is_share=measure.is_share)
    return means.share(0) if measure.is_share else means.contrast([1.0]).estimate()


def difference(cells: AlignedCells, measure: Measure, columns: Sequence[int], base: Sequence[int]) -> Contrast:
    """Estimate how much larger a measure is than that of the baseline, whose cells have the same seeds in this order.

    A seed decides the order of the pairs, so policies of one seed may go together: they are one strategy's, as it were.
    """
    values = measure.values(cells)
    tables = [_table(cells, values[:, side]) for side in (columns, base)]
    seeds = [range(len(columns))] * 2
    return CrossedCells(tables, ["", ""], seeds, is_share=measure.is_share).contrast([1.0, -1.0])


def _table(cells: AlignedCells, values: Floats) -> Floats:
    """Sum up the pairs of each prompt, as numbers whose plain mean is that over pairs; shape (seeds, prompts)."""
    known = ~np.isnan(values).any(axis=1)
    names, prompts = np.unique(cells.prompts[known], return_inverse=True)
    sums = np.array([np.bincount(prompts, weights=column, minlength=names.size) for column in values[known].T])
    return linearized(sums, np.tile(np.bincount(prompts).astype(np.float64), (len(sums), 1)))


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


# The first is that by which methods are told apart.
MEASURES = (
    Measure("accuracy", _accuracy, _nothing_lacks, is_share=True),
    Measure("margin", _margin, _nothing_lacks),
    Measure("margin_equal_length", _margin_equal_length, _lacks_both_sides),
    Measure("likelihood_accuracy", _likelihood_accuracy, _lacks_likelihoods, is_share=True),
    Measure("prefers_longer", _prefers_longer, _lacks_lengths, is_share=True),
)
