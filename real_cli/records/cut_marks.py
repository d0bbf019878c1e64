"""Whether a response was cut at a limit of tokens, as samplers and servers mark it."""

from real_cli.records.record import Record
from real_cli.records.response_fields import ROLES

# OpenAI's word for it, and Anthropic's.
CUT_REASONS = ("length", "max_tokens")
CUT_FIELDS = ("is_cut", "truncated", "finish_reason")


def is_marked_cut(response: Record) -> bool | None:
    """Read what a sampler, or a server, says of how a response ended.

    Args:
        response: A response with its fields.

    Returns:
        Whether a limit cut it; None if nothing says so.

    Example:
        >>> is_marked_cut({"text": "a", "is_cut": True}), is_marked_cut({"text": "a", "finish_reason": "stop"})
        (True, False)
        >>> is_marked_cut({"text": "a"}) is None
        True
    """
    for name in CUT_FIELDS[:2]:
        if isinstance(mark := response.get(name), bool):
            return mark
    reason = response.get("finish_reason")
    return reason in CUT_REASONS if isinstance(reason, str) else None


def has_cut_response(record: Record, *, with_reference: bool = False) -> bool:
    """Tell whether any response of a record is marked as cut.

    Args:
        record: A checked candidates or preference record.
        with_reference: Whether its `reference` is a response too.

    Returns:
        True if one is; False where nothing is known.

    Example:
        >>> has_cut_response({"prompt": "q", "chosen": "a", "rejected": "b", "is_cut_rejected": True})
        True
        >>> has_cut_response({"prompt": "q", "responses": [{"text": "a", "is_cut": False}, {"text": "b"}]})
        False
        >>> has_cut_response({"prompt": "q", "chosen": "a", "rejected": "b", "reference_is_cut": True})
        False
    """
    if with_reference and record.get("reference_is_cut") is True:
        return True
    if "responses" in record:
        return any(is_marked_cut(response) for response in record["responses"])
    return any(is_marked_cut({name: record.get(f"{name}_{role}") for name in CUT_FIELDS}) for role in ROLES)
