"""What every judge of a record, a single one or those of a panel, said of pairs in both orders."""

from typing import Any, TypeAlias

from real_cli.errors import RecordError, clip
from real_cli.records.labels import judgment_of
from real_cli.records.messages import transcript
from real_cli.records.record import Record
from real_cli.records.response_fields import responses_of, without_values
from real_cli.records.verdicts import Judgment, read_judgment

Pair: TypeAlias = tuple[int, int]

# What a panel says of a record, beside the `prob` of its responses: another label is not theirs.
PANEL_FIELDS = frozenset({"verdicts", "agreement"})


def is_by_panel(record: Record) -> bool:
    """Tell whether `verdicts` is what a panel of 'relabel judge' left, and not a field of the user's.

    Args:
        record: A record in one of the two shapes.

    Returns:
        True if the judge's note says how they voted, and `verdicts` lists what named judges said.

    Example:
        >>> is_by_panel({"verdicts": [{"model": "a"}], "judge": {"vote": "majority"}}), is_by_panel({"verdicts": []})
        (True, False)
    """
    mark, verdicts = record.get("judge"), record.get("verdicts")
    return (
        isinstance(mark, dict)
        and "vote" in mark
        and isinstance(verdicts, list)
        and all(isinstance(each, dict) and isinstance(each.get("model"), str) for each in verdicts)
    )


def without_panel(record: Record) -> Record:
    """Leave out what a panel said of a record, before somebody else labels it.

    Args:
        record: A record in one of the two shapes.

    Returns:
        The record without `verdicts`, `agreement` and the responses' `prob`, where a panel left them.

    Example:
        >>> without_panel({"prompt": "q", "agreement": 1.0, "verdicts": [], "judge": {"vote": "mean"}})
        {'prompt': 'q', 'judge': {'vote': 'mean'}}
    """
    if not is_by_panel(record):
        return record
    kept = {name: value for name, value in record.items() if name not in PANEL_FIELDS}
    return without_values(kept, "prob")


def judgments_of(record: Record) -> dict[Pair, list[Judgment]]:
    """Read what each judge that was asked in both orders said.

    Args:
        record: A checked candidates or preference record.

    Returns:
        By pair of responses, numbered from 0, a judgment of each judge that compared them, those with the first (or
        chosen) response shown as A first. Pairs of equal texts are left out: of them no judge is asked.

    Raises:
        RecordError: If what stands there is not two verdicts, or not about two responses of the record.

    Example:
        >>> panel = {"verdicts": [{"model": "a", "orders": ["A", "A"]}], "judge": {"vote": "mean"}}
        >>> judgments_of({"prompt": "q", "chosen": "x", "rejected": "y"} | panel)[0, 1][0].is_flipped
        True
    """
    if not is_by_panel(record):
        single = judgment_of(record) if len(responses_of(record)) == 2 else None
        return {} if single is None else {(0, 1): [single]}
    texts = [transcript(response["text"]) for response in responses_of(record)]
    judgments: dict[Pair, list[Judgment]] = {}
    for number, opinion in enumerate(record["verdicts"], 1):
        place = f"field 'verdicts', judge {number}"
        compared = opinion["pairs"] if isinstance(opinion.get("pairs"), list) else [opinion]
        for each in compared:
            orders: Any = each.get("orders") if isinstance(each, dict) else None
            if orders is None:  # this judge rates, or has no answer
                continue
            pair = _pair_of(each, len(texts), place)
            if texts[pair[0]] != texts[pair[1]]:
                judgments.setdefault(pair, []).append(read_judgment(orders, f"{place}: 'orders'"))
    return judgments


def _pair_of(opinion: Record, number: int, place: str) -> Pair:
    pair: Any = opinion.get("responses", [1, 2])
    is_right = isinstance(pair, list) and len(pair) == 2 and all(type(each) is int for each in pair)
    if not is_right or not 1 <= pair[0] < pair[1] <= number:
        raise RecordError(f"{place}: 'responses' is {clip(pair)}; the numbers of two of {number} responses are needed")
    return pair[0] - 1, pair[1] - 1
