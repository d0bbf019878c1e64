"""BMC: DPO on tokens, those that differ weighed by how sure the policy is of them."""

from typing import Annotated

import torch
from torch import Tensor
from torch.nn.functional import logsigmoid

from real_cli.train.knobs import NOT_NEGATIVE, Beta, Knob
from real_cli.train.logps import CHOSEN, REJECTED, Logps, TokenLogps
from real_cli.train.objective import Need, Objective

Delta = Annotated[float, Knob("Most that bmc adds to the weight of a differing token.", NOT_NEGATIVE)]


def bmc_loss(logps: Logps, *, beta: Beta = 0.05, delta: Delta = 1.5) -> Tensor:
    """Return -log sigmoid(beta h), h with the log-ratio of each token times lambda = 1 + min(1 / pi(token), delta).

    Bridging and modeling correlations: in tokens in which chosen and rejected differ, the less sure the policy is of
    the token the more the token counts. All others, and English function words, have lambda = 1. lambda carries no
    gradient and is the policy's for policy and reference alike, as in the paper. With delta = 0, or responses that are
    the same, it is DPO. It starts at ln 2. The official code weighs the reference by the reference's own confidence:
    that is `bmc-code`.

    Args:
        logps: Log-probabilities of a batch of pairs, token by token.
        beta: Strength of the pull towards the reference, > 0; the paper's code has 0.01 for chat, 0.05 for mathematics
            and question answering.
        delta: Largest extra weight, at least 0; the paper's code has 1.5 to 3.

    Returns:
        Loss of each pair, shape (batch,).

    Example:
        >>> policy, reference = torch.tensor([[[-0.1], [-0.2]]]), torch.tensor([[[-0.3], [-0.1]]])
        >>> tokens = TokenLogps(policy, reference, torch.ones(1, 2, 1, dtype=torch.bool))
        >>> ones = torch.ones(1, 2)
        >>> bmc_loss(Logps(policy.sum(2), reference.sum(2), ones, ones > 0, 0 * ones, tokens=tokens))
        tensor([0.6772])

    References:
        Jiang et al., 2024, BMC, arXiv:2408.07471.
    """
    tokens = _tokens(logps)
    weights = token_weights(tokens.policy, tokens.differs, delta)
    ratios = (weights * (tokens.policy - tokens.reference)).sum(dim=2)
    return -logsigmoid(beta * (ratios[:, CHOSEN] - ratios[:, REJECTED]))


def bmc_code_loss(logps: Logps, *, beta: Beta = 0.05, delta: Delta = 1.5) -> Tensor:
    """Return `bmc` as its official code has it: the reference's tokens are weighed by the reference's own confidence.

    BMC for repeating published runs; the paper's formula is `bmc`. -log sigmoid(beta h), with the log-probability of
    each token times lambda = 1 + min(1 / p(token), delta) where chosen and rejected differ, p the policy's probability
    for the policy's part of h, the reference's for the reference's. With delta = 0 it is DPO; it starts at ln 2.

    Tokens differ as the code finds it: by a search from the rejected side, over prompt, response and padding, that
    leaves out popular tokens of long texts; NLTK's stop words, where they are one token without a space before it, do
    not count. Where NLTK's data are not installed, which words are taken in their place is told.

    Args:
        logps: Log-probabilities of a batch of pairs, token by token.
        beta: Strength of the pull towards the reference, > 0.
        delta: Largest extra weight, at least 0.

    Returns:
        Loss of each pair, shape (batch,).

    Example:
        >>> policy, reference = torch.tensor([[[-0.1], [-0.2]]]), torch.tensor([[[-0.3], [-0.1]]])
        >>> tokens = TokenLogps(policy, reference, torch.ones(1, 2, 1, dtype=torch.bool))
        >>> ones = torch.ones(1, 2)
        >>> bmc_code_loss(Logps(policy.sum(2), reference.sum(2), ones, ones > 0, 0 * ones, tokens=tokens))
        tensor([0.6751])

    References:
        Jiang et al., 2024, BMC, arXiv:2408.07471, repository YJiangcm/BMC.
    """
    tokens = _tokens(logps)
    policy = (token_weights(tokens.policy, tokens.differs, delta) * tokens.policy).sum(dim=2)
    reference = (token_weights(tokens.reference, tokens.differs, delta) * tokens.reference).sum(dim=2)
    ratios = policy - reference
    return -logsigmoid(beta * (ratios[:, CHOSEN] - ratios[:, REJECTED]))


def token_weights(logps: Tensor, differs: Tensor, delta: float) -> Tensor:
    """Return lambda of each token: 1 + min(1 / p, delta) where the responses differ, else 1.

    Args:
        logps: Log-probability of each token, in nats, any shape.
        differs: Whether the token is one in which the responses differ, the same shape.
        delta: Largest extra weight, at least 0.

    Returns:
        Weights, shape of `logps`; no gradient.

    Example:
        >>> token_weights(torch.tensor([0.9, 0.2, 0.9]).log(), torch.tensor([True, True, False]), delta=1.5)
        tensor([2.1111, 2.5000, 1.0000])
    """
    return 1 + torch.exp(-logps.detach()).clamp(max=delta).where(differs, 0)


def _tokens(logps: Logps) -> TokenLogps:
    assert logps.tokens is not None, "log-probabilities token by token were not gathered"
    return logps.tokens


ROWS = {
    "bmc": Objective(bmc_loss, Need.reference | Need.tokens),
    "bmc-code": Objective(bmc_code_loss, Need.reference | Need.tokens | Need.code_marks),
}
