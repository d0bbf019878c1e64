"""HelpSteer2 and 3: two responses, and by how much the second is better, from -3 to 3."""

from typing import Any

from real_cli.errors import RecordError, clip
from real_cli.records.public.comparisons import decide, read_number
from real_cli.records.public.layout import EITHER, Layout
from real_cli.records.public.layout_readers import prompt_of
from real_cli.records.record import Record

STRONGEST = 3


def _strength(record: Record, field: str) -> tuple[int | None, dict[str, Any]]:
    """Read a preference below 0 for the first, above 0 for the second."""
    strength = read_number(record, field)
    if abs(strength) > STRONGEST:
        raise RecordError(f"field '{field}' is {clip(record[field])}; a number from -3 to 3 is needed")
    if not strength:
        return None, {}
    margin = abs(strength)
    return int(strength > 0), {"margin": int(margin) if margin == int(margin) else margin}


def weigh_strength(record: Record) -> Record:
    """HelpSteer2: `preference_strength` from -3, response 1 much better, to 3."""
    winner, margin = _strength(record, "preference_strength")
    prompt, uses = prompt_of(record)
    sides = ({"text": record["response_1"]}, {"text": record["response_2"]})
    return decide(record, [*uses, "response_1", "response_2", "preference_strength"], prompt, sides, winner, **margin)


def weigh_overall(record: Record) -> Record:
    """HelpSteer3: `overall_preference` from -3, response 1 much better, to 3."""
    winner, margin = _strength(record, "overall_preference")
    sides = ({"text": record["response1"]}, {"text": record["response2"]})
    uses = ["context", "response1", "response2", "overall_preference"]
    return decide(record, uses, record["context"], sides, winner, **margin)


ROWS = (
    Layout(
        "HelpSteer2 preference",
        "`prompt`, `response_1`, `response_2`, `preference_strength` from -3 (response 1) to 3; its size is `margin`",
        EITHER,
        lambda r: {"prompt", "response_1", "response_2", "preference_strength"} <= r.keys(),
        weigh_strength,
        ("response_1", "response_2", "preference_strength"),
    ),
    Layout(
        "HelpSteer3 preference",
        "`context`: conversation, `response1`, `response2`, `overall_preference` from -3 (response 1) to 3; its size "
        "is `margin`",
        EITHER,
        lambda r: {"context", "response1", "response2", "overall_preference"} <= r.keys(),
        weigh_overall,
        ("context", "response1", "response2", "overall_preference"),
    ),
)
