"""A training run from records to a checkpoint folder, in steps that a command can report between."""

from collections.abc import Callable, Iterable
from dataclasses import dataclass
from itertools import count
from pathlib import Path
from typing import Any

from real_cli.core.names import Attention, Loss, TokenLayout
from real_cli.core.records import Record
from real_cli.errors import RealError, RecordError
from real_cli.models.device import default_batch_tokens
from real_cli.models.pairset import PairSet, add_reference, fill_scores, tokenize_to_disk
from real_cli.models.policies import Policy, load_resolved
from real_cli.models.probe import settle_layout
from real_cli.models.resolve import resolve_model
from real_cli.models.scoring import Scorer
from real_cli.models.tokens import PairTokenizer, TokenizedPair


@dataclass(frozen=True)
class TrainingSettings:
    """Everything that decides a trajectory, beside the data and the models."""

    loss: Loss = Loss.dpo
    beta: float = 0.1
    label_smoothing: float = 0.0
    learning_rate: float = 1e-6
    epochs: float = 1.0
    max_steps: int = -1
    batch_size: int = 8
    gradient_accumulation: int = 1
    max_length: int = 1024
    lora: bool = False
    lora_rank: int = 16
    seed: int = 42
    shuffle: bool = True


@dataclass
class Reference:
    """Where reference log-probabilities come from.

    Attributes:
        name: The model the user named; None is the policy as it is before training.
        layout: How its sequences are to be laid out; the policy's are settled already.
        attention: How attention is computed.
        batch_tokens: Most tokens of one forward pass; chosen by the device if None.
        max_length: Most tokens of prompt and response.
        told: Gets a line when the device runs out of memory, or the model cannot take the layout.
    """

    name: str | None
    layout: TokenLayout
    attention: Attention
    batch_tokens: int | None
    max_length: int
    told: Callable[[str], None]

    def describe(self, pair_sets: Iterable[PairSet], policy_name: str) -> str:
        """Say what the reference is.

        Args:
            pair_sets: The training pairs, and the held-out ones.
            policy_name: The policy as the user named it.

        Returns:
            A few words.
        """
        if self.name is not None:
            return self.name
        scores = [score for pairs in pair_sets for score in pairs.scores]
        num_given = len(scores) - scores.count(None)
        before = f"{policy_name} before training"
        if not num_given:
            return before
        given = f"log-probabilities that {num_given:,} of {len(scores):,} records carry"
        return given if num_given == len(scores) else f"{given}; {before} for the others"

    def fill(self, pair_sets: Iterable[PairSet], policy: Policy, done: Callable[[int], None]) -> None:
        """Compute the reference log-probabilities that records did not carry; the reference is freed afterwards.

        Args:
            pair_sets: Their scores are filled in.
            policy: The policy, before its first step.
            done: Gets the number of pairs of each window.
        """
        todo = [pairs for pairs in pair_sets if None in pairs.scores]
        if not todo:
            return
        model = policy
        if self.name is not None and resolve_model(self.name) != policy.path:
            model = load_resolved(self.name, resolve_model(self.name), policy.place, self.attention)
            model = settle_layout(model, self.name, self.layout, max_length=self.max_length, told=self.told)
        tokens = self.batch_tokens or default_batch_tokens(model.place.device, training=False)
        scorer = Scorer(model, tokens, self.told)
        for pairs in todo:
            for num_pairs in fill_scores(pairs, scorer):
                done(num_pairs)


def prepare(
    records: Iterable[Record],
    tokenize: PairTokenizer,
    arrow: Path,
    *,
    use_given: bool,
    refuse: Callable[[int, Record, str], None],
) -> PairSet:
    """Tokenize the records of a run.

    Args:
        records: Preference records.
        tokenize: Turns one into token ids; counts what it cuts.
        arrow: The file to write.
        use_given: Take the reference log-probabilities that records carry.
        refuse: Gets the number (from 1) of a record that cannot be rendered, the record and the reason; may raise.

    Returns:
        The pairs.

    Raises:
        RealError: If no pair can be used.
    """
    numbers = count(1)

    def tokenized(record: Record) -> TokenizedPair | None:
        number = next(numbers)
        try:
            return tokenize(record)
        except RecordError as error:
            refuse(number, record, str(error))
            return None

    pairs = tokenize_to_disk(records, tokenized, arrow, use_given=use_given)
    if pairs.rows is None:
        raise RealError(f"no pair to train on: {tokenize.counts.sentence(tokenize.max_length) or 'all were refused'}")
    return pairs


def with_reference_fields(records: Iterable[Record], pairs: PairSet) -> Iterable[Record]:
    """Put reference log-probabilities on the records they belong to, for `--export-logps`.

    Args:
        records: The records that were tokenized, again.
        pairs: All scores known.

    Yields:
        Every record; one that was left out has no log-probabilities.
    """
    scores = iter(pairs.scores)
    for record, kept in zip(records, pairs.kept, strict=True):
        score = next(scores) if kept else None
        yield record if score is None else add_reference(record, score)


def save_policy(trainer: Any, folder: Path) -> None:
    """Save the trained model and its tokenizer so that transformers loads them.

    Args:
        trainer: The trainer, done.
        folder: The checkpoint folder. An adapter is saved as an adapter.
    """
    model = trainer.accelerator.unwrap_model(trainer.model)
    model.save_pretrained(str(folder))
    trainer.processing_class.save_pretrained(str(folder))
