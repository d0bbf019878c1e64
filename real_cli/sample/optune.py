"""OPTune's choice of prompts: those whose best response has the lowest score are worth another try."""

import numpy as np
from numpy.typing import NDArray

from real_cli.errors import RecordError, UsageError, clip
from real_cli.records.messages import is_number
from real_cli.records.record import Record, to_candidates
from real_cli.stats.quota import Keep, parse_keep


def parse_share(text: str) -> Keep:
    """Read a share ("30%") or a number of prompts to sample anew.

    >>> parse_share("30%").of(10)
    3
    """
    try:
        return parse_keep(text)
    except UsageError:
        message = f"--lowest-score {clip(text)}: give a share from 0% to 100% or a whole number of prompts"
        raise UsageError(message) from None


def best_score(record: Record) -> float:
    """Find the highest score among a record's responses that have one.

    >>> best_score({"prompt": "q", "responses": [{"text": "a", "score": 2}, {"text": "b", "score": 5}]})
    5.0
    """
    scores = [response.get("score") for response in to_candidates(record).get("responses", [])]
    known = [score for score in scores if score is not None]
    for score in known:
        if not is_number(score):
            raise RecordError(f"a response's 'score' is {clip(score)}; a number is needed")
    if not known:
        raise RecordError("no response has a 'score'; --lowest-score needs scored candidates, as of 'real relabel'")
    return float(max(known))


def num_retries(record: Record) -> int:
    """Read how often a prompt was sampled anew: its field `retries`, 0 without one.

    >>> num_retries({"prompt": "q", "retries": 2}), num_retries({"prompt": "q"})
    (2, 0)
    """
    number = record.get("retries", 0)
    if not is_number(number) or not 0 <= number < 2**53 or number != int(number):
        raise RecordError(f"field 'retries' is {clip(number)}; a count is needed")
    return int(number)


def choose_lowest(scores: NDArray[np.float64], may_retry: NDArray[np.bool_], wanted: Keep) -> NDArray[np.bool_]:
    """Choose the prompts that are sampled anew.

    >>> choose_lowest(np.array([3.0, 1.0, 2.0, 1.0]), np.array([True, False, True, True]), Keep(None, 2)).tolist()
    [False, False, True, True]

    References:
        Chen et al., 2024, OPTune, arXiv:2406.07657: the share is the paper's rho.
    """
    order = np.argsort(scores, kind="stable")
    chosen = np.zeros(len(scores), dtype=bool)
    chosen[order[may_retry[order]][: wanted.of(len(scores))]] = True
    return chosen
