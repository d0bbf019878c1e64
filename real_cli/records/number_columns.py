"""Which columns of a text table are numbers, and how their cells read."""

import math
import re
from collections.abc import Callable, Collection
from functools import partial
from typing import TypeAlias

from real_cli.errors import RecordError, clip
from real_cli.records.response_fields import ROLES

ReadCell: TypeAlias = Callable[[str], object]

NUMBER = re.compile(r"[+-]?([0-9]+|([0-9]+\.[0-9]*|\.[0-9]+|[0-9]+(?=[eE]))([eE][+-]?[0-9]+)?)")
BOOLEANS = {"True": True, "true": True, "TRUE": True, "False": False, "false": False, "FALSE": False}
RATINGS = ("score", "rating", "reward")
# These decide who is preferred: a cell that is no number is a fault.
DECIDING = frozenset(
    {"score", "rank", "score_A", "score_B"}
    | {f"{name}_{role}" for name in RATINGS for role in ROLES}
    | {f"{role}{mark}{name}" for name in RATINGS for role in ROLES for mark in "_-"}
)
# Numbers that our commands write, or public data sets have. Some data have texts under such a name, which stay.
MEASURES = frozenset(
    {f"{name}{ending}" for name in ("score_std", "raw_score") for ending in ("", "_chosen", "_rejected")}
    | {"similarity", "weight", "stage", "offset", "margin", "implicit_margin", "score_margin", "num_responses"}
    | {"ref_chosen_logps", "ref_rejected_logps", "min_neighbor_distance", "repeat_count", "rating", "reward"}
    | {
        "mean_score",
        "score_variance",
        "prob",
        "prob_chosen",
        "prob_rejected",
        "reference_scores",
        "length",
        "num_tokens",
    }
    | {"labels", "label", "preference", "preference_strength", "overall_preference", "overall_score", "choice"}
    | {"winner_model_a", "winner_model_b", "winner_tie", "score_0", "score_1", "better_response_id"}
    | {"safer_response_id", "helpfulness", "correctness", "coherence", "complexity", "verbosity"}
)
# How tables write true and false.
FLAGS = frozenset({"label", "labels", "kto_tag", "winner_model_a", "winner_model_b", "winner_tie"})


def cell_reader(column: str, asked: Collection[str] = ()) -> ReadCell | None:
    """Choose what reads the non-empty cells of a column; None where cells stay texts.

    Args:
        column: Its name.
        asked: Fields that an option reads as numbers; of a pair FIELD_chosen and FIELD_rejected are meant too.

    Returns:
        A function from a text that is not empty to the cell's value; None where a cell is the text that it is.

    Example:
        >>> cell_reader("id") is None, cell_reader("score")("2.50"), cell_reader("gold_chosen", ["gold"])("07")
        (True, 2.5, 7)
        >>> cell_reader("stage")("draft"), cell_reader("label")("True")
        ('draft', True)
    """
    wanted = {*asked, *(name for field in asked for role in ROLES for name in _names_of(field, role))}
    if column in DECIDING or column in wanted:
        return partial(_read_strictly, column)
    if column in FLAGS:
        return lambda text: BOOLEANS[text] if text in BOOLEANS else _number_or_text(text)
    return _number_or_text if column in MEASURES else None


def _names_of(field: str, role: str) -> list[str]:
    return [f"{field}_{role}", f"{role}_{field}", f"{role}-{field}"]


def _read_strictly(column: str, text: str) -> float:
    number = parse_number(text)
    if number is None:
        fits = " that fits in 64 bits" if (match := NUMBER.fullmatch(text.strip(" "))) and not match[2] else ""
        raise RecordError(f"column {column!r} is {clip(text)}; a number{fits} is needed, or nothing")
    return number


def _number_or_text(text: str) -> object:
    number = parse_number(text)
    return text if number is None else number


def parse_number(text: str) -> float | None:
    """Read a number as people and programs write it in a table; None if it is none.

    Args:
        text: A cell.

    Returns:
        A whole number of at most 64 bits, or a finite float; None if it is neither.

    Example:
        >>> parse_number("1"), parse_number("2.50"), parse_number("1e3"), parse_number("N/A"), parse_number("9" * 23)
        (1, 2.5, 1000.0, None, None)
    """
    text = text.strip(" ")
    match = NUMBER.fullmatch(text)
    if match is None:
        return None
    if match[2] is None:
        # Python refuses numbers of thousands of digits.
        whole = int(text) if len(text) <= 100 else 2**64
        return whole if -(2**63) <= whole < 2**64 else None
    number = float(text)
    return number if math.isfinite(number) else None
