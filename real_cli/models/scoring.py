"""Log-probabilities of pairs under one model, in batches by tokens."""

from collections.abc import Callable, Sequence
from typing import NamedTuple

import torch

from real_cli.models.batching import Budget
from real_cli.models.policies import Policy, computing
from real_cli.models.sequences import Group, group_by_prompt, lay_out, padded_tokens, split_group
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
        groups = [
            part
            for group in group_by_prompt(pairs)
            for part in split_group(group, self._policy.layout, self._budget.num_tokens)
        ]
        scores: dict[int, PairScore] = {}
        for group, logps in zip(groups, self.score_groups(groups), strict=True):
            for item, (chosen, rejected) in group.members:
                scores[item] = PairScore(logps[chosen], logps[rejected])
        return [scores[item] for item in range(len(pairs))]

    def score_groups(self, groups: Sequence[Group]) -> list[list[float]]:
        """Score every response of some prompts.

        Args:
            groups: Prompts with any number of responses.

        Returns:
            For each group, the log-probability of each of its responses.
        """
        lengths = [padded_tokens(group, self._policy.layout) for group in groups]
        return self._budget.run(lengths, lambda batch: self._score([groups[index] for index in batch]))

    def _score(self, groups: list[Group]) -> list[list[float]]:
        device = self._policy.place.device
        batch = lay_out(groups, self._policy.layout, self._policy.tokenizer.pad_token_id)
        with torch.inference_mode(), computing(self._policy):
            logps = self._policy.model(
                **{name: value.to(device) if torch.is_tensor(value) else value for name, value in batch.items()}
            )
        return [part.tolist() for part in logps.cpu().split([len(group.responses) for group in groups])]
