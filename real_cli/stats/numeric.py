"""The few numeric functions that several rooms share."""

import math
from typing import Any

import numpy as np
from numpy.typing import NDArray

from real_cli.records.messages import NUMBER_TYPES, is_number


def sigmoid(values: NDArray[np.float64]) -> NDArray[np.float64]:
    """Return 1 / (1 + exp(-x)), which overflows nowhere.

    Args:
        values: Any shape; infinities too.

    Returns:
        Numbers in [0, 1], the same shape.

    Example:
        >>> sigmoid(np.array([-np.inf, 0.0, 2.0])).round(6)
        array([0.      , 0.5     , 0.880797])
    """
    small = np.exp(-np.abs(values))
    return np.asarray(np.where(values >= 0, 1.0, small) / (1.0 + small))


def number_or_nan(value: object) -> float:
    """Return a JSON value as a float; NaN for what is no number."""
    if type(value) is float:  # most are
        return value
    return float(value) if isinstance(value, NUMBER_TYPES) and is_number(value) else math.nan


def rounded(value: Any) -> Any:
    """Round floats to ten significant digits: those behind them differ from one processor to another.

    Args:
        value: Any JSON value.

    Returns:
        The same with shorter numbers; a zero has no sign.

    Example:
        >>> rounded({"share": [1 / 3, None, 7]})
        {'share': [0.3333333333, None, 7]}
    """
    if isinstance(value, dict):
        return {name: rounded(item) for name, item in value.items()}
    if isinstance(value, list):
        return [rounded(item) for item in value]
    return float(f"{value:.10g}") + 0.0 if isinstance(value, float) else value
