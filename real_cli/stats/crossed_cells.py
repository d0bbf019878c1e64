"""Weighted sums of means over prompts and seeds, both of which are draws: another seed is as much another run.

A cell is a table of seeds by prompts: each of its trained policies has answered every prompt. The prompts are the same
in all cells; policies of two strategies are independent, whatever their seeds are called, while those of one strategy
and one seed may go together from budget to budget, as nested choices of pairs do.
"""

import math
from collections.abc import Hashable, Sequence

import numpy as np

from real_cli.stats.bootstrap import FEWEST_CELLS, ROUNDING
from real_cli.stats.contrast import Contrast, Floats
from real_cli.stats.intervals import Estimate
from real_cli.stats.proportions import FEWEST_RARE, Z_95, wilson_interval


class CrossedCells:
    """The means of cells and how they vary together, so that any weighted sum of them has its interval at once.

    Args:
        cells: Numbers of each cell, shape (seeds, prompts) each, prompts in the same order; `linearized` makes them.
        strategies: Of each cell; cells of different ones are independent but for the prompts.
        seeds: The names of each cell's rows.
        is_share: Whether the numbers are shares, so that a difference that a handful of prompts makes is doubted.

    Example:
        >>> draws = np.random.default_rng(0)
        >>> prompts = draws.normal(size=100)
        >>> cells = [prompts + draws.normal(size=(3, 1)) / 5 + draws.normal(size=(3, 100)) / 2 for _ in range(2)]
        >>> both = CrossedCells(cells, ["easy", "random"], [[1, 2, 3]] * 2)
        >>> alone, difference = both.contrast([1, 0]), both.contrast([1, -1])
        >>> difference.of_prompts < alone.of_prompts  # what all policies find hard does not count
        True
    """

    def __init__(
        self,
        cells: Sequence[Floats],
        strategies: Sequence[str],
        seeds: Sequence[Sequence[Hashable]],
        *,
        is_share: bool = False,
    ) -> None:
        self.num_prompts = int(cells[0].shape[1]) if cells else 0
        self.num_seeds = np.array([cell.shape[0] for cell in cells])
        self.by_prompt = np.array([cell.mean(axis=0) for cell in cells])
        self.means = self.by_prompt.mean(axis=1) if cells else np.zeros(0)
        self._is_share = is_share
        self._strategies = np.array(strategies)
        self._seed_spread, self._both_spread = (np.zeros((len(cells), len(cells))) for _ in range(2))
        for strategy in dict.fromkeys(strategies):
            inside = [index for index, name in enumerate(strategies) if name == strategy]
            spreads = _joint_spreads([cells[index] for index in inside], [seeds[index] for index in inside])
            for whole, part in zip((self._seed_spread, self._both_spread), spreads, strict=True):
                whole[np.ix_(inside, inside)] = part

    def contrast(self, weights: Sequence[float] | Floats) -> Contrast:
        """Weigh the cells' means.

        Args:
            weights: One a cell, shape (cells,).

        Returns:
            The sum and the parts of its variance.
        """
        of_prompts, of_seeds, of_both, degrees = self.variances(np.asarray(weights, dtype=np.float64)[None])
        used = np.flatnonzero(np.asarray(weights))
        return Contrast(
            float(np.asarray(weights) @ self.means),
            max(0.0, float(of_prompts[0] - of_both[0].sum())),
            float(min(of_prompts[0], of_both[0].sum())),
            np.maximum(0.0, of_seeds[0] - of_both[0]),
            of_seeds[0],
            degrees[0],
            self.num_prompts,
            int(self.num_seeds[used].min()) if used.size else 0,
        )

    def variances(self, weights: Floats) -> tuple[Floats, Floats, Floats, Floats]:
        """Work out the parts of the variance of many sums at once.

        Args:
            weights: Shape (sums, cells).

        Returns:
            As they are measured: by prompts, shape (sums,), with what is of both; by seeds, of both, and degrees of
            freedom of seeds, infinite for a strategy that is not in the sum, shape (sums, strategies) each.
        """
        differences = weights @ self.by_prompt
        size = self.num_prompts
        of_prompts = differences.var(axis=1, ddof=1) / size if size > 1 else np.zeros(len(weights))
        if self._is_share:
            few = (np.abs(differences) > ROUNDING).sum(axis=1) < FEWEST_RARE
            few &= np.abs(weights.sum(axis=1)) < ROUNDING
            # Two prompts more, one at either end: Bonett and Price, 2012, as `share_difference` has it.
            of_prompts = of_prompts + np.where(few, 2 * (np.abs(weights).sum(axis=1) / 2 / (size + 2)) ** 2, 0.0)
        parts = []
        for strategy in dict.fromkeys(self._strategies.tolist()):
            inside = self._strategies == strategy
            inner = np.where(inside, weights, 0.0)
            of_seeds, of_both = (
                np.einsum("sc,cd,sd->s", inner, spread, inner) for spread in (self._seed_spread, self._both_spread)
            )
            fewest = np.where(inner != 0, self.num_seeds, np.inf).min(axis=1, initial=np.inf)
            parts.append((of_seeds, of_both, np.maximum(1.0, fewest - 1)))
        of_seeds, of_both, degrees = (np.stack(column, axis=1) for column in zip(*parts, strict=True))
        return of_prompts, of_seeds, of_both, degrees

    def half_widths(self, weights: Floats) -> Floats:
        """Give half the width of the 95% interval of many sums at once, shape (sums,)."""
        from scipy.special import stdtrit

        of_prompts, of_seeds, of_both, degrees = self.variances(weights)
        total = of_prompts + np.maximum(0.0, of_seeds - of_both).sum(axis=1)
        spread = of_prompts**2 / (self.num_prompts - 1) + (of_seeds**2 / degrees).sum(axis=1)
        with np.errstate(divide="ignore", invalid="ignore"):
            freedom = np.where(spread > 0, total**2 / spread, np.inf)
        return np.asarray(stdtrit(freedom, 0.975) * np.sqrt(total))

    def share(self, cell: int) -> Estimate:
        """Estimate the share of one cell; its interval is Wilson's, for as many trials as its spread is worth.

        Args:
            cell: Its number.

        Returns:
            The share with its 95% interval, where `Contrast.is_known` or nothing varies. The rows are the prompts.

        References:
            Korn and Graubard, 1998, Survey Methodology 24, 193-201: the effective number of trials and Student's t.
        """
        from scipy.special import stdtrit

        weights = np.zeros(len(self.means))
        weights[cell] = 1.0
        mean = self.contrast(weights)
        share, size = min(1.0, max(0.0, mean.value)), mean.num_prompts
        if size < FEWEST_CELLS or mean.num_seeds < 2:
            return Estimate(mean.value, None, None, size)
        trials = float(size)  # where all are alike, a prompt's policies count as one
        error, degrees = mean.error()
        if mean.is_known and 0 < share < 1:
            trials = share * (1 - share) / error**2 * (Z_95 / float(stdtrit(degrees, 0.975))) ** 2
            if min((self.by_prompt[cell] > ROUNDING).sum(), (self.by_prompt[cell] < 1 - ROUNDING).sum()) < FEWEST_RARE:
                trials = min(trials, size)
        low, high = wilson_interval(share * trials, trials) or (None, None)
        return Estimate(mean.value, low, high, size)


def linearized(sums: Floats, sizes: Floats) -> Floats:
    """Turn sums over the pairs of prompts into numbers whose plain mean is the mean over pairs.

    Args:
        sums: Of each seed and prompt, shape (seeds, prompts).
        sizes: Numbers of pairs, the same shape; a prompt may have none in one of the seeds.

    Returns:
        Shape (seeds, prompts): the seed's mean, moved as far as the prompt moves it.

    Example:
        >>> linearized(np.array([[1.0, 3.0]]), np.array([[1.0, 3.0]])), linearized(np.eye(2), np.ones((2, 2)))[0]
        (array([[1., 1.]]), array([1., 0.]))

    References:
        Kish, 1965, Survey Sampling, section 6.3: the linearized ratio of clusters.
    """
    totals = sizes.sum(axis=1, keepdims=True)
    means = sums.sum(axis=1, keepdims=True) / totals
    return np.asarray(means + (sums - means * sizes) * (sizes.shape[1] / totals))


def _joint_spreads(cells: Sequence[Floats], seeds: Sequence[Sequence[Hashable]]) -> tuple[Floats, Floats]:
    """Work out how means of one strategy's cells vary together by seed, and by seed and prompt at once."""
    rows = {seed: row for row, seed in enumerate(dict.fromkeys(seed for names in seeds for seed in names))}
    size = cells[0].shape[1]
    by_seed, by_both = np.zeros((len(cells), len(rows))), np.zeros((len(cells), len(rows), size))
    for index, (cell, names) in enumerate(zip(cells, seeds, strict=True)):
        count = cell.shape[0]
        if count < 2:
            continue
        places = [rows[name] for name in names]
        means = cell.mean(axis=1) - cell.mean()
        scale = math.sqrt(count / (count - 1)) / count
        by_seed[index, places] = scale * means
        by_both[index, places] = scale * (cell - cell.mean(axis=0) - means[:, None])
    flat = by_both.reshape(len(cells), -1)
    return by_seed @ by_seed.T, flat @ flat.T / max(1, size * (size - 1))
