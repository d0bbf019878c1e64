"""From records to the sequences that a reward model is trained on, read as `real relabel reward` reads them."""

from collections.abc import Callable, Iterable
from dataclasses import dataclass
from pathlib import Path

from real_cli.errors import RecordError
from real_cli.io.job import Located
from real_cli.models.reward.reward_texts import RewardReader
from real_cli.models.score.token_counts import LeftOut, say_is_cut
from real_cli.models.score.tokens import TokenizedExample
from real_cli.records.cut_marks import has_cut_response
from real_cli.records.response_fields import responses_of
from real_cli.text.phrases import say_count
from real_cli.train.examples import Example, ExampleReader
from real_cli.train.prepare import check_any, weigh
from real_cli.train.reward.bootstrap import prompt_number
from real_cli.train.reward.settings import MARGIN, SCORE_FIELDS, RewardSettings
from real_cli.train.tokenized import ExampleSet, tokenize_to_disk


@dataclass
class RewardCounts:
    """What reading pairs for a reward model changed.

    Attributes:
        num_pairs: Pairs seen.
        num_truncated: Pairs of which a sequence lost its beginning to the length limit.
        num_responses_cut: Sequences that lost the beginning of the response too.
        num_flattened: Pairs of conversations that were read without their roles.
        num_same_tokens: Pairs whose responses became the same tokens; they teach nothing.
        num_is_cut: Pairs that are read, of which a response is marked as cut when it was sampled.
        num_negative_margins: Pairs whose margin is below 0: the loss asks less of them than of a tie.
    """

    num_pairs: int = 0
    num_truncated: int = 0
    num_responses_cut: int = 0
    num_flattened: int = 0
    num_same_tokens: int = 0
    num_is_cut: int = 0
    num_negative_margins: int = 0

    def sentence(self, limit: int) -> str:
        """Tell what was changed in one line, empty if nothing was."""
        parts = []
        if self.num_truncated:
            cut = f"{say_count(self.num_truncated, 'pair')} cut to {limit:,} tokens, at the prompt's beginning"
            parts.append(cut + (f", {self.num_responses_cut:,} at a response's too" if self.num_responses_cut else ""))
        if self.num_flattened:
            parts.append(f"conversations of {say_count(self.num_flattened, 'pair')} read without their roles")
        if self.num_same_tokens:
            parts.append(f"{self.num_same_tokens:,} left out: chosen and rejected are the same tokens")
        if self.num_is_cut:
            parts.append(say_is_cut(self.num_is_cut))
        if self.num_negative_margins:
            parts.append(f"{say_count(self.num_negative_margins, 'pair')} with a margin below 0, which asks little")
        return "; ".join(parts)


def margin_of(columns: dict[str, float]) -> float:
    """Work out by how much chosen is to win.

    >>> margin_of({"score_chosen": 4.0, "score_rejected": 1.5}), margin_of({"margin": 0.5})
    (2.5, 0.5)
    """
    chosen, rejected = SCORE_FIELDS
    return columns[MARGIN] if MARGIN in columns else columns[chosen] - columns[rejected]


class PairReader:
    """Turn a pair into two sequences and what else is trained on; counts what was changed."""

    def __init__(self, read: ExampleReader, reader: RewardReader, *, has_margin: bool) -> None:
        self.counts = RewardCounts()
        self.prompts: list[int] = []
        self._read = read
        self._reader = reader
        self._has_margin = has_margin

    def __call__(self, line: Located) -> tuple[Example, TokenizedExample] | LeftOut:
        """Read a pair: the ids of its sequences, chosen first, then their types where the tokenizer makes any."""
        counts, reader = self.counts, self._reader
        example = self._read(line.record)
        counts.num_pairs += 1
        before = reader.num_cut
        texts = [response["text"] for response in responses_of(line.record)]
        sequences = reader(line.record, [(text,) for text in texts])
        counts.num_truncated += reader.num_cut > before
        counts.num_responses_cut, counts.num_flattened = reader.num_responses_cut, reader.num_flattened
        if sequences[0] == sequences[1]:
            counts.num_same_tokens += 1
            return LeftOut.same_tokens
        counts.num_is_cut += has_cut_response(line.record, with_reference=False)
        counts.num_negative_margins += self._has_margin and margin_of(example.columns) < 0
        self.prompts.append(prompt_number(line.record["prompt"]))
        parts = [list(sequence.ids) for sequence in sequences]
        parts += [list(sequence.types) for sequence in sequences if sequence.types]
        return example, TokenizedExample([], parts)


def prepare_rewards(
    lines: Iterable[Located],
    read: PairReader,
    columns: list[str],
    arrow: Path,
    settings: RewardSettings,
    *,
    refuse: Callable[[Located, str], None],
    leave_out: Callable[[Located, LeftOut], None],
    what: str,
    limit: int,
) -> ExampleSet:
    """Tokenize and weigh the pairs of a run; those of a prompt share a number, which stands in `prompts`."""

    def tokenized(line: Located) -> tuple[Example, TokenizedExample] | None:
        try:
            pair = read(line)
        except RecordError as error:
            refuse(line, str(error))
            return None
        if isinstance(pair, LeftOut):
            leave_out(line, pair)
            return None
        return pair

    examples = tokenize_to_disk(lines, tokenized, arrow, columns, use_given=False)
    check_any(examples, what, read.counts.sentence(limit))
    weigh(examples, settings)
    return examples._replace(prompts=read.prompts)
