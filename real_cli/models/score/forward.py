"""Log-probabilities of responses: the backbone once, the head on the positions that predict a response token.

`attach_scorer` gives a model a second call, `model(**batch)` with a batch of `real_cli.models.score.sequences`, which
returns log-probabilities instead of logits. It is the model's own forward, so a wrapper (DDP, accelerate) stays in
charge.
"""

import functools
import types
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any, NamedTuple

import torch
from torch import Tensor
from torch.utils.checkpoint import checkpoint

from real_cli.models.score.masks import attention_mask
from real_cli.models.score.packing import packed_mask

# Bytes of logits in memory at a time. The C library reuses smaller blocks; larger ones it gives back, and on a CPU
# the system would zero every new one.
CPU_LOGIT_BYTES = 1 << 25
LOGIT_BYTES = 1 << 28
# The attribute that holds SPO's classifier of degrees; it is not saved at the end.
DEGREE_HEAD = "real_degree_head"


class ResponseScores(NamedTuple):
    """What a model says of the responses of a batch.

    Attributes:
        logps: Log-probability of each response in nats, shape (responses,).
        token_logps: Of each of their tokens that something predicts, in their order, shape (tokens,).
        degree_logits: What the degree head says of each response, shape (responses, levels); None without a head.
    """

    logps: Tensor
    token_logps: Tensor
    degree_logits: Tensor | None


def attach_scorer(model: Any, *, head_is_plain: bool | None = None) -> None:
    """Let a causal language model be called with a batch of `lay_out`; calling this twice changes nothing.

    The head sees only hidden states that predict a response token. Some architectures scale or cap their logits
    after the head: a probe on a few tokens finds them, and they go through their own forward, the head still on
    those states alone. A model without weights cannot be probed: then `head_is_plain` says it.
    """
    if hasattr(model, "_real_head_is_plain"):
        return
    model._real_forward = model.forward
    model._real_head_is_plain = _head_is_plain(model) if head_is_plain is None else head_is_plain

    @functools.wraps(type(model).forward)
    def forward(self: Any, *args: Any, predictors: Tensor | None = None, **batch: Any) -> Any:
        if predictors is None:
            return self._real_forward(*args, **batch)
        return _score(self, batch | {"predictors": predictors})

    model.forward = types.MethodType(forward, model)


def _score(model: Any, batch: dict[str, Any]) -> ResponseScores:
    states, logits = backbone(model, batch)
    if logits is None:
        logps = target_logps(states[batch["predictors"]], batch["targets"], model.get_output_embeddings())
    else:
        logps = target_logps(logits, batch["targets"], None)
    num_responses = batch["num_responses"]
    sums = torch.zeros(num_responses, dtype=torch.float32, device=logps.device)
    sums = sums.index_add(0, batch["owners"], logps)
    head = getattr(model, DEGREE_HEAD, None)
    if head is None:
        return ResponseScores(sums, logps, None)
    members = states[batch["places"]].to(head.weight.dtype)  # (response tokens, dim)
    totals = torch.zeros(num_responses, members.shape[1], dtype=members.dtype, device=members.device)
    counts = batch["place_owners"].bincount(minlength=num_responses).clamp(min=1)
    return ResponseScores(sums, logps, head(totals.index_add(0, batch["place_owners"], members) / counts[:, None]))


def backbone(model: Any, batch: dict[str, Any]) -> tuple[Tensor, Tensor | None]:
    """Run a model up to its head, and through it where the head is not all that follows.

    Args:
        model: Prepared by `attach_scorer`, not wrapped.
        batch: Of `lay_out`.

    Returns:
        States before the head, shape (rows * seq, dim); and logits at the predictors, shape (tokens, vocabulary), or
        None if the head alone makes them.
    """
    read = {name: batch[name] for name in ("input_ids", "position_ids", "attention_mask") if name in batch}
    if "group_lengths" in batch:
        read["attention_mask"] = packed_mask(model, batch["segments"], batch["position_ids"], batch["group_lengths"])
    elif "segments" in batch:
        read["attention_mask"] = attention_mask(model, batch["segments"], batch["position_ids"])
    if model._real_head_is_plain:
        return model.base_model(**read, use_cache=False).last_hidden_state.flatten(0, 1), None
    with _head_on(model, batch["predictors"]) as seen:
        logits = model._real_forward(**read, use_cache=False).logits[0]
    return seen[0], logits


@contextmanager
def _head_on(model: Any, places: Tensor) -> Iterator[list[Tensor]]:
    """Show the head some positions only, as one row; whatever the model does to its logits, it does to these."""
    seen: list[Tensor] = []

    def select(head: Any, inputs: tuple[Tensor]) -> tuple[Tensor]:
        seen.append(inputs[0].flatten(0, 1))
        return (seen[0][places][None],)

    handle = model.get_output_embeddings().register_forward_pre_hook(select)
    try:
        yield seen
    finally:
        handle.remove()


def target_logps(states: Tensor, targets: Tensor, head: Any) -> Tensor:
    """Work out the log-probability of one token at each position, a chunk of the vocabulary-wide logits at a time.

    Args:
        states: Hidden states, shape (tokens, dim), or logits, shape (tokens, vocabulary).
        targets: Token ids, shape (tokens,).
        head: From hidden states to logits; None if `states` are logits.

    Returns:
        Log-probabilities in nats, shape (tokens,), float32.
    """
    width = states.shape[-1] if head is None else head.weight.shape[0]
    num_bytes = CPU_LOGIT_BYTES if states.device.type == "cpu" else LOGIT_BYTES
    rows = max(1, num_bytes // (4 * width))
    pieces = []
    for chunk in zip(states.split(rows), targets.split(rows), strict=True):
        if torch.is_grad_enabled() and states.requires_grad and head is not None:
            # The backward pass recomputes the logits: a copy of them all would outweigh the model.
            pieces.append(checkpoint(_chunk_logps, *chunk, head, use_reentrant=False, preserve_rng_state=False))
        else:
            pieces.append(_chunk_logps(*chunk, head))
    return torch.cat(pieces)


def _chunk_logps(states: Tensor, targets: Tensor, head: Any) -> Tensor:
    logits = states if head is None else head(states)
    picked: Tensor = PickLogp.apply(logits.float(), targets)
    return picked


class PickLogp(torch.autograd.Function):  # type: ignore[misc]  # torch is not followed
    """Log softmax at one class of each row; its backward pass makes one matrix as wide as the vocabulary.

    Left to autograd, the gradients of gather and logsumexp would be a matrix each, and their sum a third.
    """

    @staticmethod
    def forward(ctx: Any, logits: Tensor, targets: Tensor) -> Tensor:
        """Return log softmax(logits)[row, targets[row]], shape (rows,)."""
        log_norm = logits.logsumexp(dim=-1)  # (rows,)
        ctx.save_for_backward(logits, targets, log_norm)
        return logits.gather(-1, targets[:, None])[:, 0] - log_norm

    @staticmethod
    def backward(ctx: Any, *grads: Tensor) -> tuple[Tensor, None]:
        """Return grad * (onehot - softmax), shape (rows, vocabulary)."""
        logits, targets, log_norm = ctx.saved_tensors
        grad = grads[0][:, None]  # (rows, 1)
        slope = (logits - log_norm[:, None]).exp_().mul_(-grad)
        return slope.scatter_add_(1, targets[:, None], grad), None


def _head_is_plain(model: Any) -> bool:
    """Tell whether head(backbone(x)) is all that the model does."""
    device = model.get_input_embeddings().weight.device
    ids = torch.arange(1, 5, device=device)[None] % model.get_input_embeddings().num_embeddings
    was_training = model.training
    model.eval()
    try:
        with torch.no_grad():
            whole = model(input_ids=ids, use_cache=False).logits
            parts = model.get_output_embeddings()(model.base_model(input_ids=ids, use_cache=False).last_hidden_state)
    except (AttributeError, TypeError):
        return False
    finally:
        model.train(was_training)
    return bool(whole.shape == parts.shape and torch.allclose(whole.float(), parts.float(), rtol=1e-5, atol=1e-5))
