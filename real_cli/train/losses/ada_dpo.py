"""Ada-DPO: a temperature of each pair's own, in closed form."""

import math
from functools import lru_cache
from typing import Annotated

from torch import Tensor
from torch.nn.functional import logsigmoid

from real_cli.train.knobs import POSITIVE, Beta, Knob, Range
from real_cli.train.logps import Logps
from real_cli.train.objective import Objective

# The authors' code has rho 0.1 and minimizes -tau log(2 sigmoid(beta h / tau)) + rho tau: ours is ln 2 less theirs.
RHO = math.log(2) - 0.1

Rho = Annotated[
    float,
    Knob(
        "Entropy that ada-dpo gives each pair, in nats: ln 2 less its authors' rho.",
        Range(0, math.log(2), open_low=True, open_high=True),
    ),
]
TauMin = Annotated[float, Knob("Lowest temperature of ada-dpo.", POSITIVE, at_most="tau_max")]
TauMax = Annotated[float, Knob("Highest temperature of ada-dpo.", POSITIVE)]


def ada_dpo_loss(
    logps: Logps, *, beta: Beta = 0.1, rho: Rho = RHO, tau_min: TauMin = 0.1, tau_max: TauMax = 5.0
) -> Tensor:
    """Return min over tau in [tau_min, tau_max] of -tau log sigmoid(beta h / tau) - rho tau.

    DPO with adaptive preference scaling: a clear pair gets a large temperature tau, an ambiguous one a small. The
    minimum is known in closed form, tau = clip(|beta h| / x), x the solution of -log sigmoid(x) + x sigmoid(-x) = rho,
    and carries no gradient. The loss is negative for pairs the policy orders well: that is no fault.

    The authors' code subtracts (ln 2 - rho') tau with a rho' of its own, 0.1 in its command: rho is ln 2 - rho'. Two
    things of that code are not followed: five Newton steps from tau = 1, which do not reach the minimum of some pairs,
    and log(sigmoid + 1e-6), which takes the gradient from pairs that are ordered very wrongly.

    Args:
        logps: Log-probabilities of a batch of pairs, under policy and reference.
        beta: Strength of the pull towards the reference, > 0.
        rho: Reward for a large tau, in (0, ln 2); larger makes tau grow faster with the margin.
        tau_min: Smallest temperature, > 0; that of a tie.
        tau_max: Largest temperature, at least `tau_min`. Both 1 is DPO less the constant rho.

    Returns:
        Loss of each pair, shape (batch,).

    Example:
        >>> from real_cli.train.logps import made_up_logps
        >>> ada_dpo_loss(made_up_logps([0.5, 5.0, -20.0]))
        tensor([-0.0119, -0.1401,  1.4396])

    References:
        Hong et al., 2024, Adaptive Preference Scaling, arXiv:2406.02764; repository
        IlgeeHong/Adaptive-Preference-Scaling.
    """
    # At the minimum the gradient through tau is 0 (or tau is at an end): the one at fixed tau is exact.
    tau = ada_dpo_tau(logps, beta=beta, rho=rho, tau_min=tau_min, tau_max=tau_max)
    return -tau * logsigmoid(beta * logps.logits / tau) - rho * tau


def ada_dpo_tau(
    logps: Logps, *, beta: Beta = 0.1, rho: Rho = RHO, tau_min: TauMin = 0.1, tau_max: TauMax = 5.0
) -> Tensor:
    """Return the temperature that `ada_dpo_loss` gives each pair, clip(|beta h| / x, tau_min, tau_max).

    Args:
        logps: Log-probabilities of a batch of pairs, under policy and reference.
        beta: As in `ada_dpo_loss`; the other three likewise.
        rho: Entropy in nats that the label is to have, in (0, ln 2).
        tau_min: Smallest temperature.
        tau_max: Largest temperature.

    Returns:
        tau of each pair, shape (batch,); no gradient.

    Example:
        >>> from real_cli.train.logps import made_up_logps
        >>> ada_dpo_tau(made_up_logps([0.0, 5.0, 100.0]))
        tensor([0.1000, 0.5300, 5.0000])
    """
    return ((beta * logps.logits.detach()).abs() / logit_of_entropy(rho)).clamp(min=tau_min, max=tau_max)


@lru_cache(maxsize=64)
def logit_of_entropy(entropy: float) -> float:
    """Solve -log sigmoid(x) + x sigmoid(-x) = entropy: the positive logit of a coin with that entropy.

    Args:
        entropy: In nats, in (0, ln 2).

    Returns:
        x > 0, to the last bits of a double.

    Example:
        >>> round(logit_of_entropy(0.5), 6)
        1.388108
    """
    low, high = 0.0, 1000.0
    # The entropy falls as x grows; each step halves the interval until no double lies within.
    while low < (middle := (low + high) / 2) < high:
        odds = math.exp(-middle)
        too_close = math.log1p(odds) + middle * odds / (1 + odds) > entropy
        low, high = (middle, high) if too_close else (low, middle)
    return high


ROWS = {
    "ada-dpo": Objective(ada_dpo_loss, shows=(("tau", ada_dpo_tau),)),
}
