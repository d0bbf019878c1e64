"""What `eval labels` reports of pairs: how often labels contradict gold, and how often an annotator would."""

import math
from array import array
from typing import Any, NamedTuple, Self

import numpy as np
from numpy.typing import ArrayLike, NDArray

from real_cli.core.gold import Truth
from real_cli.core.intervals import NUM_CELLS, Bootstrap, Estimate, count_cells, wilson_interval

NUM_DECILES = 10
NUM_BINS = 20
# The means that every table has, in the order of its columns.
MEANS = ("expected_flips", "share_ambiguous", "mean_gap", "mean_similarity")
# As a byte, NaN.
NO_LABEL = 9
SHARES = ("share_wrong", "share_ambiguous")

Numbers = NDArray[np.float64]


class Rows(NamedTuple):
    """Pairs as columns, shape (rows,) each.

    Attributes:
        keys: 64 bits of the prompt's digest.
        gaps: Differences of gold without sign.
        labels: 1 where the label agrees with gold or gold is equal, -1 where not; 0 for equal labels, NaN without.
        similarities: Of the two responses; NaN where unknown.
        order: What a budget sorts by; NaN where nothing is sorted.
        strategies: Number of the strategy's name, -1 without.
    """

    keys: NDArray[np.uint64]
    gaps: Numbers
    labels: Numbers
    similarities: Numbers
    order: Numbers
    strategies: NDArray[np.int64]

    @property
    def cells(self) -> NDArray[np.int64]:
        """The cell of each prompt: `cell_of` reads the same first 16 bits."""
        return ((self.keys >> np.uint64(48)) % NUM_CELLS).astype(np.int64)

    def take(self, places: NDArray[Any]) -> Self:
        """Select rows.

        Args:
            places: Their numbers, or a mask.

        Returns:
            Those rows.
        """
        return type(self)(*(column[places] for column in self))

    def values(self, truth: Truth) -> dict[str, Numbers]:
        """Work out what is averaged.

        Args:
            truth: Temperature and threshold.

        Returns:
            By name, a number a row; NaN where it has no say: a pair of equal gold has no wrong label.
        """
        flips = truth.flip_chances(self.gaps)
        judged = ~np.isnan(self.labels) & (self.labels != 0) & (self.gaps > 0)
        return {
            "share_wrong": np.where(judged, self.labels < 0, np.nan),
            "expected_flips": flips,
            "share_ambiguous": (flips > truth.ambiguous).astype(np.float64),
            "mean_gap": self.gaps,
            "mean_similarity": self.similarities,
        }


class PairTally:
    """Pairs with gold, a few numbers each."""

    def __init__(self) -> None:
        self._keys = array("Q")
        self._gaps = array("d")
        self._labels = array("b")
        self._similarities = array("f")
        self._order = array("d")
        self._strategies = array("i")
        self.strategies: dict[str, int] = {}

    def add(
        self,
        key: bytes,
        gold: float,
        label: float,
        similarity: float = math.nan,
        *,
        strategy: str | None = None,
        order: float = math.nan,
    ) -> None:
        """Count one pair.

        Args:
            key: What `text_key` made of its prompt.
            gold: Gold of the first response minus that of the second.
            label: Positive if the first is labeled better, negative if the second, 0 for equal, NaN without label.
            similarity: Of the two.
            strategy: That chose the pair.
            order: What a budget sorts by.
        """
        self._keys.append(int.from_bytes(key[:8], "big"))
        self._gaps.append(abs(gold))
        agrees = 1 if (label > 0) == (gold > 0) or gold == 0 else -1
        self._labels.append(NO_LABEL if math.isnan(label) else 0 if label == 0 else agrees)
        self._similarities.append(similarity)
        self._order.append(order)
        self._strategies.append(-1 if strategy is None else self.strategies.setdefault(strategy, len(self.strategies)))

    def rows(self) -> Rows:
        """Hand out the pairs, in an order that does not depend on that of the input.

        Returns:
            Columns.
        """
        labels = np.array(self._labels, dtype=np.float64)
        labels[labels == NO_LABEL] = np.nan
        rows = Rows(
            np.array(self._keys, dtype=np.uint64),
            np.array(self._gaps),
            labels,
            np.array(self._similarities, dtype=np.float64),
            np.array(self._order),
            np.array(self._strategies, dtype=np.int64),
        )
        # Sums of floats depend on their order in the last digit.
        return rows.take(np.lexsort(rows[::-1]))


def measure(bootstrap: Bootstrap, rows: Rows, truth: Truth) -> dict[str, Any]:
    """Sum up some pairs: label error, expected flips, ambiguity, gap, similarity.

    Args:
        bootstrap: Over the prompts of the whole report.
        rows: The pairs.
        truth: Temperature and threshold.

    Returns:
        Names and numbers, the same for any rows. `share_wrong_low` and `_high` are Wilson's, for independent pairs;
        all other intervals are drawn over prompts.

    Example:
        >>> tally = PairTally()
        >>> tally.add(bytes(8), 2.0, -1.0)
        >>> rows = tally.rows()
        >>> found = measure(Bootstrap(rows.cells), rows, Truth())
        >>> found["num_pairs"], found["share_wrong"], found["expected_flips"], found["mean_gap_low"]
        (1, 1.0, 0.11920..., None)
    """
    values = rows.values(truth)
    wrong = values["share_wrong"]
    num_judged, num_wrong = int((~np.isnan(wrong)).sum()), int(np.nansum(wrong))
    drawn = estimate(bootstrap, rows.cells, wrong, is_share=True)
    low, high = wilson_interval(num_wrong, num_judged) or (None, None)
    return {
        "num_pairs": int(rows.gaps.size),
        "num_judged": num_judged,
        "num_wrong": num_wrong,
        **named("share_wrong", Estimate(drawn.value, low, high, num_judged)),
        "share_wrong_bootstrap_low": drawn.low,
        "share_wrong_bootstrap_high": drawn.high,
        **{
            field: number
            for name in MEANS
            for field, number in named(
                name, estimate(bootstrap, rows.cells, values[name], is_share=name in SHARES)
            ).items()
        },
    }


def estimate(bootstrap: Bootstrap, cells: ArrayLike, values: Numbers, *, is_share: bool = False) -> Estimate:
    """Estimate a mean; where all values are equal, resampling would wrongly say that it is certain.

    Args:
        bootstrap: Over prompts.
        cells: The cell of each row, shape (rows,).
        values: A number a row, NaN where there is none, shape (rows,).
        is_share: The values are 0 and 1: where all are equal the interval is Wilson's, each cell one trial.

    Returns:
        The mean and its interval.
    """
    found = bootstrap.mean(cells, values)
    known = values[~np.isnan(values)]
    if not known.size or np.ptp(known) > 0:
        return found
    num_cells = count_cells(cells, values)
    bounds = wilson_interval(num_cells if known[0] else 0, num_cells) if is_share else None
    low, high = bounds or (None, None)
    return Estimate(found.value, low, high, found.num_rows)


def named(name: str, found: Estimate) -> dict[str, float | None]:
    """Give a number and its interval their names in a summary.

    Args:
        name: Of the number.
        found: The estimate.

    Returns:
        NAME, NAME_low and NAME_high.
    """
    return {name: found.value, f"{name}_low": found.low, f"{name}_high": found.high}


def by_strategy(bootstrap: Bootstrap, rows: Rows, names: dict[str, int], truth: Truth) -> list[dict[str, Any]]:
    """Sum up the pairs of each strategy that chose them.

    Args:
        bootstrap: Over prompts.
        rows: All pairs.
        names: Of strategies, and their numbers in the rows.
        truth: Temperature and threshold.

    Returns:
        A row a strategy, by name.
    """
    return [
        {"strategy": name} | measure(bootstrap, rows.take(rows.strategies == number), truth)
        for name, number in sorted(names.items())
    ]


def by_similarity(bootstrap: Bootstrap, rows: Rows, truth: Truth) -> list[dict[str, Any]]:
    """Sum up the pairs of each tenth by similarity, least similar first; equal similarities stay together.

    Args:
        bootstrap: Over prompts.
        rows: All pairs.
        truth: Temperature and threshold.

    Returns:
        A row a decile; one that equal similarities leave empty is not there.
    """
    rows = rows.take(~np.isnan(rows.similarities))
    size = rows.similarities.size
    first_of_equals = np.searchsorted(np.sort(rows.similarities), rows.similarities)
    deciles = NUM_DECILES * first_of_equals // max(1, size)
    made = []
    for decile in np.unique(deciles):
        chosen = rows.take(deciles == decile)
        ends = {
            "similarity_low": float(chosen.similarities.min()),
            "similarity_high": float(chosen.similarities.max()),
        }
        made.append({"decile": int(decile) + 1} | ends | measure(bootstrap, chosen, truth))
    return made


def histogram(gaps: Numbers) -> dict[str, list[float]] | None:
    """Count gaps in bins of one width.

    Args:
        gaps: Not negative, shape (batch,).

    Returns:
        `edges` and `counts`; None without a gap.

    Example:
        >>> histogram(np.array([0.0, 0.5, 20.0]))["counts"]
        [2, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 1]
    """
    if not gaps.size:
        return None
    largest = float(gaps.max())
    # Narrower bins would have no width.
    counts, edges = np.histogram(gaps, bins=NUM_BINS, range=(0.0, largest if largest > 1e-300 else 1.0))
    return {"edges": edges.tolist(), "counts": counts.tolist()}


def rounded(value: Any) -> Any:
    """Cut floats to ten digits: what comes after them differs from one processor to another.

    Args:
        value: Any JSON value.

    Returns:
        The same with shorter numbers.

    Example:
        >>> rounded({"share": [1 / 3, None, 7]})
        {'share': [0.3333333333, None, 7]}
    """
    if isinstance(value, dict):
        return {name: rounded(item) for name, item in value.items()}
    if isinstance(value, list):
        return [rounded(item) for item in value]
    return float(f"{value:.10g}") if isinstance(value, float) else value
