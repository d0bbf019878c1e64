"""One rule for every objective: a response that has no probability counts as one that has next to none."""

from dataclasses import replace
from itertools import product

import pytest
import torch

from real_cli.train.logps import Logps, TokenLogps
from real_cli.train.losses import OBJECTIVES
from tests.train.losses.test_table import SIGNS, example

NOTHING = float("-inf")
DTYPES = pytest.mark.parametrize("dtype", [torch.float32, torch.bfloat16], ids=["float32", "bfloat16"])


def in_dtype(logps: Logps, dtype: torch.dtype) -> Logps:
    names = ("policy", "reference", "lengths", "marks", "degree_logits")
    tokens = TokenLogps(logps.tokens.policy.to(dtype), logps.tokens.reference.to(dtype), logps.tokens.differs)
    columns = {name: column.to(dtype) for name, column in logps.columns.items()}
    return replace(
        logps,
        **{name: getattr(logps, name).to(dtype) for name in names},
        tokens=tokens,
        columns=columns,
        progress=0.5,
        recent=torch.tensor([-1.0, 0.5, 2.0], dtype=dtype),
    )


def value_and_gradient(loss, logps: Logps, policy: tuple[float, ...]) -> tuple[torch.Tensor, torch.Tensor]:
    """The loss where the policy's log-probabilities are these, and its gradient by them."""
    given = torch.tensor(policy, dtype=logps.policy.dtype, requires_grad=True)
    tokens = replace(logps.tokens, policy=given.reshape(1, -1, 1))
    value = loss(replace(logps, policy=given.unsqueeze(0), tokens=tokens))
    value.sum().backward()
    return value, torch.zeros_like(given) if given.grad is None else given.grad


@DTYPES
@pytest.mark.parametrize("name", OBJECTIVES)
def test_value_and_gradient_are_numbers_where_log_probabilities_are_infinite(name, dtype):
    """Chosen, rejected, both, under the policy, the reference, both."""
    size, loss = len(SIGNS[name]), OBJECTIVES[name].loss
    tried = 0
    for policy, reference in product(product([-3.0, NOTHING], repeat=size), repeat=2):
        values, slopes = value_and_gradient(loss, in_dtype(example([-3.0] * size, list(reference)), dtype), policy)
        assert torch.isfinite(values).all(), (policy, reference)
        assert torch.isfinite(slopes).all(), (policy, reference)
        # Nothing makes a response likelier that cannot be said at all.
        assert all(slope == 0 for slope, ours in zip(slopes.tolist(), policy, strict=True) if ours == NOTHING)
        tried += 1
    assert tried == 4**size


@DTYPES
@pytest.mark.parametrize("name", [name for name in OBJECTIVES if not name.startswith(("bmc", "apo"))])
def test_the_value_is_that_of_a_log_probability_far_below_all_others(name, dtype):
    size, loss = len(SIGNS[name]), OBJECTIVES[name].loss
    for place in range(size):
        infinite, far = [-3.0] * size, [-3.0] * size
        infinite[place], far[place] = NOTHING, -1e7
        values = [loss(in_dtype(example(policy, [-3.0] * size), dtype)) for policy in (infinite, far)]
        torch.testing.assert_close(*values)


@DTYPES
def test_a_response_that_neither_model_can_say_has_no_log_ratio(dtype):
    logps = in_dtype(example([NOTHING, -3.0], [NOTHING, -5.0]), dtype)
    assert logps.logratios.tolist() == [[0.0, 2.0]]
