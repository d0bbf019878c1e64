"""UltraFeedback: completions of several models, rated by aspects."""

import math

from real_cli.errors import RecordError, clip
from real_cli.records.public.layout import CANDIDATES, Layout
from real_cli.records.public.layout_readers import prompt_of, rest
from real_cli.records.record import Record

ASPECTS = ("instruction_following", "honesty", "truthfulness", "helpfulness")


def rate_completions(record: Record) -> Record:
    """Score each completion by the mean of its rated aspects.

    The overall score stays beside it: about 2,600 of the published ones say 10 where the judge meant 1.
    """
    responses: list[Record] = []
    rated: list[float | None] = []
    for number, completion in enumerate(record["completions"], 1):
        if not isinstance(completion, dict) or "response" not in completion:
            raise RecordError(f"completion {number} has no 'response': {clip(completion)}")
        annotations = completion.get("annotations") or {}
        if not isinstance(annotations, dict):
            raise RecordError(f"completion {number}: its 'annotations' are {clip(annotations)}; an object is needed")
        ratings = [rating for aspect in ASPECTS if (rating := _rating(annotations.get(aspect))) is not None]
        rated.append(sum(ratings) / len(ratings) if ratings else completion.get("fine-grained_score"))
        responses.append(completion)
    if all(score is None for score in rated):
        rated = [completion.get("overall_score") for completion in responses]  # of 10, and aspects are of 5
    responses = [
        {"text": completion["response"]}
        | ({} if score is None else {"score": score})
        | {name: value for name, value in completion.items() if name != "response"}
        for completion, score in zip(responses, rated, strict=True)
    ]
    prompt, uses = prompt_of(record)
    return rest(record, [*uses, "completions"], prompt=prompt, responses=responses)


def _rating(aspect: object) -> float | None:
    """Read an aspect's rating, a number or a numeral; N/A is none."""
    rating = aspect.get("Rating") if isinstance(aspect, dict) else None
    try:
        number = math.nan if rating is None else float(rating)
    except (TypeError, ValueError):
        return None
    return number if math.isfinite(number) else None


ROWS = (
    Layout(
        "UltraFeedback",
        "`instruction`, `completions`: [{`response`, `annotations`}]; score = mean of the rated aspects",
        CANDIDATES,
        lambda r: "instruction" in r and isinstance(r.get("completions"), list),
        rate_completions,
        ("instruction", "completions"),
    ),
)
