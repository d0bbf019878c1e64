"""Which record a line of `sample` was made of, for runs that continue an output.

Each takes off a record what `writers` added to it, a policy a response, and refuses another policy's. Nobody wrote what
was read.
"""

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
    """Take the newest responses off a record; without any left, `responses` goes.

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

    >>> made = [{"text": "a", "model": "sft"}, {"text": "b", "model": "sft"}]
    >>> origin_of_contrast({"prompt": "q", "responses": made}, ["sft"])
    {'prompt': 'q'}
    """
    if writers:
        _check_writers([response.get("model") for response in record["responses"]], [*writers, *writers])
    return {name: value for name, value in record.items() if name != "responses"}


def origin_of_reference(record: Record, writers: Sequence[str]) -> Record:
    """Take the policy's answer off a record.

    >>> origin_of_reference({"prompt": "q", "reference": "a", "reference_model": "sft"}, ["sft"])
    {'prompt': 'q'}
    """
    if writers:
        _check_writers([record["reference_model"]], writers)
    return {name: value for name, value in record.items() if name not in MADE_REFERENCE}


def origin_of_improved(record: Record, writers: Sequence[str]) -> Record:
    """Take a better reply off a record, and whatever it may have changed.

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
    """Check that a record's `id` is one of a run's numbers.

    >>> check_number({"id": 4, "prompt": "q"}, range(0, 6, 2))
    """
    number = written.get("id")
    if type(number) is not int or number not in numbers:  # true and 1.0 equal 1
        raise RecordError(f"field 'id' is {clip(number)}, no instruction of this run; resume with the same options")


def origin_key(origin: Record) -> bytes:
    """Digest a record to 16 bytes, whatever the order of its fields.

    >>> origin_key({"prompt": "q", "id": 1}) == origin_key({"id": 1, "prompt": "q"})
    True
    """
    return hashlib.blake2b(orjson.dumps(origin, option=orjson.OPT_SORT_KEYS), digest_size=16).digest()
