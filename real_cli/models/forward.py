"""Log-probabilities of responses: the backbone once, the head on response tokens alone.

`attach_scorer` gives a model a second way to be called, `model(..., completion_mask=mask)`, which returns summed
log-probabilities instead of logits. It is the model's own forward, so a wrapper (DDP, accelerate) stays in charge.
"""

import functools
import types
from typing import Any

import torch
from torch import Tensor
from torch.utils.checkpoint import checkpoint

# Rows of logits that are in memory at a time; with a vocabulary of 50k, 200 MB in float32.
HEAD_CHUNK = 1024


def attach_scorer(model: Any) -> None:
    """Let a causal language model be called with `completion_mask`.

    The head is applied to hidden states of response tokens only. Some architectures scale or cap their logits after the
    head: a probe on a few tokens finds them, and they go through their own forward.

    Args:
        model: A causal language model of transformers, not wrapped; calling this twice changes nothing.
    """
    if hasattr(model, "_real_head_is_plain"):
        return
    original = model.forward
    model._real_head_is_plain = _head_is_plain(model)

    @functools.wraps(type(model).forward)
    def forward(self: Any, *args: Any, completion_mask: Tensor | None = None, **kwargs: Any) -> Any:
        if completion_mask is None:
            return original(*args, **kwargs)
        if self._real_head_is_plain:
            states = self.base_model(*args, use_cache=False, **kwargs).last_hidden_state
            head = self.get_output_embeddings()
        else:
            states, head = original(*args, use_cache=False, **kwargs).logits, None
        return completion_logps(states, kwargs["input_ids"], completion_mask, head)

    model.forward = types.MethodType(forward, model)


def completion_logps(states: Tensor, input_ids: Tensor, completion_mask: Tensor, head: Any) -> Tensor:
    """Sum the log-probabilities of response tokens.

    Args:
        states: What position t says of token t + 1: hidden states, shape (batch, seq, dim), or logits.
        input_ids: Shape (batch, seq).
        completion_mask: 1 for a token of the response, shape (batch, seq).
        head: From hidden states to logits; None if `states` are logits.

    Returns:
        Sums in nats, shape (batch,), float32.
    """
    wanted = completion_mask[:, 1:].bool()
    rows = wanted.nonzero()[:, 0]  # which sequence each response token belongs to
    states, targets = states[:, :-1][wanted], input_ids[:, 1:][wanted]
    pieces = []
    for start in range(0, len(targets), HEAD_CHUNK):
        piece = states[start : start + HEAD_CHUNK], targets[start : start + HEAD_CHUNK]
        if torch.is_grad_enabled() and states.requires_grad:
            # The backward pass makes the logits again: a copy of them all would outweigh the model.
            pieces.append(checkpoint(_token_logps, *piece, head, use_reentrant=False))
        else:
            pieces.append(_token_logps(*piece, head))
    sums = torch.zeros(len(input_ids), dtype=torch.float32, device=states.device)
    return sums.index_add(0, rows, torch.cat(pieces)) if pieces else sums


def _token_logps(states: Tensor, targets: Tensor, head: Any) -> Tensor:
    logits = (states if head is None else head(states)).float()
    return logits.gather(-1, targets[:, None])[:, 0] - logits.logsumexp(dim=-1)


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
