"""UltraFeedback's principles: instructions to a policy, drawn anew for every response."""

from bisect import bisect_right
from collections.abc import Sequence
from itertools import accumulate
from typing import Any, NamedTuple

import numpy as np

from real_cli.errors import UsageError, clip
from real_cli.records.messages import is_number
from real_cli.records.place_words import HOLE
from real_cli.records.seeds import uniform_numbers

KEYS = ("name", "text", "weight")


class Principle(NamedTuple):
    """One principle.

    Attributes:
        name: What stays on the response; several may have one name, as paraphrases do.
        text: What the policy is told.
        weight: How often it is drawn, against the others'.
    """

    name: str
    text: str
    weight: float = 1.0


def parse_principles(entries: Sequence[Any], place: str) -> tuple[Principle, ...]:
    """Read principles from entries with `name`, `text` and perhaps `weight`; name every fault at once.

    >>> parse_principles([{"name": "brevity", "text": "Be brief.", "weight": 2}], "own.toml")
    (Principle(name='brevity', text='Be brief.', weight=2.0),)
    """
    faults = [fault for number, entry in enumerate(entries, 1) for fault in _faults(entry, f"principle {number}: ")]
    if not faults and not any(entry.get("weight", 1) for entry in entries):
        faults.append("no principle with a weight; one is needed to draw")
    if faults:
        raise UsageError(f"{place}: " + "; ".join(faults))
    return tuple(Principle(entry["name"], entry["text"], float(entry.get("weight", 1))) for entry in entries)


def _faults(entry: Any, where: str) -> list[str]:
    if not isinstance(entry, dict):
        return [f"{where}is {clip(entry)}; 'name' and 'text' are needed"]
    faults = [f"{where}unknown key '{key}'; known are {', '.join(KEYS)}" for key in entry if key not in KEYS]
    for key in ("name", "text"):
        if not isinstance(entry.get(key), str) or not entry[key].strip():
            faults.append(f"{where}{key} is {clip(entry.get(key))}; a text is needed")
    if str(entry.get("text")).count(HOLE) > 1:
        faults.append(f"{where}text holds {HOLE} twice; write it once, where the prompt goes")
    weight = entry.get("weight", 1)
    if not is_number(weight) or not 0 <= weight < float("inf"):
        faults.append(f"{where}weight is {clip(weight)}; a number from 0 up is needed")
    return faults


def draw_principle(principles: Sequence[Principle], seed: int) -> Principle:
    """Draw a principle by weight; not all weights are 0.

    >>> draw_principle([Principle("never", "a", 0.0), Principle("always", "b", 3.0)], 7).name
    'always'

    References:
        Cui et al., 2023, UltraFeedback, arXiv:2310.01377, section 2: principles mixed by weight.
    """
    sums = list(accumulate(principle.weight for principle in principles))
    number = float(uniform_numbers(np.array([seed], dtype=np.uint64), 0)[0])
    # A weight of 0 adds nothing, so its sum is never the first above the number.
    return principles[min(bisect_right(sums, number * sums[-1]), len(sums) - 1)]
