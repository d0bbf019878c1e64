"""How often a model would win if its responses were as long as the others'."""

from typing import NamedTuple

import numpy as np
from numpy.typing import ArrayLike

from real_cli.stats.bootstrap import FEWEST_CELLS, student_quantile
from real_cli.stats.intervals import Estimate
from real_cli.stats.logistic import FIT_DIGITS, Floats, LogisticFit, fit_logistic
from real_cli.stats.numeric import sigmoid
from real_cli.text.phrases import say_count

FEWEST_DECIDED = 30


class LengthControl(NamedTuple):
    """A win rate at equal length.

    Attributes:
        rate: Share of wins that the model expects of two responses of one length.
        effect: Log-odds that a response gains by being far longer; negative where the shorter win.
        note: Why there is no rate, or no interval; None where there are both.
    """

    rate: Estimate
    effect: Estimate
    note: str | None


def control_length(points: ArrayLike, gaps: ArrayLike, clusters: ArrayLike) -> LengthControl:
    """Fit P(win) = sigmoid(theta + gamma * tanh(gap / sd of the gaps)) to comparisons; the rate is sigmoid(theta).

    AlpacaEval 2's model without its instruction term, which is fitted on a set of prompts of its own. A tie is half a
    win and half a loss. Intervals are of Student's t with the number of prompts less one, on the scale of log-odds,
    with standard errors clustered by prompt.

    >>> draws = np.random.default_rng(0)
    >>> gaps = draws.normal(size=400) * 100
    >>> wins = draws.random(400) < sigmoid(np.tanh(gaps / 100))  # length alone decides
    >>> control = control_length(wins, gaps, np.arange(400))
    >>> 0.4 < control.rate.low < 0.5 < control.rate.high < 0.6, control.effect.low > 0
    (True, True)

    References:
        Dubois et al., 2024, Length-Controlled AlpacaEval, arXiv:2404.04475, section 3, eq. 2.
    """
    gained, longer = np.asarray(points, dtype=np.float64), np.asarray(gaps, dtype=np.float64)
    refusal = _refusal(gained, longer)
    if refusal:
        return _refused(refusal)
    features = np.stack([np.ones(longer.size), np.tanh(longer / longer.std(ddof=1))], axis=1)
    fit = fit_logistic(features, gained, clusters)
    if fit is None:
        return _refused("length tells wins from losses without an error, or all comparisons are about one prompt")
    low, high = _ends(fit)
    odds, effect = (
        Estimate(value, None if low is None else low[index], None if high is None else high[index], longer.size)
        for index, value in enumerate(fit.coefficients.round(FIT_DIGITS).tolist())
    )
    shares = [None if end is None else float(sigmoid(np.array(end))) for end in odds[:3]]
    note = f"{say_count(fit.num_clusters, 'prompt')}, and an interval of a length-controlled rate needs {FEWEST_CELLS}"
    return LengthControl(Estimate(shares[0], shares[1], shares[2], longer.size), effect, note if low is None else None)


def _refusal(points: Floats, gaps: Floats) -> str:
    wins, losses = int((points > 0.5).sum()), int((points < 0.5).sum())
    if wins + losses < FEWEST_DECIDED:
        return f"{wins + losses} decided, and a length-controlled rate needs {FEWEST_DECIDED} decided comparisons"
    if not wins or not losses:
        return f"all {wins + losses} decided comparisons went one way, so that length can explain nothing"
    if np.ptp(gaps) == 0:
        return "all length differences are the same, so that length can explain nothing"
    if gaps.min() > 0 or gaps.max() < 0:
        return "one side is always the longer, so that a rate at equal length would be a guess"
    return ""


def _refused(note: str) -> LengthControl:
    nothing = Estimate(None, None, None, 0)
    return LengthControl(nothing, nothing, note)


def _ends(fit: LogisticFit) -> tuple[list[float] | None, list[float] | None]:
    if fit.num_clusters < FEWEST_CELLS:
        return None, None
    half = student_quantile(fit.num_clusters) * np.sqrt(np.diag(fit.covariance))
    return (fit.coefficients - half).tolist(), (fit.coefficients + half).tolist()
