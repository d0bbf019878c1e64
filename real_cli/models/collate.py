"""The pairs of one optimizer batch, as micro-batches of similar length."""

from typing import Any

import torch

from real_cli.core.names import TokenLayout
from real_cli.models.sequences import Group, group_batches, group_by_prompt, lay_out, member_responses, split_group
from real_cli.models.tokens import TokenizedPair


class PairCollator:
    """Turn the pairs of one optimizer batch into the forward passes that it takes.

    Which pairs make a batch is decided elsewhere and is the same in every layout; here they are only grouped by prompt
    and sorted by length, so that a pass stays within the token budget.
    """

    def __init__(self, layout: TokenLayout, batch_tokens: int, pad_token_id: int) -> None:
        self._layout = layout
        self.batch_tokens = batch_tokens
        self._pad_token_id = pad_token_id

    def __call__(self, rows: list[dict[str, Any]]) -> dict[str, Any]:
        """Make one batch.

        Args:
            rows: Token ids and reference log-probabilities of its pairs.

        Returns:
            Columns of shape (pairs,): `ref_chosen_logps`, `ref_rejected_logps`, `chosen_lengths`, `rejected_lengths`;
            and `passes`, each with the tensors of `lay_out`, `pairs` (which pairs it holds), `chosen` and `rejected`
            (which of its responses these are).
        """
        pairs = [TokenizedPair(row["prompt_ids"], row["chosen_ids"], row["rejected_ids"]) for row in rows]
        groups = [
            part for group in group_by_prompt(pairs) for part in split_group(group, self._layout, self.batch_tokens)
        ]
        batches = group_batches(groups, self._layout, self.batch_tokens)
        return {
            "ref_chosen_logps": torch.tensor([row["ref_chosen_logps"] for row in rows], dtype=torch.float32),
            "ref_rejected_logps": torch.tensor([row["ref_rejected_logps"] for row in rows], dtype=torch.float32),
            "chosen_lengths": torch.tensor([len(pair.chosen) for pair in pairs]),
            "rejected_lengths": torch.tensor([len(pair.rejected) for pair in pairs]),
            "passes": [self._one_pass([groups[index] for index in batch]) for batch in batches],
        }

    def _one_pass(self, groups: list[Group]) -> dict[str, Any]:
        items, responses = member_responses(groups)
        chosen, rejected = zip(*responses, strict=True)
        return {
            "batch": lay_out(groups, self._layout, self._pad_token_id),
            "pairs": torch.tensor(items),
            "chosen": torch.tensor(chosen),
            "rejected": torch.tensor(rejected),
        }
