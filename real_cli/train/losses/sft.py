"""Objectives on the policy's likelihood alone: no reference model. One value an example, shape (batch,)."""

import math

import torch
from torch import Tensor
from torch.nn.functional import logsigmoid

from real_cli.train.logps import CHOSEN, REJECTED, Logps
from real_cli.train.losses.dpo import smoothed

# Log-probability per token above which a response counts as certain: log(1 - p) and its gradient stay finite.
NEARLY_CERTAIN = -1e-6


def sft_loss(logps: Logps) -> Tensor:
    """Return -lp(y_w) / (mean number of tokens of y_w), whose mean over a batch is the negative log-likelihood a token.

    Supervised fine-tuning on the chosen responses, for sums such as dpo,sft. As in TRL every token of a batch counts
    the same, so a long response counts more than a short one.

    Args:
        logps: Log-probabilities under the policy, and lengths in tokens of the whole batch.

    Returns:
        Share of each chosen response, shape (batch,).

    Example:
        >>> from real_cli.train.logps import made_up_logps
        >>> sft_loss(made_up_logps([-6.0, -2.0], length=4))
        tensor([1.5000, 0.5000])

    References:
        As the `sft` part of TRL's DPO trainer; together with DPO in Pang et al., 2024, arXiv:2404.19733.
    """
    return logps.token_mean(CHOSEN)


def simpo_loss(logps: Logps, *, beta: float = 2.0, gamma: float = 1.0) -> Tensor:
    """Return -log sigmoid(beta (avg_w - avg_l) - gamma), avg a log-probability per token.

    Without a reference: the reward is what generation ranks by, and the chosen response is to win by the margin gamma.
    TRL's CPO trainer with loss simpo also adds the likelihood of the chosen response unless its cpo_alpha is 0; sum
    simpo,sft for that.

    Args:
        logps: Log-probabilities of a batch of pairs under the policy, and lengths in tokens.
        beta: Scale of the reward, > 0; the paper uses 2.0 to 2.5, later recipes 10.
        gamma: Target margin, in units of the reward.

    Returns:
        Loss of each pair, shape (batch,).

    Example:
        >>> from real_cli.train.logps import made_up_logps
        >>> simpo_loss(made_up_logps([2.0], length=4))
        tensor([0.6931])

    References:
        Meng et al., 2024, SimPO, arXiv:2405.14734.
    """
    averages = logps.averages
    return -logsigmoid(beta * (averages[:, CHOSEN] - averages[:, REJECTED]) - gamma)


def cpo_loss(logps: Logps, *, beta: float = 0.1, alpha: float = 1.0, label_smoothing: float = 0.0) -> Tensor:
    """Return -log sigmoid(beta (lp_w - lp_l)) + alpha NLL(y_w), without a reference.

    Contrastive preference optimization: DPO with a uniform reference, and the likelihood of the chosen response to keep
    the policy near the data. NLL is the mean over all response tokens of the batch, as in TRL. With label smoothing
    eps, the first term is -(1 - eps) log sigmoid(beta (lp_w - lp_l)) - eps log sigmoid(-beta (lp_w - lp_l)).

    Args:
        logps: Log-probabilities of a batch of pairs under the policy, and lengths in tokens.
        beta: Scale of the margin, > 0.
        alpha: Weight of the likelihood of the chosen response, at least 0; TRL's cpo_alpha.
        label_smoothing: eps, in [0, 0.5).

    Returns:
        Loss of each pair, shape (batch,).

    Example:
        >>> from real_cli.train.logps import made_up_logps
        >>> cpo_loss(made_up_logps([-5.0], length=5))
        tensor([1.9741])

    References:
        Xu et al., 2024, CPO, arXiv:2401.08417, eq. 3.
    """
    logits = beta * (logps.policy[:, CHOSEN] - logps.policy[:, REJECTED])
    return smoothed(logits, label_smoothing) + alpha * logps.token_mean(CHOSEN)


def orpo_loss(logps: Logps, *, beta: float = 0.1) -> Tensor:
    """Return NLL(y_w) - beta log sigmoid(log odds_w - log odds_l), odds = p / (1 - p), p the mean token's probability.

    Odds ratio preference optimization: fine-tuning on the chosen response, and a penalty on the odds of the rejected
    one. No reference. log p is the log-probability per token; NLL is the mean over the response tokens of the batch.
    TRL counts the tokens of the prompt in NLL too, so its values differ from these.

    Args:
        logps: Log-probabilities of a batch of pairs under the policy, and lengths in tokens.
        beta: Weight of the odds ratio, > 0; the paper's lambda.

    Returns:
        Loss of each pair, shape (batch,).

    Example:
        >>> from real_cli.train.logps import pair_logps
        >>> p, one = torch.tensor([0.5]), torch.ones(1)
        >>> orpo_loss(pair_logps(p.log(), p.log(), 0 * one, 0 * one, one, one))
        tensor([0.7625])

    References:
        Hong et al., 2024, ORPO, arXiv:2403.07691, eq. 4 and 7.
    """
    averages = logps.averages.clamp(max=NEARLY_CERTAIN)
    log_odds = averages - log1mexp(averages)
    return logps.token_mean(CHOSEN) - beta * logsigmoid(log_odds[:, CHOSEN] - log_odds[:, REJECTED])


def asft_loss(logps: Logps, *, alpha: float = 1.0) -> Tensor:
    """Return NLL(y_w) + alpha [-log p_w - log(1 - p_l)], p the mean token's probability.

    Aligned fine-tuning by absolute likelihood: the chosen response up, the rejected one down, each by itself and
    without a reference. The pull on a rejected response fades as it becomes unlikely, while DPO pulls both equally.
    NLL is the mean over the response tokens of the batch.

    Not read in the paper, so check before quoting: that p is normalized by length (the plain product of probabilities
    would make the last term 0) and the weight alpha.

    Args:
        logps: Log-probabilities of a batch of pairs under the policy, and lengths in tokens.
        alpha: Weight of the alignment term, at least 0.

    Returns:
        Loss of each pair, shape (batch,).

    Example:
        >>> from real_cli.train.logps import pair_logps
        >>> p, one = torch.tensor([0.6]), torch.ones(1)
        >>> asft_loss(pair_logps(p.log(), (p / 2).log(), 0 * one, 0 * one, one, one))
        tensor([1.3783])

    References:
        Wang et al., 2024, ASFT, arXiv:2409.10571.
    """
    return logps.token_mean(CHOSEN) + alpha * asft_align(logps)


def asft_align(logps: Logps) -> Tensor:
    """Return the alignment term of `asft_loss`, -log p_w - log(1 - p_l).

    Args:
        logps: Log-probabilities of a batch of pairs under the policy, and lengths in tokens.

    Returns:
        One value a pair, shape (batch,). p_l is held a millionth below 1, and has no gradient above that.

    Example:
        >>> from real_cli.train.logps import pair_logps
        >>> p, one = torch.tensor([0.6]), torch.ones(1)
        >>> asft_align(pair_logps(p.log(), (p / 2).log(), 0 * one, 0 * one, one, one))
        tensor([0.8675])
    """
    averages = logps.averages
    return -averages[:, CHOSEN] - log1mexp(averages[:, REJECTED].clamp(max=NEARLY_CERTAIN))


def log1mexp(x: Tensor) -> Tensor:
    """Return log(1 - exp(x)) without losing digits.

    Args:
        x: Below 0, any shape.

    Returns:
        The logarithm, shape of `x`.

    Example:
        >>> log1mexp(torch.tensor([0.3]).log())
        tensor([-0.3567])
    """
    return torch.where(x > -math.log(2), torch.log(-torch.expm1(x)), torch.log1p(-torch.exp(x)))
