"""The examples of one optimizer batch, as micro-batches of similar length."""

from collections.abc import Sequence
from typing import Any

import torch

from real_cli.models.score.contexts import is_scored, num_scored
from real_cli.models.score.sequences import (
    Group,
    group_batches,
    group_by_prompt,
    lay_out,
    member_responses,
    split_group,
)
from real_cli.models.score.tokens import TokenizedExample
from real_cli.records.choices import TokenLayout
from real_cli.text.token_diff import code_differing_tokens, differing_tokens


class BatchSource:
    """The rows that a batch was made of, and the budget of its passes; no library looks inside."""

    def __init__(self, rows: list[dict[str, Any]], batch_tokens: int) -> None:
        self.rows = rows
        self.batch_tokens = batch_tokens


class Collator:
    """Turn the examples of one optimizer batch into the forward passes that it takes.

    Which examples make a batch is decided elsewhere and is the same in every layout; here they are only grouped by
    prompt and sorted by length, so that a pass stays within the token budget. `columns` names the numbers of examples
    that go with them; `function_tokens` are those that never count as differing, None if nobody asks which do; with
    `by_code` they are found as BMC's code finds them.
    """

    def __init__(
        self,
        layout: TokenLayout,
        batch_tokens: int,
        pad_token_id: int,
        columns: Sequence[str] = (),
        function_tokens: frozenset[int] | None = None,
        *,
        by_code: bool = False,
    ) -> None:
        self._layout = layout
        self.batch_tokens = batch_tokens
        self._pad_token_id = pad_token_id
        self._columns = columns
        self._function_tokens = function_tokens
        self._by_code = by_code

    def __call__(self, rows: list[dict[str, Any]]) -> dict[str, Any]:
        """Make one batch.

        Args:
            rows: Token ids, marks and reference log-probabilities of its examples; none where other processes have
                all examples of a batch.

        Returns:
            `ref_logps`, `lengths`, `present` and `marks`, shape (examples, responses), filled up with 0; `rows` and
            `columns` (by name), shape (examples,); where tokens are asked for `ref_token_logps` and `differs`, lists
            of tensors for each example and response; and `passes`, each with the tensors of `lay_out` in `batch`,
            `examples` (which it holds), and `responses` (which of its responses these have, filled up with 0); and
            `source`, from which smaller passes can be made.
        """
        examples = [TokenizedExample(row["prompt_ids"], row["response_ids"]) for row in rows]
        passes = self.passes(examples)
        lengths = [[num_scored(ids) for ids in example.responses] for example in examples]
        width = max(map(len, lengths), default=1)
        batch: dict[str, Any] = {
            "ref_logps": _filled([row.get("ref_logps") or [0.0] * len(row["response_ids"]) for row in rows], width),
            "lengths": _filled(lengths, width),
            "present": _filled([[1.0] * len(responses) for responses in lengths], width).bool(),
            "marks": _filled([row["marks"] for row in rows], width),
            "rows": torch.tensor([row.get("row", 0) for row in rows]),
            "columns": {name: torch.tensor([row[name] for row in rows]).float() for name in self._columns},
            "passes": [self._one_pass(groups, width) for groups in passes],
        }
        batch["source"] = BatchSource(rows, self.batch_tokens)
        if self._function_tokens is not None:
            batch["ref_token_logps"] = [[torch.tensor(logps) for logps in row["ref_token_logps"]] for row in rows]
            batch["differs"] = [
                [
                    torch.tensor([mark for mark, value in zip(marks, ids, strict=True) if is_scored(value)])
                    for marks, ids in zip(self._marks(example, self._function_tokens), example.responses, strict=True)
                ]
                for example in examples
            ]
        return batch

    def empty_pass(self) -> dict[str, Any]:
        """Make a pass without examples: a process that has run its passes goes along with those that have not."""
        filler = (self._pad_token_id,)
        return self._one_pass([Group(filler, [filler, filler], [])], 1)

    def passes(self, examples: list[TokenizedExample]) -> list[list[Group]]:
        """Group the examples of one batch by prompt, and the groups by length, into passes, the longest first."""
        if not examples:
            return []
        groups = [
            part for group in group_by_prompt(examples) for part in split_group(group, self._layout, self.batch_tokens)
        ]
        batches = group_batches(groups, self._layout, self.batch_tokens)
        return [[groups[index] for index in indices] for indices in batches]

    def _marks(self, example: TokenizedExample, ignored: frozenset[int]) -> list[list[bool]]:
        if self._by_code:
            return code_differing_tokens(example.prompt, example.responses, ignored, pad=self._pad_token_id)
        return differing_tokens(example.responses, ignored)

    def _one_pass(self, groups: list[Group], width: int) -> dict[str, Any]:
        examples, responses = member_responses(groups)
        return {
            "batch": lay_out(groups, self._layout, self._pad_token_id),
            "examples": torch.tensor(examples, dtype=torch.long),
            "responses": _filled([list(columns) for columns in responses], width).long(),
        }


def _filled(rows: list[list[float]] | list[list[int]], width: int) -> torch.Tensor:
    filled = [[*row, *[0] * (width - len(row))] for row in rows]
    return torch.tensor(filled, dtype=torch.float32).reshape(len(rows), width)
