"""Tokenized pairs on disk, as TRL reads them: an Arrow file, memory-mapped."""

from collections.abc import Callable, Iterable, Iterator
from pathlib import Path
from typing import Any, NamedTuple

from real_cli.core.records import Record
from real_cli.core.texts import is_number
from real_cli.models.scoring import PairScore, Scorer
from real_cli.models.tokens import TokenizedPair

WINDOW_PAIRS = 512
REFERENCE_FIELDS = ("ref_chosen_logps", "ref_rejected_logps")


class PairSet(NamedTuple):
    """Pairs that can be trained on.

    Attributes:
        rows: Token ids of each usable pair (a `datasets.Dataset` with prompt_ids, chosen_ids, rejected_ids).
        kept: For each input record, whether it is in `rows`.
        scores: Reference log-probabilities of each pair in `rows`; None where they are still to be computed.
        prompts: A hash of each prompt in `rows`.
    """

    rows: Any
    kept: list[bool]
    scores: list[PairScore | None]
    prompts: list[int]


def tokenize_to_disk(
    records: Iterable[Record],
    tokenize: Callable[[Record], TokenizedPair | None],
    path: Path,
    *,
    use_given: bool = True,
) -> PairSet:
    """Tokenize pairs into an Arrow file.

    Args:
        records: Preference records.
        tokenize: Turns one into token ids, or None.
        path: The file to write.
        use_given: Take the reference log-probabilities that records carry.

    Returns:
        The pairs; where a record carries no reference log-probabilities, or they are not used, its score is None.
    """
    from datasets import Dataset, Features, List, Value
    from datasets.arrow_writer import ArrowWriter

    features = Features({f"{field}_ids": List(Value("int32")) for field in TokenizedPair._fields})
    kept: list[bool] = []
    scores: list[PairScore | None] = []
    prompts: list[int] = []
    with ArrowWriter(path=str(path), features=features) as writer:
        for record in records:
            pair = tokenize(record)
            kept.append(pair is not None)
            if pair is not None:
                writer.write({f"{field}_ids": ids for field, ids in pair._asdict().items()})
                scores.append(given_score(record) if use_given else None)
                prompts.append(hash(tuple(pair.prompt)))
        if not any(kept):
            return PairSet(None, kept, scores, prompts)
        writer.finalize()
    return PairSet(Dataset.from_file(str(path)), kept, scores, prompts)


def given_score(record: Record) -> PairScore | None:
    """Read the reference log-probabilities that a record carries.

    Args:
        record: A preference record.

    Returns:
        Both, or None if one is missing.
    """
    chosen, rejected = (record.get(field) for field in REFERENCE_FIELDS)
    return PairScore(chosen, rejected) if is_number(chosen) and is_number(rejected) else None  # type: ignore[arg-type]


def add_reference(record: Record, score: PairScore) -> Record:
    """Put reference log-probabilities on a record, in TRL's names.

    Args:
        record: A preference record.
        score: Of its responses under the reference.

    Returns:
        The record with both fields.
    """
    return record | dict(zip(REFERENCE_FIELDS, score, strict=True))


def fill_scores(pairs: PairSet, scorer: Scorer) -> Iterator[int]:
    """Compute the reference log-probabilities that the records did not carry, once for each (prompt, response).

    Args:
        pairs: Its `scores` are filled in.
        scorer: Scores under the reference.

    Yields:
        How many pairs each window held, for a progress bar.
    """
    for window in _windows(pairs):
        rows = [pairs.rows[index] for index in window]
        tokenized = [TokenizedPair(*(row[f"{field}_ids"] for field in TokenizedPair._fields)) for row in rows]
        for index, score in zip(window, scorer(tokenized), strict=True):
            pairs.scores[index] = score
        yield len(window)


def _windows(pairs: PairSet) -> Iterator[list[int]]:
    """Group the pairs to score, all pairs of a prompt in one window wherever they stand: the scorer runs it once."""
    together: dict[int, list[int]] = {}
    for index, score in enumerate(pairs.scores):
        if score is None:
            together.setdefault(pairs.prompts[index], []).append(index)
    window: list[int] = []
    for indices in together.values():
        window += indices
        if len(window) >= WINDOW_PAIRS:
            yield window
            window = []
    if window:
        yield window


def with_scores(pairs: PairSet) -> Any:
    """Put the reference log-probabilities beside the token ids.

    Args:
        pairs: All scores known.

    Returns:
        A `datasets.Dataset` with ref_chosen_logps and ref_rejected_logps.
    """
    scores = [score for score in pairs.scores if score is not None]
    rows = pairs.rows
    for field, values in zip(REFERENCE_FIELDS, zip(*scores, strict=True), strict=True):
        rows = rows.add_column(field, list(values))
    return rows
