"""Reward shaping: one function a shaping, one row in a table.

Shapings of a prompt take its scores, shape (n,), and the scores of reference responses to the same prompt, shape (m,);
those of the data set take statistics of all scores of the input instead.
"""

from collections.abc import Callable
from functools import cache
from typing import NamedTuple

import numpy as np

from real_cli.relabel.shape.by_input import Scores, Statistics, shape_clip, shape_min_max, shape_standardize
from real_cli.relabel.shape.choices import STEEPNESS, Shaping
from real_cli.stats.numeric import sigmoid

# The standard normal's 85th percentile: of 1,000 normal numbers 850 are below mean + 1.0364 std.
PERCENTILE_85 = 1.0364333894937898
# Added to the deviation of reference scores, as in PAR's code.
LEAST_DEVIATION = 1e-5
# Farther from the reference the polynomial is 0 or 1; it is fitted on this many points in between.
POLYNOMIAL_REACH, POLYNOMIAL_POINTS = 5.0, 100
# How far above the reference sgfc is steepest.
SGFC_SHIFT = 3.0


def shape_par(scores: Scores, references: Scores, *, k: float = STEEPNESS) -> Scores:
    """Return PAR, the mean over references of sigmoid(k (r - r_ref)): how probably the response beats a reference.

    Bounded, steep near the references and flat far above, so that a policy gains little by hacking the reward. The
    order of a prompt's responses stays.

    Args:
        scores: r, shape (n,).
        references: r_ref, shape (m,), m at least 1; the code has 10, and one is enough by the paper.
        k: Steepness, > 0; a whole number in the official code.

    Returns:
        Numbers in (0, 1), shape (n,).

    Example:
        >>> shape_par(np.array([1.0]), np.array([-1.0, 0.0, 1.0])).round(6)
        array([0.703952])

    References:
        Fu et al., 2025, PAR, arXiv:2502.18770.
    """
    return np.asarray(sigmoid(k * _centered(scores, references)).mean(axis=1))


def shape_centered(scores: Scores, references: Scores) -> Scores:
    """Return r minus the mean reference score.

    Args:
        scores: Shape (n,).
        references: Shape (m,), m at least 1.

    Returns:
        Shape (n,).

    Example:
        >>> shape_centered(np.array([3.0, 1.0]), np.array([0.0, 2.0]))
        array([2., 0.])

    References:
        PAR's code, arXiv:2502.18770.
    """
    return np.asarray(_centered(scores, references).mean(axis=1))


def shape_tanh(scores: Scores, references: Scores) -> Scores:
    """Return the mean over references of tanh(r - r_ref).

    Args:
        scores: Shape (n,).
        references: Shape (m,), m at least 1.

    Returns:
        Numbers in (-1, 1), shape (n,).

    Example:
        >>> shape_tanh(np.array([1.0]), np.array([1.0, 0.0])).round(6)
        array([0.380797])

    References:
        PAR's code, arXiv:2502.18770.
    """
    return np.asarray(np.tanh(_centered(scores, references)).mean(axis=1))


def shape_arctan(scores: Scores, references: Scores) -> Scores:
    """Return the mean over references of arctan(r - r_ref).

    Args:
        scores: Shape (n,).
        references: Shape (m,), m at least 1.

    Returns:
        Numbers between -pi/2 and pi/2, shape (n,).

    Example:
        >>> shape_arctan(np.array([1.0]), np.array([0.0])).round(6)
        array([0.785398])

    References:
        PAR's code, arXiv:2502.18770.
    """
    return np.asarray(np.arctan(_centered(scores, references)).mean(axis=1))


def shape_polynomial(scores: Scores, references: Scores) -> Scores:
    """Return the mean over references of a polynomial of 5th degree that resembles sigmoid(r - r_ref).

    Beyond 5 from the reference it is 0 or 1, as in the code, and it jumps there.

    Args:
        scores: Shape (n,).
        references: Shape (m,), m at least 1.

    Returns:
        Numbers near [0, 1], shape (n,).

    Example:
        >>> shape_polynomial(np.array([0.0, 2.0, 9.0]), np.array([0.0])).round(4)
        array([0.5  , 0.883, 1.   ])

    References:
        PAR's code, arXiv:2502.18770.
    """
    centered = _centered(scores, references)
    fitted = np.polyval(sigmoid_polynomial(), centered.clip(-POLYNOMIAL_REACH, POLYNOMIAL_REACH))
    outside = np.abs(centered) >= POLYNOMIAL_REACH
    return np.asarray(np.where(outside, centered > 0, fitted).mean(axis=1))


@cache
def sigmoid_polynomial() -> tuple[float, ...]:
    """Fit sigmoid by least squares on 100 evenly spaced points from -5 to 5, both ends among them.

    The official code fits when it starts and prints no coefficients; these are of the same points.

    Returns:
        Six coefficients, of the 5th power first.

    Example:
        >>> np.array(sigmoid_polynomial())[[0, 2, 4, 5]].round(6)
        array([ 2.03000e-04, -1.01310e-02,  2.28789e-01,  5.00000e-01])
    """
    points = np.linspace(-POLYNOMIAL_REACH, POLYNOMIAL_REACH, POLYNOMIAL_POINTS)
    return tuple(np.polyfit(points, sigmoid(points), 5).tolist())


def shape_sgfc(scores: Scores, references: Scores) -> Scores:
    """Return the mean over references of sigmoid(r - 3 - r_ref), which is steepest 3 above the reference.

    Args:
        scores: Shape (n,).
        references: Shape (m,), m at least 1.

    Returns:
        Numbers in (0, 1), shape (n,).

    Example:
        >>> shape_sgfc(np.array([3.0, 5.0]), np.array([0.0])).round(6)
        array([0.5     , 0.880797])

    References:
        PAR's code, arXiv:2502.18770.
    """
    return shape_par(scores - SGFC_SHIFT, references)


def shape_lsc(scores: Scores, references: Scores) -> Scores:
    """Return log sigmoid(r - q), q the 85th percentile of a normal fitted to the reference scores.

    Its deviation is that of a sample, plus 1e-5, as in PAR's code.

    Args:
        scores: Shape (n,).
        references: Shape (m,), m at least 1; a single one is q itself.

    Returns:
        Numbers below 0, shape (n,).

    Example:
        >>> shape_lsc(np.array([1.0, 3.0]), np.array([1.0])).round(6)
        array([-0.693147, -0.126928])
        >>> shape_lsc(np.array([1.0]), np.array([0.0, 2.0])).round(4)
        array([-1.6735])

    References:
        Wang et al., 2024, Transforming and combining rewards, arXiv:2402.00742; as PAR's code has it.
    """
    deviation = references.std(ddof=1) + LEAST_DEVIATION if len(references) > 1 else 0.0
    percentile = references.mean() + PERCENTILE_85 * deviation
    return np.asarray(-np.logaddexp(0.0, percentile - scores))


def shape_ceiling(scores: Scores, references: Scores, *, ceiling: float) -> Scores:
    """Return min(r, ceiling).

    Args:
        scores: Shape (n,).
        references: Not looked at.
        ceiling: The largest score there can be.

    Returns:
        Shape (n,).

    Example:
        >>> shape_ceiling(np.array([1.0, 9.0]), np.empty(0), ceiling=5.0)
        array([1., 5.])

    References:
        PAR's code, arXiv:2502.18770.
    """
    return np.minimum(scores, ceiling)


def _centered(scores: Scores, references: Scores) -> Scores:
    """Return r - r_ref for each response and each reference, shape (n, m)."""
    return np.asarray(scores[:, None] - references[None, :])


class OfPrompt(NamedTuple):
    """A shaping of a prompt: its function, its knobs, and whether it looks at reference scores."""

    shape: Callable[..., Scores]
    knobs: tuple[str, ...] = ()
    needs_references: bool = True


OF_PROMPT: dict[Shaping, OfPrompt] = {
    Shaping.par: OfPrompt(shape_par, ("k",)),
    Shaping.centered: OfPrompt(shape_centered),
    Shaping.tanh: OfPrompt(shape_tanh),
    Shaping.arctan: OfPrompt(shape_arctan),
    Shaping.polynomial: OfPrompt(shape_polynomial),
    Shaping.sgfc: OfPrompt(shape_sgfc),
    Shaping.lsc: OfPrompt(shape_lsc),
    Shaping.ceiling: OfPrompt(shape_ceiling, ("ceiling",), needs_references=False),
}
OF_DATA_SET: dict[Shaping, Callable[[Scores, Statistics], Scores]] = {
    Shaping.clip: shape_clip,
    Shaping.standardize: shape_standardize,
    Shaping.min_max: shape_min_max,
}
