"""KTO: single completions, each with a label, against a reference point that completions of other prompts give."""

from typing import Annotated

import torch
from torch import Tensor

from real_cli.train.knobs import NOT_NEGATIVE, Beta, Knob
from real_cli.train.logps import Logps
from real_cli.train.objective import Need, Objective, Responses

# The columns of an example: its completion, and the completion of another prompt. TRL calls the second one KL.
COMPLETION, MISMATCHED = 0, 1

DesirableWeight = Annotated[float, Knob("Weight that kto gives completions labeled true.", NOT_NEGATIVE)]
UndesirableWeight = Annotated[float, Knob("Weight that kto gives completions labeled false.", NOT_NEGATIVE)]


def kto_loss(
    logps: Logps,
    *,
    beta: Beta = 0.1,
    desirable_weight: DesirableWeight = 1.0,
    undesirable_weight: UndesirableWeight = 1.0,
) -> Tensor:
    """Return w (1 - sigmoid(beta s (lr - z0))), s = 1 and w the desirable weight for a label true, s = -1 for false.

    Kahneman-Tversky optimization needs no pairs: a completion labeled true is to gain on the reference point, one
    labeled false to fall below it, and what is far off either way moves little. The reference point z0 is the mean
    log-ratio of mismatched completions, each the completion of another prompt of the batch, and at least 0; it carries
    no gradient. It starts at 1/2 for weights of 1.

    Args:
        logps: Log-probabilities of a whole batch under policy and reference; the columns are the completion and the
            mismatched one, and the first mark is 1 for a label true and 0 for false.
        beta: Scale of the implicit rewards, > 0.
        desirable_weight: Of completions labeled true, at least 0.
        undesirable_weight: Of completions labeled false, at least 0.

    Returns:
        Loss of each completion, shape (batch,).

    Example:
        >>> from real_cli.train.logps import made_up_logps
        >>> kto_loss(made_up_logps([0.0]), undesirable_weight=2.0)
        tensor([1.])

    References:
        Ethayarajh et al., 2024, KTO, arXiv:2402.01306, equations 7 and 8; as TRL's KTOTrainer.
    """
    desirable = is_desirable(logps)
    distance = logps.logratios[:, COMPLETION] - reference_point(logps)
    # 1 - sigmoid(x) is sigmoid(-x), which keeps its digits.
    values = torch.sigmoid(beta * torch.where(desirable, -distance, distance))
    return torch.where(desirable, desirable_weight * values, undesirable_weight * values)


def reference_point(logps: Logps) -> Tensor:
    """Return the mean log-ratio of mismatched completions, at least 0 and without gradient.

    Args:
        logps: As of `kto_loss`, of a whole batch.

    Returns:
        The same number for each example, in nats, shape (batch,).

    Example:
        >>> from real_cli.train.logps import made_up_logps
        >>> reference_point(made_up_logps([0.0, 0.0]))
        tensor([0., 0.])

    References:
        Ethayarajh et al., 2024, KTO, arXiv:2402.01306, section 4: the shared estimate of the KL divergence.
    """
    ratios = logps.logratios[:, MISMATCHED].detach()
    return ratios.mean().clamp(min=0).expand(len(ratios))


def is_desirable(logps: Logps) -> Tensor:
    """Tell which completions are labeled true, shape (batch,)."""
    return logps.marks[:, COMPLETION] > 0


def completion_logratio(logps: Logps) -> Tensor:
    """Return the log-ratio of each completion, in nats, shape (batch,)."""
    return logps.logratios[:, COMPLETION].detach()


ROWS = {
    "kto": Objective(
        kto_loss,
        Need.reference | Need.whole_batch,
        Responses.unpaired,
        shows=(("desirable", is_desirable), ("logratio", completion_logratio)),
        measures=(("kl", reference_point),),
    ),
}
