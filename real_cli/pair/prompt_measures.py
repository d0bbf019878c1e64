"""What `pair --by` may sort by that is known only before the choice: measures of all responses of a prompt."""

import math
import statistics
from collections.abc import Callable, Sequence
from typing import Any

from real_cli.errors import RecordError, clip
from real_cli.pair.choices import PROMPT_MEASURES
from real_cli.records.messages import is_number
from real_cli.records.record import Record

# Exact, so that neither depends on the order of the responses.
FUNCTIONS: dict[str, Callable[[Sequence[float]], float]] = {
    "mean-score": statistics.mean,
    "score-variance": statistics.pvariance,
}


def measure_prompt(candidates: Record, by: str) -> Record:
    """Work out a measure of a prompt by the scores of all its responses, equal texts among them.

    Args:
        candidates: A record with `responses`. One that is a pair, and has the field already, was chosen from more
            responses once: what the field says then stays.
        by: A name of PROMPT_MEASURES: mean-score, or score-variance over n.

    Returns:
        The field to add, of the scores' unit or its square; empty where the record has it.

    Raises:
        RecordError: If a response has no score, the others of a prompt are gone, or the measure of very large scores
            is no number.

    Example:
        >>> measure_prompt({"responses": [{"score": 1}, {"score": 2}, {"score": 6}]}, "mean-score")
        {'mean_score': 3.0}

    References:
        Xiao et al., 2025, On the Role of Difficult Prompts in Self-Play Preference Optimization, arXiv:2510.05534 (mean
        of N sampled responses); He et al., 2025, AIR, arXiv:2504.03612 (variance over the responses).
    """
    field, responses = PROMPT_MEASURES[by], candidates["responses"]
    if len(responses) == 2:
        if is_number(candidates.get(field)):
            return {}
        pool: Any = candidates.get("num_responses")
        if is_number(pool) and pool > 2:
            raise RecordError(
                f"chosen from {pool:,} responses, and has no '{field}' of them; give --by {by} where the pair is chosen"
            )
    scores = []
    for number, response in enumerate(responses, 1):
        score = response.get("score")
        if not is_number(score):
            shown = clip(score) if "score" in response else "missing"
            raise RecordError(
                f"response {number}: field 'score' is {shown}; --by {by} needs a number on every response"
            )
        scores.append(float(score))
    try:
        value = float(FUNCTIONS[by](scores))
    except OverflowError:
        value = math.inf
    if not math.isfinite(value):
        raise RecordError(f"the scores are too large for --by {by}; divide them by a number, the same for all")
    return {field: value}
