"""Log-probabilities of pairs under one model, in batches by tokens."""

from collections.abc import Callable, Sequence
from typing import Any, NamedTuple

import torch
from torch.nn.utils.rnn import pad_sequence

from real_cli.models.batching import Budget
from real_cli.models.policies import Policy, computing
from real_cli.models.tokens import TokenizedPair


class PairScore(NamedTuple):
    """Summed log-probabilities of a pair's responses, in nats."""

    chosen: float
    rejected: float


class Scorer:
    """Score pairs under one policy; a (prompt, response) that occurs twice in a window is computed once."""

    def __init__(self, policy: Policy, batch_tokens: int, told: Callable[[str], None] = lambda message: None) -> None:
        self._policy = policy
        self._budget = Budget(batch_tokens, told)

    def __call__(self, pairs: Sequence[TokenizedPair]) -> list[PairScore]:
        """Score a window of pairs.

        Args:
            pairs: Token ids.

        Returns:
            A score for each pair, in order.
        """
        keys = [(tuple(pair.prompt), tuple(ids)) for pair in pairs for ids in (pair.chosen, pair.rejected)]
        distinct = list(dict.fromkeys(keys))
        lengths = [len(prompt) + len(response) for prompt, response in distinct]
        scores = self._budget.run(lengths, lambda batch: self._score([distinct[index] for index in batch]))
        by_key = dict(zip(distinct, scores, strict=True))
        values = [by_key[key] for key in keys]
        return [PairScore(*values[index : index + 2]) for index in range(0, len(values), 2)]

    def _score(self, sequences: list[tuple[tuple[int, ...], tuple[int, ...]]]) -> list[float]:
        device = self._policy.place.device
        batch = pad_batch(sequences, self._policy.tokenizer.pad_token_id)
        with torch.inference_mode(), computing(self._policy):
            logps = self._policy.model(**{name: tensor.to(device) for name, tensor in batch.items()})
        return [float(value) for value in logps.cpu()]


def pad_batch(sequences: Sequence[tuple[Sequence[int], Sequence[int]]], pad_token_id: int) -> dict[str, Any]:
    """Pad sequences on the right.

    Args:
        sequences: Prompt ids and response ids.
        pad_token_id: What to pad with; attention does not reach it.

    Returns:
        `input_ids`, `attention_mask` and `completion_mask`, each of shape (batch, seq).
    """
    rows = [torch.tensor([*prompt, *response]) for prompt, response in sequences]
    seen = [torch.ones(len(row), dtype=torch.long) for row in rows]
    masks = [torch.tensor([0] * len(prompt) + [1] * len(response)) for prompt, response in sequences]
    return {
        "input_ids": pad_sequence(rows, batch_first=True, padding_value=pad_token_id),
        "attention_mask": pad_sequence(seen, batch_first=True),
        "completion_mask": pad_sequence(masks, batch_first=True),
    }
