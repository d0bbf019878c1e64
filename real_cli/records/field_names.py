"""Data sets' names for a response's score and model, and `--score`, which picks one of several ratings."""

from typing import Any

from real_cli.errors import RecordError, clip, suggest
from real_cli.records.messages import is_number
from real_cli.records.number_columns import parse_number
from real_cli.records.record import Record, labeled_fields
from real_cli.records.response_fields import ROLES

SCORE, OTHER_SCORE = "score", "score_field"
# Taken for the score where a pair has only one of them.
RATINGS = ("rating", "reward")
# Data sets may write the role in front: chosen_score, chosen-model.
KNOWN = (SCORE, *RATINGS, "model")
SCORE_NAMES = tuple(f"{SCORE}_{role}" for role in ROLES)
# Most records have none of them.
OTHER_NAMES = frozenset(
    [f"chosen{mark}{field}" for field in KNOWN for mark in "_-"] + [f"{field}_chosen" for field in RATINGS]
)


def with_known_names(record: Record) -> Record:
    """Rename the score and model fields of a pair to this toolkit's names.

    Args:
        record: A preference record.

    Returns:
        A record with `score_chosen` and `score_rejected`, `model_chosen` and `model_rejected` in place of chosen_score,
        chosen-rating, chosen_model and their like. Of several ratings none is taken for the score; a field whose new
        name is there already keeps its name.

    Raises:
        RecordError: If a score is neither a number nor null.

    Example:
        >>> with_known_names({"prompt": "q", "chosen": "a", "rejected": "b", "chosen-rating": 5, "rejected-rating": 2})
        {'prompt': 'q', 'chosen': 'a', 'rejected': 'b', 'score_chosen': 5, 'score_rejected': 2}
    """
    new = {} if OTHER_NAMES.isdisjoint(record) else _new_names(record)
    old = {renamed: name for name, renamed in new.items()}
    renamed = {new.get(name, name): value for name, value in record.items()} if new else record
    for name in SCORE_NAMES:
        value = renamed.get(name)
        if value is not None and not is_number(value):
            raise RecordError(f"field {old.get(name, name)!r} is {clip(value)}; a number is needed")
    return renamed


def _new_names(record: Record) -> dict[str, str]:
    """Choose the fields to rename, and their names."""
    new: dict[str, str] = {}
    present = set(record)
    for field in KNOWN:
        names = [[f"{role}{mark}{field}" for role in ROLES] for mark in "_-"]
        for pair in names:
            if present.issuperset(pair) and not present.intersection(_names(field)):
                new |= dict(zip(pair, _names(field), strict=True))
                present |= set(_names(field))
    ratings = [field for field in RATINGS if present.issuperset(_names(field))]
    if len(ratings) == 1 and not present.intersection(_names(SCORE)):
        old = {renamed: name for name, renamed in new.items()}
        for name, score in zip(_names(ratings[0]), _names(SCORE), strict=True):
            if is_number(record[old.get(name, name)]):
                new[old.get(name, name)] = score
    return new


def _names(field: str) -> list[str]:
    return [f"{field}_{role}" for role in ROLES]


def is_score_already(given: Record, adapted: Record, field: str) -> bool:
    """Tell whether a layout took the rating that --score names for the score, so that its own name is gone.

    Args:
        given: The record before it was adapted.
        adapted: The same as a candidates or preference record.
        field: The rating's name, as of `with_score`.

    Returns:
        Whether the rating's values are the scores, and no field has its name any more.

    Example:
        >>> given = {"prompt": "q", "chosen": "a", "rejected": "b", "rating_chosen": 5, "rating_rejected": 2}
        >>> is_score_already(given, with_known_names(given), "rating")
        True
    """
    if "responses" in adapted:
        values, responses = given.get(field), adapted["responses"]
        if field in adapted or any(field in response for response in responses):
            return False
        scores = [response.get(SCORE) for response in responses]
        return None not in scores and _as_numbers(values) == scores
    spellings = [_names(field), *([f"{role}{mark}{field}" for role in ROLES] for mark in "_-")]
    if not adapted.keys().isdisjoint(_names(field)):
        return False
    scores = [adapted.get(name) for name in SCORE_NAMES]
    return None not in scores and any([given.get(name) for name in names] == scores for names in spellings)


def _as_numbers(values: Any) -> list[Any]:
    listed = values if isinstance(values, list) else [values]
    return [parse_number(value) if isinstance(value, str) else value for value in listed]


def with_score(record: Record, field: str) -> Record:
    """Take one of several ratings for the score.

    Args:
        record: A candidates or preference record; of one response a row, before rows are joined.
        field: The rating of a response, FIELD_chosen and FIELD_rejected of a pair, or a list on the record; one within
            another as annotations.honesty.Rating. A numeral is a number.

    Returns:
        The record with that score on each response. Another score that was there is called `score_field`.

    Raises:
        RecordError: If the rating is missing or no number.

    Example:
        >>> with_score({"prompt": "q", "responses": [{"text": "a", "score": 3, "honesty": 5}]}, "honesty")
        {'prompt': 'q', 'responses': [{'text': 'a', 'score': 5, 'honesty': 5, 'score_field': 3}]}
    """
    if field == SCORE:
        return record
    if "responses" not in record:
        names = labeled_fields(record).get(field, _names(field))
        for name, score, other in zip(names, _names(SCORE), _names(OTHER_SCORE), strict=True):
            record = _scored(record, _lookup(record, name), (score, other), f"field {name!r}", name)
        return record
    responses, values = record["responses"], _lookup(record, field)
    if len(responses) == 1 and not isinstance(values, list):
        values = [values]  # one response a row: its columns stand beside it
    beside = values if isinstance(values, list) and len(values) == len(responses) else [None] * len(responses)
    scored = []
    for number, (response, value) in enumerate(zip(responses, beside, strict=True), 1):
        given = _lookup(response, field)
        shown = f"response {number}: {field!r}"
        scored.append(_scored(response, value if given is None else given, (SCORE, OTHER_SCORE), shown, field))
    return record | {"responses": scored}


def _lookup(holder: Any, field: str) -> Any:
    """Find a field, or one within another: annotations.honesty.Rating."""
    if isinstance(holder, dict) and field not in holder and "." in field:
        start, _, rest = field.partition(".")
        return _lookup(holder.get(start), rest)
    return holder.get(field) if isinstance(holder, dict) else None


def _scored(holder: Record, value: Any, names: tuple[str, str], shown: str, field: str) -> Record:
    score, other = names
    number = parse_number(value) if isinstance(value, str) else value
    if not is_number(number):
        needed = "--score needs a number there"
        if value is not None:
            raise RecordError(f"{shown} is {clip(value)}; {needed}")
        raise RecordError(f"{shown} is missing; {suggest_field(field, holder, needed)}")
    before = holder.get(score)
    return holder | {score: number} | ({other: before} if before is not None and before != number else {})


def suggest_field(name: str, holder: Record, otherwise: str) -> str:
    """Ask whether the nearest field was meant; what the fields of a pair end with makes none of them near.

    Args:
        name: The field that is missing.
        holder: The record, or response, without it.
        otherwise: What to say where no field is near.

    Returns:
        The end of a message.

    Example:
        >>> suggest_field("gold_chosen", {"score_chosen": 1}, "name it with --gold")
        'name it with --gold'
        >>> suggest_field("scroe_chosen", {"score_chosen": 1}, "name it with --gold")
        'did you mean score?'
    """
    end = next((end for end in ("_chosen", "_rejected") if name.endswith(end)), "")
    known = (each.removesuffix(end) for each in holder if each.endswith(end) and each != name)
    return suggest(name.removesuffix(end), known, otherwise)
