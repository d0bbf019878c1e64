"""Which record a line of `sample` was made of: what the line keeps of it, for runs that go on with an output."""

import hashlib

import orjson

from real_cli.core.goals import STALE_FIELDS
from real_cli.core.records import LABELED_NAMES, MEASURED, OF_THE_PAIR, Record
from real_cli.core.sampling import without_pair

MADE_REFERENCE = {"reference", "reference_model"}
MADE_IMPROVED = {"improve", *OF_THE_PAIR, *STALE_FIELDS, *(names[0] for names in LABELED_NAMES.values())}
MADE_ENDINGS = ("_chosen", *(f"_{name}" for name in MEASURED))


def origin_of_responses(record: Record, num_new: int) -> Record:
    """Take the newest responses off a record.

    Args:
        record: What was read, or what was written of it.
        num_new: How many responses were added to it; 0 for what was read.

    Returns:
        Candidates; without `responses` if none are left.

    Example:
        >>> origin_of_responses({"prompt": "q", "responses": [{"text": "a"}, {"text": "b"}]}, 1)
        {'prompt': 'q', 'responses': [{'text': 'a'}]}
    """
    candidates, _ = without_pair(record)
    responses = candidates.get("responses", [])
    left = responses[: max(0, len(responses) - num_new)]
    rest = {name: value for name, value in candidates.items() if name != "responses"}
    return rest | ({"responses": left} if left else {})


def origin_of_contrast(record: Record, num_new: int) -> Record:
    """Take all responses off a record: a contrast is made of prompts alone.

    Args:
        record: What was read, or what was written of it.
        num_new: Not read.

    Returns:
        The record without them.

    Example:
        >>> origin_of_contrast({"prompt": "q", "responses": [{"text": "a"}, {"text": "b"}]}, 1)
        {'prompt': 'q'}
    """
    return {name: value for name, value in record.items() if name != "responses"}


def origin_of_reference(record: Record, num_new: int) -> Record:
    """Take the policy's own answer off a record.

    Args:
        record: What was read, or what was written of it.
        num_new: Not read.

    Returns:
        The record without it.

    Example:
        >>> origin_of_reference({"prompt": "q", "reference": "a", "reference_model": "sft"}, 1)
        {'prompt': 'q'}
    """
    return {name: value for name, value in record.items() if name not in MADE_REFERENCE}


def origin_of_improved(record: Record, num_new: int) -> Record:
    """Take off a record what a better reply may have changed.

    Args:
        record: What was read, or what was written of it.
        num_new: Not read.

    Returns:
        The record with its prompt, the rejected reply, the complaint, and what else stays.

    Example:
        >>> origin_of_improved({"prompt": "q", "chosen": "b", "rejected": "a", "score_chosen": 2, "improve": {}}, 1)
        {'prompt': 'q', 'rejected': 'a'}
    """
    return {
        name: value for name, value in record.items() if name not in MADE_IMPROVED and not name.endswith(MADE_ENDINGS)
    }


def origin_key(origin: Record) -> bytes:
    """Return bytes that are equal exactly for equal records, whatever the order of their fields.

    Args:
        origin: What a line keeps of the record that it was made of.

    Returns:
        A 16-byte digest.

    Example:
        >>> origin_key({"prompt": "q", "id": 1}) == origin_key({"id": 1, "prompt": "q"})
        True
    """
    return hashlib.blake2b(orjson.dumps(origin, option=orjson.OPT_SORT_KEYS), digest_size=16).digest()
