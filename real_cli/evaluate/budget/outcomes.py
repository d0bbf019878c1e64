"""A line of `real eval margin --rows`, with the tags that say which trained policy it is of."""

import math
from typing import NamedTuple

from real_cli.errors import RecordError, clip
from real_cli.evaluate.run_tags import read_tag, seed_order
from real_cli.records.layouts import Adapted, Layout
from real_cli.records.messages import is_number, is_text, text_key
from real_cli.records.record import Record

MOST_WHOLE = 2.0**53  # a float is exact up to here
# In nats; beyond it sums of squares overflow.
LARGEST_MARGIN = 1e100


class RunKey(NamedTuple):
    """Which trained policy.

    Attributes:
        strategy: That chose its pairs.
        budget: How many labels it had.
        seed: Of the run.
    """

    strategy: str
    budget: float
    seed: str

    @property
    def order(self) -> tuple[object, ...]:
        """Where it stands among others."""
        return self.strategy, self.budget, seed_order(self.seed)

    def __str__(self) -> str:
        return f"{self.strategy} at {show_budget(self.budget)} labels, seed {self.seed}"


class PolicyOutcome(NamedTuple):
    """What one policy did with one held-out pair.

    Attributes:
        run: The policy's.
        prompt: What stands for the prompt, and by which field.
        pair: What tells the pair from others of its prompt; None where nothing does.
        policy: Its name; None where the line has none.
        is_correct: Whether it prefers the chosen response.
        margin: In nats; NaN where there is none.
    """

    run: RunKey
    prompt: tuple[str, str]
    pair: str | None
    policy: str | None
    is_correct: bool
    margin: float


def read_row(record: Record) -> Adapted:
    """Pass a line on as it is: it is no record of prompts and responses."""
    return Adapted(record, ROW)


ROW = Layout("outcomes of policies", "strategy, budget, seed, is_correct", "itself", lambda _: True, lambda row: row)


def read_outcome(record: Record) -> PolicyOutcome:
    """Read one line; one that lacks a tag or an outcome is refused, and what writes it is named.

    >>> row = {"strategy": "easy", "budget": 320, "seed": 1, "prompt_key": "0f", "is_correct": True, "margin": 0.5}
    >>> str(read_outcome(row).run), read_outcome(row).prompt
    ('easy at 320 labels, seed 1', ('prompt_key', '0f'))
    """
    run = RunKey(read_tag(record, "strategy"), _read_budget(record), read_tag(record, "seed"))
    margin = record.get("margin")
    if margin is not None and not is_number(margin):
        raise RecordError(f"field 'margin' is {clip(margin)}; a number is needed, or null")
    if margin is not None and not abs(margin) < LARGEST_MARGIN:
        raise RecordError(f"field 'margin' is {clip(margin)}, which is no margin in nats; leave it out, or write null")
    known = math.nan if margin is None else float(margin)
    is_correct = record.get("is_correct")
    if is_correct is None and math.isnan(known):
        raise RecordError("no 'is_correct' and no 'margin'; 'real eval margin --rows FILE' writes both")
    if is_correct is not None and not isinstance(is_correct, bool):
        raise RecordError(f"field 'is_correct' is {clip(is_correct)}; true or false is needed")
    pair = [str(record[name]) for name in ("place", "id") if record.get(name) is not None]
    policy = record.get("policy")
    return PolicyOutcome(
        run,
        _read_prompt(record),
        " ".join(pair) or None,
        policy if isinstance(policy, str) else None,
        known > 0 if is_correct is None else is_correct,
        known,
    )


def show_budget(budget: float) -> str:
    """Write a number of labels.

    >>> show_budget(1280.0), show_budget(0.35)
    ('1,280', '0.35')
    """
    budget = plain_budget(budget)
    return f"{budget:,}" if isinstance(budget, int) else f"{budget:g}"


def plain_budget(budget: float) -> float | int:
    """Write a whole number of labels without a fraction."""
    return int(budget) if budget == int(budget) and budget < MOST_WHOLE else budget


def _read_budget(record: Record) -> float:
    value = record.get("budget")
    if value is None:
        raise RecordError("field 'budget' is missing; 'real eval margin --rows FILE --tag budget=N' writes it")
    if not is_number(value) or not 0 < value < math.inf:
        raise RecordError(f"field 'budget' is {clip(value)}; the number of labels is needed, greater than 0")
    return float(value)


def _read_prompt(record: Record) -> tuple[str, str]:
    key = record.get("prompt_key")
    if isinstance(key, str) and key:
        return "prompt_key", key
    if is_text(record.get("prompt")):
        return "prompt_key", text_key(record["prompt"])[:8].hex()
    for name in ("place", "id"):
        if record.get(name) is not None:
            return name, str(record[name])
    raise RecordError("no 'prompt_key', 'prompt', 'place' or 'id': which held-out pair is it? Write one of them")
