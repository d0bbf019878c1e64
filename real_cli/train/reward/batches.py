"""The pairs of one optimizer batch, as passes of sequences of similar length."""

from collections.abc import Sequence
from typing import Any

import torch

from real_cli.models.score.batching import token_batches
from real_cli.train.batches.collate import BatchSource
from real_cli.train.reward.bootstrap import bootstrap_draws
from real_cli.train.reward.examples import margin_of
from real_cli.train.reward.settings import RewardSettings
from real_cli.train.shared.settings import WEIGHT
from real_cli.train.tokenized import PROMPT


class RewardCollator:
    """Turn the pairs of one optimizer batch into the forward passes that it takes; both sides of a pair share one."""

    def __init__(self, batch_tokens: int, pad_token_id: int, settings: RewardSettings) -> None:
        self.batch_tokens = batch_tokens
        self._pad_token_id = pad_token_id
        self._settings = settings

    def __call__(self, rows: list[dict[str, Any]]) -> dict[str, Any]:
        """Make one batch.

        Args:
            rows: Of `trainable_rows`; none where other processes have all pairs of a batch.

        Returns:
            `lengths`, shape (pairs, 2); `weights`, shape (pairs,); `margins`, shape (pairs,), or None; `draws`, how
            often each head sees each pair, shape (pairs, heads); `passes`, each with `batch` (what the model reads: all
            chosen sequences, then all rejected ones) and `examples` (which pairs these are); and `source`, from which
            smaller passes can be made.
        """
        settings = self._settings
        lengths = [[len(ids) for ids in row["response_ids"][:2]] for row in rows]
        longest = [max(pair) for pair in lengths]
        groups = token_batches(longest, self.batch_tokens, rows=[2] * len(rows))
        margins = None
        if settings.margin is not None:
            margins = torch.tensor([margin_of({name: row[name] for name in settings.margin_columns}) for row in rows])
        draws = [bootstrap_draws(row[PROMPT], settings.ensemble, settings.seed).tolist() for row in rows]
        return {
            "lengths": torch.tensor(lengths, dtype=torch.float32).reshape(len(rows), 2),
            "weights": torch.tensor([row.get(WEIGHT, 1.0) for row in rows], dtype=torch.float32),
            "margins": None if margins is None else margins.float(),
            "draws": torch.tensor(draws, dtype=torch.float32).reshape(len(rows), settings.ensemble),
            "passes": [self._one_pass([rows[place]["response_ids"] for place in group], group) for group in groups],
            "source": BatchSource(rows, self.batch_tokens),
        }

    def empty_pass(self) -> dict[str, Any]:
        """Make a pass without pairs: a process that has run its passes goes along with those that have not."""
        return self._one_pass([[[self._pad_token_id]] * 2], [])

    def _one_pass(self, pairs: Sequence[list[list[int]]], places: Sequence[int]) -> dict[str, Any]:
        ids = [pair[side] for side in range(2) for pair in pairs]
        width = max(map(len, ids))
        batch = {
            "input_ids": _padded(ids, width, self._pad_token_id),
            "attention_mask": _padded([[1] * len(row) for row in ids], width, 0),
        }
        if len(pairs[0]) > 2:
            types = [pair[2 + side] for side in range(2) for pair in pairs]
            batch["token_type_ids"] = _padded(types, width, 0)
        return {"batch": batch, "examples": torch.tensor(places, dtype=torch.long)}


def _padded(rows: Sequence[list[int]], width: int, filler: int) -> torch.Tensor:
    return torch.tensor([[*row, *[filler] * (width - len(row))] for row in rows], dtype=torch.long)
