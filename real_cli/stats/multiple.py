"""Several comparisons at once: p-values corrected for how many they are."""

from collections.abc import Sequence


def holm(p_values: Sequence[float | None]) -> list[float | None]:
    """Correct p-values by Holm's step-down method: at most one family in twenty has a false one below 0.05.

    Args:
        p_values: Of the comparisons of one family; None for one that cannot be tested, which counts for none.

    Returns:
        The corrected ones, in the same order, at most 1; None where there was none.

    Example:
        >>> holm([0.01, 0.04, None, 0.03])
        [0.03, 0.06, None, 0.06]

    References:
        Holm, 1979, Scandinavian Journal of Statistics 6, 65-70.
    """
    known = sorted((value, index) for index, value in enumerate(p_values) if value is not None)
    corrected: list[float | None] = [None] * len(p_values)
    largest = 0.0
    for rank, (value, index) in enumerate(known):
        largest = max(largest, min(1.0, (len(known) - rank) * value))
        corrected[index] = largest
    return corrected
