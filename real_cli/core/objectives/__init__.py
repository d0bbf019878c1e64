"""What `train-dpo` minimizes: one function an objective, one row in OBJECTIVES."""

from collections.abc import Callable
from typing import NamedTuple

from torch import Tensor

from real_cli.core.names import Loss
from real_cli.core.objectives.logps import PairLogps
from real_cli.core.objectives.pairwise import dpo_loss, hinge_loss, ipo_loss, robust_loss, sppo_hard_loss
from real_cli.errors import UsageError


class Objective(NamedTuple):
    """An objective: its function, and whether label smoothing means anything to it."""

    loss: Callable[..., Tensor]
    smooths_labels: bool = False


OBJECTIVES: dict[Loss, Objective] = {
    Loss.dpo: Objective(dpo_loss, smooths_labels=True),
    Loss.ipo: Objective(ipo_loss),
    Loss.hinge: Objective(hinge_loss),
    Loss.robust: Objective(robust_loss, smooths_labels=True),
    Loss.sppo_hard: Objective(sppo_hard_loss),
}


def check_objective(loss: Loss, beta: float, label_smoothing: float) -> None:
    """Refuse settings that an objective would ignore or that leave its range.

    Args:
        loss: The objective's name.
        beta: Must be above 0.
        label_smoothing: Must be in [0, 0.5), and 0 where the objective does not read it.

    Raises:
        UsageError: If a setting does not fit; all complaints are in one message.

    Example:
        >>> check_objective(Loss.dpo, 0.1, 0.3)
    """
    complaints = []
    if not beta > 0:
        complaints.append(f"--beta {beta}: must be greater than 0")
    if not 0 <= label_smoothing < 0.5:
        complaints.append(f"--label-smoothing {label_smoothing}: must be at least 0 and below 0.5")
    if label_smoothing and not OBJECTIVES[loss].smooths_labels:
        able = ", ".join(name for name, objective in OBJECTIVES.items() if objective.smooths_labels)
        complaints.append(f"--loss {loss} does not read --label-smoothing; {able} do")
    if complaints:
        raise UsageError("; ".join(complaints))


__all__ = ["OBJECTIVES", "Objective", "PairLogps", "check_objective"]
