"""Log-probabilities made up for tests of objectives, in float64."""

from dataclasses import fields, replace

import numpy as np
import torch
from hypothesis import strategies as st
from torch import Tensor

from real_cli.train.logps import Logps, TokenLogps
from real_cli.train.objective import Responses

LN_2 = 0.693147
SEEDS = st.integers(0, 2**32 - 1)
BETAS = st.floats(0.01, 2)
SMOOTHINGS = st.floats(0, 0.45)
RESPONSES = {Responses.pair: 2, Responses.triple: 3, Responses.ranking: 5, Responses.copies: 5, Responses.unpaired: 2}
OF_THE_RUN = ("batch_lengths", "progress", "recent")


def logps_of(policy: list, reference: list | None = None, lengths: list | None = None, **others) -> Logps:
    """One example: one number a response; without lengths every response is one token."""
    policy = double([policy])
    zeros = torch.zeros_like(policy)
    return Logps(
        policy,
        zeros if reference is None else double([reference]),
        zeros + 1 if lengths is None else double([lengths]),
        others.pop("present", zeros == 0),
        double([others.pop("marks", [0.0] * policy.shape[1])]),
        **others,
    )


def with_h(h: float, **columns: float) -> Logps:
    """One pair with this difference of log-ratios."""
    return logps_of([h, 0.0], columns={name: double([value]) for name, value in columns.items()})


def from_probabilities(*probabilities: float) -> Logps:
    """One example of one-token responses."""
    return logps_of(list(np.log(probabilities)))


def random_logps(seed: int, batch: int = 6, responses: Responses = Responses.pair) -> Logps:
    """A batch with everything any objective reads; the first two responses are always there, others need not be."""
    rng = np.random.default_rng(seed)
    shape = (batch, RESPONSES[responses])
    lengths = rng.integers(1, 13, size=shape)
    present = np.ones(shape, dtype=bool)
    if responses in (Responses.ranking, Responses.copies):
        present = np.arange(shape[1]) < rng.integers(2, shape[1] + 1, size=(batch, 1))
    filled = (np.arange(12) < lengths[:, :, None]) & present[:, :, None]
    policy, reference = -rng.gamma(1.0, 2.0, size=(2, *shape, 12)) * filled
    marks = -np.sort(-rng.normal(0, 2, size=shape), axis=1)
    if responses is Responses.copies:
        marks = np.tile(np.maximum(np.arange(shape[1]) - 1, 0), (batch, 1))
    differs = filled & (rng.random(filled.shape) < 0.5)
    return Logps(
        double(policy.sum(2)),
        double(reference.sum(2)),
        double(lengths),
        torch.from_numpy(present),
        double(marks),
        columns={
            "prob_chosen": double(rng.random(batch)),
            "prob_rejected": double(rng.random(batch)),
            "offset": double(rng.normal(0, 40, batch)),
        },
        progress=0.5,
        recent=double(rng.normal(0, 0.5, 20)),
        tokens=TokenLogps(double(policy), double(reference), torch.from_numpy(differs)),
        degree_logits=double(rng.normal(size=(*shape, 4))),
        decoupled=double(policy.sum(2) + rng.normal(size=shape)),
    )


def swapped(logps: Logps) -> Logps:
    """The same pairs with chosen and rejected in each other's place."""
    return replace(logps, policy=logps.policy.flip(1), reference=logps.reference.flip(1), lengths=logps.lengths.flip(1))


def shifted(logps: Logps, by: float) -> Logps:
    """The same examples, all responses likelier under the policy by this many nats."""
    return replace(logps, policy=logps.policy + by)


def examples(logps: Logps, index: list[int]) -> Logps:
    """Some examples of a batch, which know the lengths of the whole batch."""
    parts = {
        item.name: _rows(getattr(logps, item.name), index) for item in fields(Logps) if item.name not in OF_THE_RUN
    }
    return replace(logps, **parts, batch_lengths=logps.lengths)


def gradient(loss, logps: Logps, **knobs: float) -> Tensor:
    """Of the sum over a batch, by the policy's log-probabilities; tokens share what their response gets."""
    policy = logps.policy.clone().requires_grad_()
    if logps.tokens is not None:
        share = (policy - policy.detach()).unsqueeze(2)
        logps = replace(logps, tokens=replace(logps.tokens, policy=logps.tokens.policy + share))
    loss(replace(logps, policy=policy), **knobs).sum().backward()
    return policy.grad


def log_sigmoid(x: np.ndarray) -> np.ndarray:
    return -np.logaddexp(0, -np.asarray(x, dtype=float))


def ratios(logps: Logps) -> tuple[np.ndarray, np.ndarray]:
    """Log-ratios of chosen and rejected, by numpy."""
    both = logps.policy.numpy() - logps.reference.numpy()
    return both[:, 0], both[:, 1]


def token_mean(logps: Logps, column: int) -> np.ndarray:
    """Negative log-likelihood over the mean length."""
    return -logps.policy.numpy()[:, column] / logps.lengths.numpy()[:, column].mean()


def same(ours: Tensor, theirs) -> None:
    assert ours.ndim == 1
    np.testing.assert_allclose(ours.numpy(), np.asarray(theirs), rtol=1e-9, atol=1e-9)


def double(values) -> Tensor:
    return torch.tensor(np.asarray(values), dtype=torch.float64)


def _rows(value, index: list[int]):
    if isinstance(value, TokenLogps):
        return TokenLogps(value.policy[index], value.reference[index], value.differs[index])
    if isinstance(value, dict):
        return {name: column[index] for name, column in value.items()}
    return None if value is None else value[index]
