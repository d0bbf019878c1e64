"""Log-probabilities of pairs under one model, in batches by tokens."""

from collections.abc import Callable, Iterator, Sequence
from typing import NamedTuple, TypeAlias

import torch

from real_cli.core.names import TokenLayout
from real_cli.models.batching import Budget
from real_cli.models.policies import Policy, computing
from real_cli.models.sequences import Group, Ids, group_batches, lay_out
from real_cli.models.tokens import TokenizedPair

# A response and the prompt before it, as token ids.
Answer: TypeAlias = tuple[Ids, Ids]


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
        answers = [(tuple(pair.prompt), tuple(ids)) for pair in pairs for ids in (pair.chosen, pair.rejected)]
        distinct = list(dict.fromkeys(answers))
        logps = self._budget.run(
            [len(prompt) + len(response) for prompt, response in distinct],
            lambda batch: self._score([distinct[index] for index in batch]),
            lambda indices, budget: answer_batches(distinct, indices, self._policy.layout, budget),
        )
        known = dict(zip(distinct, logps, strict=True))
        values = [known[answer] for answer in answers]
        return [PairScore(*values[index : index + 2]) for index in range(0, len(values), 2)]

    def _score(self, answers: list[Answer]) -> list[float]:
        """Score one batch; answers to one prompt stand together in it."""
        groups: list[Group] = []
        for prompt, response in answers:
            if not groups or groups[-1].prompt != prompt:
                groups.append(Group(prompt, [], []))
            groups[-1].responses.append(response)
        with computing(self._policy):
            return group_logps(self._policy, groups, self._policy.layout)


def group_logps(policy: Policy, groups: Sequence[Group], layout: TokenLayout) -> list[float]:
    """Run a policy once on some prompts and their responses.

    Args:
        policy: The model and where it runs.
        groups: Prompts with responses; one batch.
        layout: How they lie.

    Returns:
        The log-probability of each response in nats, in order.
    """
    device = policy.place.device
    batch = lay_out(groups, layout, policy.tokenizer.pad_token_id)
    with torch.inference_mode():
        logps = policy.model(
            **{name: value.to(device) if torch.is_tensor(value) else value for name, value in batch.items()}
        )
    return [float(value) for value in logps.cpu()]


def answer_batches(
    answers: Sequence[Answer], indices: Sequence[int], layout: TokenLayout, budget: int
) -> Iterator[list[int]]:
    """Make batches of answers; in the shared layout as many of a prompt's as fit stand together.

    Args:
        answers: Prompts and responses; those of one prompt need not be neighbors.
        indices: Which of them to batch.
        layout: How they will lie.
        budget: Most tokens of one batch, padding counted; a longer answer is a batch of its own.

    Yields:
        Indices of the answers of one batch.
    """
    by_prompt: dict[Ids, list[int]] = {}
    for index in indices:
        by_prompt.setdefault(answers[index][0], []).append(index)
    rows: list[list[int]] = []
    for prompt, own in by_prompt.items():
        room = 0
        for index in own:
            room -= len(answers[index][1])
            if room < 0 or layout is TokenLayout.plain:
                rows.append([])
                room = budget - len(prompt) - len(answers[index][1])
            rows[-1].append(index)
    groups = [Group(answers[row[0]][0], [answers[index][1] for index in row], []) for row in rows]
    for batch in group_batches(groups, layout, budget) if groups else ():
        yield [index for place in batch for index in rows[place]]
