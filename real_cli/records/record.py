"""The records that travel on a line: candidates and preferences, and the way from one to the other.

A *candidates* record has `prompt` and `responses` (a list of objects with `text`); a *preference* record has `prompt`,
`chosen` and `rejected`. Texts are strings or conversations (lists of {role, content}). Other fields pass through.
"""

import hashlib
from collections.abc import Iterable
from typing import Any, TypeAlias

from real_cli.errors import RecordError, clip
from real_cli.records.messages import as_completion, is_conversation, is_number, is_text, text_key

Record: TypeAlias = dict[str, Any]

# Fields of a response whose names on a preference record are TRL's, not FIELD_chosen and FIELD_rejected.
LABELED_NAMES = {
    "text": ("chosen", "rejected"),
    "ref_logps": ("ref_chosen_logps", "ref_rejected_logps"),
    # Data-set fields whose short names mean something else on a response.
    "text_field": ("text_chosen", "text_rejected"),
    "rank_field": ("rank_chosen", "rank_rejected"),
}
# A rank repeats the label; an embedding is long, and the pair's similarity holds what was read from it.
LEFT_BEHIND = frozenset({"text", "rank", "embedding", "embedding_dtype"})
# How some data sets prefix such fields.
ROLE_FIRST = ("chosen_", "chosen-")
# Measured on `score`; FIELD_margin and the like on another field.
MEASURED = ("margin", "implicit_margin", "offset")
# True of this pair alone: with another response they are wrong.
OF_THE_PAIR = ("similarity", "weight", "annotation", "judge", "verdicts", "agreement", *MEASURED)
# Computed on these texts: once a prompt or a response is rewritten they are wrong.
STALE_FIELDS = ("ref_chosen_logps", "ref_rejected_logps")


def content_key(record: Record) -> bytes:
    """Digest a record's prompt and responses, equal exactly where these are equal.

    Args:
        record: A candidates or preference record, or one with a prompt alone.

    Returns:
        A 16-byte digest.

    Example:
        >>> pair = {"prompt": "q", "chosen": "a", "rejected": "b"}
        >>> content_key(pair) == content_key(to_candidates(pair))
        True
    """
    texts = [record["prompt"]]
    texts += [response["text"] for response in to_candidates(record).get("responses", [])]
    return hashlib.blake2b(b"".join(map(text_key, texts)), digest_size=16).digest()


def is_preference(record: Record) -> bool:
    """Tell whether a record is a labeled pair.

    Args:
        record: A record in one of the two shapes.

    Returns:
        True if it has `chosen` and `rejected`.
    """
    return "chosen" in record and "rejected" in record


def check_candidates(record: Record) -> None:
    """Check that a record is a well-formed candidates record.

    Args:
        record: A record that has `responses`.

    Raises:
        RecordError: If `prompt` is missing or no text, `responses` is no list of objects with `text`, or a score or
            rank is no number; the message names the field and the response, counted from 1.
    """
    _check_prompt(record)
    responses = record.get("responses")
    if not isinstance(responses, list):
        raise RecordError(f"field 'responses' is {clip(responses)}; a list of objects with 'text' is needed")
    if responses and is_text(responses[0]):
        for number, text in enumerate(responses, 1):
            if not is_text(text):
                raise RecordError(f"response {number} is {clip(text)}; each must be a string or a conversation")
    for number, response in enumerate(responses, 1):
        if not isinstance(response, dict) or not is_text(response.get("text")):
            raise RecordError(f"response {number} has no 'text' that is a string or a conversation: {clip(response)}")
        for field in ("score", "rank"):
            value = response.get(field)
            if value is not None and not is_number(value):
                raise RecordError(f"response {number}: '{field}' is {clip(value)}; a number is needed")


def check_preference(record: Record) -> None:
    """Check that a record is a well-formed preference record.

    Args:
        record: A record that has `chosen` and `rejected`.

    Raises:
        RecordError: If `prompt`, `chosen` or `rejected` is missing or is no text, or text and conversation are mixed.
    """
    _check_prompt(record)
    for field in ("chosen", "rejected"):
        if field not in record:
            raise RecordError(f"field '{field}' is missing; a preference record has 'prompt', 'chosen' and 'rejected'")
        if not is_text(record[field]):
            raise RecordError(f"field '{field}' is {clip(record[field])}; a string or a conversation is needed")
    if len({is_conversation(record[field]) for field in ("prompt", "chosen", "rejected")}) > 1:
        raise RecordError("'prompt', 'chosen' and 'rejected' mix text and conversation; all three need one form")


def check_labeled(record: Record) -> None:
    """Check that a record is a pair with a known label.

    Args:
        record: A checked record.

    Raises:
        RecordError: If it is candidates.
    """
    if not is_preference(record):
        refuse_unpaired(record)
        number = len(record["responses"])
        raise RecordError(
            f"{number} responses and no 'chosen'; label a pair with 'real relabel', or choose one with 'real pair'"
        )


def refuse_unpaired(record: Record) -> None:
    """Refuse completions with a label each where pairs are needed.

    Args:
        record: A checked record.

    Raises:
        RecordError: If it is candidates and each response has a `label`.
    """
    responses = [] if is_preference(record) else record["responses"]
    if responses and all(isinstance(response.get("label"), bool) for response in responses):
        raise RecordError(
            "a 'label' on each completion, and no pair; 'real train-dpo --loss kto' trains on labels, and 'real pair "
            "--strategy best-worst' makes pairs of prompts that have both"
        )


def _check_prompt(record: Record) -> None:
    if "prompt" not in record:
        raise RecordError("field 'prompt' is missing; each record needs 'prompt' and 'responses', or a known layout")
    if not is_text(record["prompt"]):
        raise RecordError(f"field 'prompt' is {clip(record['prompt'])}; a string or a conversation is needed")


def labeled_fields(record: Record) -> dict[str, tuple[str, str]]:
    """List the fields of a preference record that belong to one of its two responses.

    Args:
        record: A preference record.

    Returns:
        For each field of a response, its two names on the record; only fields that are there for both.

    Example:
        >>> labeled_fields({"prompt": "q", "chosen": "a", "rejected": "b", "score_chosen": 2, "score_rejected": 1})
        {'text': ('chosen', 'rejected'), 'score': ('score_chosen', 'score_rejected')}
    """
    labeled = {field: names for field, names in LABELED_NAMES.items() if names[0] in record and names[1] in record}
    taken = {names[0] for names in LABELED_NAMES.values()}
    turned: dict[str, tuple[str, str]] = {}
    for name in record:
        field = name.removesuffix("_chosen")
        if field and field != name and name not in taken and f"{field}_rejected" in record:
            labeled[field] = (name, f"{field}_rejected")
        elif name.startswith(ROLE_FIRST) and name[7:] and (other := f"rejected{name[6:]}") in record:
            turned[name[7:]] = (name, other)
    for field, names in turned.items():
        is_taken = field in labeled or field in LEFT_BEHIND
        labeled[f"{field}_field" if is_taken else field] = names
    return labeled


def pair_fields(record: Record) -> set[str]:
    """Name the fields of a preference record that hold for the pair as it is, and for no other."""
    measured = {f"{field}_{name}" for field in labeled_fields(record) for name in MEASURED}
    return {*OF_THE_PAIR, *measured} & record.keys()


def to_candidates(record: Record) -> Record:
    """Turn a preference record into candidates; a candidates record is returned as it is.

    The chosen response comes first with rank 1, the rejected with rank 2. Fields named X_chosen and X_rejected become
    field X of the two responses; what describes the pair (`similarity`, `strategy`, ...) stays on the record.

    Args:
        record: A checked record.

    Returns:
        A candidates record, its other fields in their order.

    Example:
        >>> to_candidates({"prompt": "q", "chosen": "a", "rejected": "b", "score_chosen": 2, "score_rejected": 1})
        {'prompt': 'q', 'responses': [{'text': 'a', 'score': 2, 'rank': 1}, {'text': 'b', 'score': 1, 'rank': 2}]}
    """
    if not is_preference(record):
        return record
    fields = labeled_fields(record)
    chosen: Record = {field: record[names[0]] for field, names in fields.items()}
    rejected: Record = {field: record[names[1]] for field, names in fields.items()}
    moved = {name for names in fields.values() for name in names}
    candidates: Record = {}
    for name, value in record.items():
        if name == "chosen":
            candidates["responses"] = [chosen | {"rank": 1}, rejected | {"rank": 2}]
        elif name not in moved:
            candidates[name] = value
    return candidates


def to_preference(record: Record, chosen: Record, rejected: Record, extra: Record) -> Record:
    """Make a preference record of two responses, the way back from `to_candidates`.

    Args:
        record: The candidates record the responses come from.
        chosen: The preferred response.
        rejected: The other one.
        extra: Fields to add at the end (`similarity`, `strategy`, ...).

    Returns:
        The record with `chosen` and `rejected` where `responses` stood. Every other field F of a response becomes
        F_chosen and F_rejected, except embeddings and ranks. A matrix of `preferences` over the responses goes: a
        pair whose label may be turned does not keep its order.

    Example:
        >>> record = {"id": 7, "prompt": "q", "responses": [{"text": "a", "score": 1}, {"text": "b", "score": 3}]}
        >>> to_preference(record, record["responses"][1], record["responses"][0], {"similarity": 0.5})
        {'id': 7, 'prompt': 'q', 'chosen': 'b', 'rejected': 'a', 'score_chosen': 3, 'score_rejected': 1, \
'similarity': 0.5}
    """
    preference: Record = {}
    for field, value in record.items():
        if field != "responses":
            if field != "preferences":
                preference[field] = value
            continue
        preference["chosen"] = as_completion(record["prompt"], chosen["text"])
        preference["rejected"] = as_completion(record["prompt"], rejected["text"])
        names: Iterable[str] = chosen
        if chosen.keys() != rejected.keys():
            # What one side lacks comes last: read again, it stays a field of the pair.
            names = dict.fromkeys([*(name for name in chosen if name in rejected), *chosen, *rejected])
        for name in names:
            if name not in LEFT_BEHIND:
                labeled = LABELED_NAMES.get(name) or (f"{name}_chosen", f"{name}_rejected")
                if name in chosen:
                    preference[labeled[0]] = chosen[name]
                if name in rejected:
                    preference[labeled[1]] = rejected[name]
    return preference | extra


def swap_labels(record: Record) -> Record:
    """Exchange chosen and rejected, and every pair of fields that belongs to them.

    Args:
        record: A preference record.

    Returns:
        A new record with the same fields in the same order; swapping twice gives the record back.

    Example:
        >>> swap_labels({"prompt": "q", "chosen": "a", "rejected": "b", "score_chosen": 2, "score_rejected": 1})
        {'prompt': 'q', 'chosen': 'b', 'rejected': 'a', 'score_chosen': 1, 'score_rejected': 2}
    """
    swapped = dict(record)
    for chosen, rejected in labeled_fields(record).values():
        swapped[chosen], swapped[rejected] = record[rejected], record[chosen]
    return swapped
