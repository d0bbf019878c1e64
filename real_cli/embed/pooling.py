"""From the hidden states of a text's tokens to one vector; padding is on the right."""

from typing import Any


def mean_pool(states: Any, mask: Any) -> Any:
    """Average token states over the tokens that are not padding."""
    weights = mask.unsqueeze(-1).to(states.dtype)  # (batch, seq, 1)
    return (states * weights).sum(dim=1) / weights.sum(dim=1)


def last_pool(states: Any, mask: Any) -> Any:
    """Take the state of the last token that is not padding."""
    last = mask.sum(dim=1) - 1  # (batch,)
    return states[range(len(states)), last]


def first_pool(states: Any, mask: Any) -> Any:
    """Take the state of the first token, which BERT and its kin train to stand for the text."""
    return states[:, 0]


# Under the names in sentence-transformers' pooling configurations; --pooling offers `mean` and `last`.
POOLINGS = {"mean": mean_pool, "last": last_pool, "lasttoken": last_pool, "cls": first_pool}
