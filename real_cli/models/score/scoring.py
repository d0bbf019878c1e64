"""Log-probabilities of responses under one model, in batches by tokens."""

from collections.abc import Callable, Iterator, Sequence
from typing import TypeAlias

import numpy as np
import torch
from numpy.typing import NDArray

from real_cli.models.load.policies import Policy, computing
from real_cli.models.score.batching import TokenBudget
from real_cli.models.score.sequences import Group, Ids, group_batches, lay_out
from real_cli.models.score.tokens import TokenizedExample
from real_cli.records.choices import TokenLayout

# A response and the prompt before it, as token ids.
Answer: TypeAlias = tuple[Ids, Ids]
# Log-probabilities of the responses of one example, in nats: summed, and token by token.
Scores: TypeAlias = list[float]
TokenScores: TypeAlias = list[NDArray[np.float32]]


class Scorer:
    """Score examples under one policy; a (prompt, response) that occurs twice in a window is computed once."""

    def __init__(self, policy: Policy, batch_tokens: int, tell: Callable[[str], None] = lambda message: None) -> None:
        self._policy = policy
        self._budget = TokenBudget(batch_tokens, tell)

    def __call__(self, examples: Sequence[TokenizedExample]) -> list[Scores]:
        """Score a window of examples."""
        return [[float(tokens.sum(dtype=np.float64)) for tokens in responses] for responses in self.tokens(examples)]

    def tokens(self, examples: Sequence[TokenizedExample]) -> list[TokenScores]:
        """Score a window of examples, token by token."""
        answers = [(tuple(example.prompt), tuple(ids)) for example in examples for ids in example.responses]
        distinct = list(dict.fromkeys(answers))
        logps = self._budget.run(
            [len(prompt) + len(response) for prompt, response in distinct],
            lambda batch: self._score([distinct[index] for index in batch]),
            lambda indices, budget: answer_batches(distinct, indices, self._policy.layout, budget),
        )
        known = dict(zip(distinct, logps, strict=True))
        answered = iter(answers)
        return [[known[next(answered)] for _ in example.responses] for example in examples]

    def _score(self, answers: list[Answer]) -> list[NDArray[np.float32]]:
        """Score one batch; answers to one prompt stand together in it."""
        groups: list[Group] = []
        for prompt, response in answers:
            if not groups or groups[-1].prompt != prompt:
                groups.append(Group(prompt, [], []))
            groups[-1].responses.append(response)
        with computing(self._policy):
            return group_token_logps(self._policy, groups, self._policy.layout)


def group_token_logps(policy: Policy, groups: Sequence[Group], layout: TokenLayout) -> list[NDArray[np.float32]]:
    """Run a policy once on some prompts and their responses."""
    device = policy.place.device
    batch = lay_out(groups, layout, policy.tokenizer.pad_token_id)
    ends = batch["owners"].bincount(minlength=batch["num_responses"]).cumsum(0)[:-1]
    with torch.inference_mode():
        scores = policy.model(
            **{name: value.to(device) if torch.is_tensor(value) else value for name, value in batch.items()}
        )
    return np.split(scores.token_logps.float().cpu().numpy(), ends.numpy())


def group_logps(policy: Policy, groups: Sequence[Group], layout: TokenLayout) -> list[float]:
    """Run a policy once on some prompts and their responses."""
    return [float(tokens.sum(dtype=np.float64)) for tokens in group_token_logps(policy, groups, layout)]


def answer_batches(
    answers: Sequence[Answer], indices: Sequence[int], layout: TokenLayout, budget: int
) -> Iterator[list[int]]:
    """Make batches of answers; in the shared layout as many of a prompt's as fit stand together.

    Answers to one prompt need not be neighbors; one beyond the budget is a batch of its own.
    """
    by_prompt: dict[Ids, list[int]] = {}
    for index in indices:
        by_prompt.setdefault(answers[index][0], []).append(index)
    rows: list[list[int]] = []
    for prompt, members in by_prompt.items():
        room = 0
        for index in members:
            room -= len(answers[index][1])
            if room < 0 or layout is TokenLayout.plain:
                rows.append([])
                room = budget - len(prompt) - len(answers[index][1])
            rows[-1].append(index)
    groups = [Group(answers[row[0]][0], [answers[index][1] for index in row], []) for row in rows]
    for batch in group_batches(groups, layout, budget) if groups else ():
        yield [index for place in batch for index in rows[place]]
