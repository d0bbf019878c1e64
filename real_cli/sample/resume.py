"""Which record a line of `sample` was made of: what the line keeps of it, for runs that go on with an output."""

import hashlib
from collections.abc import Sequence

import orjson

from real_cli.errors import RecordError, clip
from real_cli.records.record import LABELED_NAMES, MEASURED, OF_THE_PAIR, STALE_FIELDS, Record
from real_cli.sample.responses import without_pair

MADE_REFERENCE = {"reference", "reference_model", "reference_is_cut"}
MADE_IMPROVED = {"improve", *OF_THE_PAIR, *STALE_FIELDS, *(names[0] for names in LABELED_NAMES.values())}
MADE_ENDINGS = ("_chosen", *(f"_{name}" for name in MEASURED))


def origin_of_responses(record: Record, writers: Sequence[str]) -> Record:
    """Take the newest responses off a record.

    Args:
        record: What was read, or what was written of it.
        writers: The policy of each response that was added to it; none for what was read.

    Returns:
        Candidates; without `responses` if none are left.

    Raises:
        RecordError: If its newest responses are not those policies'.

    Example:
        >>> origin_of_responses({"prompt": "q", "responses": [{"text": "a"}, {"text": "b", "model": "sft"}]}, ["sft"])
        {'prompt': 'q', 'responses': [{'text': 'a'}]}
    """
    candidates, _ = without_pair(record)
    responses = candidates.get("responses", [])
    number = len(responses) - len(writers)
    _check_writers([response.get("model") for response in responses[max(0, number) :]], writers)
    rest = {name: value for name, value in candidates.items() if name != "responses"}
    return rest | ({"responses": responses[:number]} if number else {})


def origin_of_contrast(record: Record, writers: Sequence[str]) -> Record:
    """Take all responses off a record: a contrast is made of prompts alone.

    Args:
        record: What was read, or what was written of it.
        writers: The policy that was asked; none for what was read.

    Returns:
        The record without them.

    Raises:
        RecordError: If its two responses are not that policy's.

    Example:
        >>> made = [{"text": "a", "model": "sft"}, {"text": "b", "model": "sft"}]
        >>> origin_of_contrast({"prompt": "q", "responses": made}, ["sft"])
        {'prompt': 'q'}
    """
    if writers:
        _check_writers([response.get("model") for response in record["responses"]], [*writers, *writers])
    return {name: value for name, value in record.items() if name != "responses"}


def origin_of_reference(record: Record, writers: Sequence[str]) -> Record:
    """Take the policy's own answer off a record.

    Args:
        record: What was read, or what was written of it.
        writers: The policy that was asked; none for what was read.

    Returns:
        The record without it.

    Raises:
        RecordError: If the answer is not that policy's.

    Example:
        >>> origin_of_reference({"prompt": "q", "reference": "a", "reference_model": "sft"}, ["sft"])
        {'prompt': 'q'}
    """
    if writers:
        _check_writers([record["reference_model"]], writers)
    return {name: value for name, value in record.items() if name not in MADE_REFERENCE}


def origin_of_improved(record: Record, writers: Sequence[str]) -> Record:
    """Take off a record what a better reply may have changed.

    Args:
        record: What was read, or what was written of it.
        writers: The policy that was asked; none for what was read.

    Returns:
        The record with its prompt, the rejected reply, the complaint, and what else stays.

    Raises:
        RecordError: If the better reply is not that policy's.

    Example:
        >>> made = {"prompt": "q", "chosen": "b", "rejected": "a", "score_chosen": 2, "improve": {"model": "sft"}}
        >>> origin_of_improved(made, ["sft"])
        {'prompt': 'q', 'rejected': 'a'}
    """
    if writers:
        _check_writers([record["improve"]["model"]], writers)
    return {
        name: value for name, value in record.items() if name not in MADE_IMPROVED and not name.endswith(MADE_ENDINGS)
    }


def _check_writers(policies: Sequence[str | None], writers: Sequence[str]) -> None:
    if list(policies) != list(writers):
        raise RecordError("other policies answered it; resume with the same options")


def check_number(written: Record, numbers: range) -> None:
    """Check that a record is one of the instructions that a run numbers.

    Args:
        written: A record with `id`.
        numbers: Those of the run.

    Raises:
        RecordError: If its number is none of them.

    Example:
        >>> check_number({"id": 4, "prompt": "q"}, range(0, 6, 2))
    """
    number = written.get("id")
    if type(number) is not int or number not in numbers:  # true and 1.0 are equal to 1
        raise RecordError(f"field 'id' is {clip(number)}, no instruction of this run; resume with the same options")


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
