"""Reference log-probabilities as fields of a record."""

from real_cli.models.score.scoring import Scores
from real_cli.records.messages import is_number
from real_cli.records.record import STALE_FIELDS, Record

WINDOW_EXAMPLES = 512

REFERENCE_FIELDS = STALE_FIELDS


def given_scores(record: Record) -> Scores | None:
    """Read a record's reference log-probabilities of chosen and rejected; None if one is missing."""
    values = [record.get(field) for field in REFERENCE_FIELDS]
    return [float(value) for value in values] if all(map(is_number, values)) else None  # type: ignore[arg-type]


def add_reference(record: Record, scores: Scores) -> Record:
    """Put reference log-probabilities of chosen and rejected on a record, under TRL's names."""
    return record | dict(zip(REFERENCE_FIELDS, scores, strict=False))
