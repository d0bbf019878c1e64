"""A line of `eval margin --rows`, checked: what one trained policy says of one held-out pair."""

import math
from typing import NamedTuple

from real_cli.errors import RecordError, clip
from real_cli.evaluate.run_tags import read_tag
from real_cli.records.messages import is_number
from real_cli.records.record import Record

# Beyond it squares lose what a difference is made of; no margin, time or memory comes near.
LARGEST = 1e18
COSTS = ("train_seconds", "peak_memory_bytes", "peak_device_bytes", "train_steps", "train_pairs")
HOW = "rows are written by 'real eval margin --rows FILE --tag method=NAME --tag seed=N'"


class MeasuredRow(NamedTuple):
    """One held-out pair under one policy.

    Attributes:
        method: What the policy was trained by.
        seed: Of its training, as text; empty where the row has none.
        prompt: What tells its prompt from others.
        margin: Log-ratio of policy to reference, chosen minus rejected, in nats.
        likelihood_margin: The same of the policy alone; NaN where the row does not say.
        length: Tokens of chosen minus rejected; NaN likewise.
        costs: What the training took, by COSTS; NaN likewise.
    """

    method: str
    seed: str
    prompt: str
    margin: float
    likelihood_margin: float
    length: float
    costs: tuple[float, ...]


def read_row(record: Record) -> MeasuredRow:
    """Read a line of rows.

    >>> record = {"method": "ipo", "seed": 1, "prompt_key": "2f", "margin": 0.5, "num_tokens_chosen": 3}
    >>> read_row(record)[:4]
    ('ipo', '1', '2f', 0.5)
    """
    prompt = record.get("prompt_key")
    if not isinstance(prompt, str) or not prompt:
        raise RecordError(f"field 'prompt_key' is {_shown(record, 'prompt_key')}; {HOW}")
    if not _is_finite(record.get("margin")):
        raise RecordError(f"field 'margin' is {_shown(record, 'margin')}; a number of nats is needed")
    sizes = [_number(record, f"num_tokens_{side}") for side in ("chosen", "rejected")]
    return MeasuredRow(
        read_tag(record, "method"),
        read_tag(record, "seed") if "seed" in record else "",
        prompt,
        float(record["margin"]),
        _number(record, "likelihood_margin"),
        sizes[0] - sizes[1],
        tuple(_number(record, name) for name in COSTS),
    )


def _number(record: Record, name: str) -> float:
    value = record.get(name)
    if value is None:
        return math.nan
    if not _is_finite(value):
        raise RecordError(f"field '{name}' is {clip(value)}; a number is needed")
    return float(value)


def _is_finite(value: object) -> bool:
    return is_number(value) and abs(value) < LARGEST  # type: ignore[arg-type]  # it is a number


def _shown(record: Record, name: str) -> str:
    return clip(record[name]) if name in record else "missing"
