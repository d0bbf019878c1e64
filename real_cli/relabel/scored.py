"""What methods that score or weigh share: checked options, scores on records, records written."""

import math
from collections.abc import Callable, Iterable, Sequence
from typing import Protocol, TypeVar, runtime_checkable

from real_cli.errors import RecordError, UsageError, clip
from real_cli.io.job import Job
from real_cli.io.sources import Item
from real_cli.records.choices import TEMPERATURE
from real_cli.records.record import LABELED_NAMES, LEFT_BEHIND, Record
from real_cli.records.response_fields import with_new_scores, with_values, without_values

Score = TypeVar("Score")


@runtime_checkable
class UnsureScore(Protocol):
    """A score of a model that says how unsure it is."""

    std: float


def write_scored(
    job: Job,
    scored: Iterable[tuple[str, Record, Score | None]],
    mark: Callable[[Record, Score], Record],
    too_long: str = "",
) -> None:
    """Write records marked with their scores; one without a score is dropped as `too_long`."""
    for place, record, score in job.counter.finished(scored):
        if score is None:
            job.drop(place, record, too_long)
            continue
        try:
            marked = mark(record, score)
        except RecordError as error:
            job.reject(Item(place, record), str(error))
        else:
            job.write(marked)


def check_temperature(temperature: float | None) -> float:
    """Check --temperature, which divides a gap in score."""
    if temperature is None:
        return TEMPERATURE
    if not 0 < temperature < math.inf:
        raise UsageError(f"--temperature {temperature:g}: must be a number above 0")
    return temperature


# Other commands use these names for numbers that are no scores.
OTHER_NUMBERS = frozenset({"raw_score", "score_std", "prob", "weight", "chosen", "rejected", "model"})


def check_field(field: str) -> str:
    """Check --field, the name under which a score is written."""
    if not field or field in LEFT_BEHIND or field in LABELED_NAMES or field in OTHER_NUMBERS:
        raise UsageError(
            f"--field {clip(field)}: is not a name for a score; give another, 'score' or 'score_armo', say"
        )
    return field


def add_scores(record: Record, scores: Sequence[float], field: str = "score") -> Record:
    """Put a model's score on each response, and how unsure it is where it says so; what another one was is dropped.

    >>> add_scores({"prompt": "q", "responses": [{"text": "a", "score_std": 2}]}, [1.5])
    {'prompt': 'q', 'responses': [{'text': 'a', 'score': 1.5}]}
    """
    for number, score in enumerate(scores, 1):
        if not math.isfinite(score):
            raise RecordError(f"response {number}: the model's score is {score}; try --dtype float32")
    values = [float(score) for score in scores]
    deviation = f"{field}_std"
    record = without_values(record, deviation)
    scored = with_new_scores(record, values) if field == "score" else with_values(record, field, values)
    deviations = [score.std for score in scores if isinstance(score, UnsureScore)]
    return with_values(scored, deviation, deviations) if deviations else scored
