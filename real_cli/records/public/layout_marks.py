"""Marks by which layouts are known: a record's fields and their kinds."""

from operator import eq
from os.path import commonprefix
from typing import Any

from real_cli.records.messages import is_conversation, is_number, is_text
from real_cli.records.public.layout_readers import (
    KTO_TAG,
    PARALLEL_FIELDS,
    RESPONSE_FIELDS,
    first_text_list,
    part_conversations,
)
from real_cli.records.public.named_prompts import TURN_FIELDS, WORD_FIELDS
from real_cli.records.public.other_sides import with_usual_sides
from real_cli.records.public.repeated_prompts import ASSISTANT_MARK
from real_cli.records.record import Record


def is_strings(record: Record, *fields: str) -> bool:
    """Tell whether all of these fields are strings."""
    return all(isinstance(record.get(field), str) for field in fields)


def are_texts(record: Record, *fields: str) -> bool:
    """Tell whether all of these fields are texts."""
    return all(is_text(record.get(field)) for field in fields)


def are_conversations(record: Record, *fields: str) -> bool:
    """Tell whether all of these fields are conversations; chosen and rejected, if none is named."""
    return all(is_conversation(record.get(field)) for field in fields or ("chosen", "rejected"))


def names_prompt(record: Record) -> bool:
    """Tell whether a prompt has another name; an empty text is one only where nothing else is the prompt."""
    return "prompt" not in record and (any(is_text(record.get(field)) for field in WORD_FIELDS) or are_turns(record))


def are_turns(record: Record) -> bool:
    """Tell whether a field that is named after conversations is one."""
    return any(is_conversation(record.get(field)) for field in TURN_FIELDS)


def has_prompt(record: Record) -> bool:
    """Tell whether there is a prompt, under whatever name."""
    return "prompt" in record or names_prompt(record)


def is_list(record: Record, field: str, *needed: str) -> bool:
    """Tell whether a field is a list of objects with these fields."""
    values = record.get(field)
    first = values[0] if isinstance(values, list) and values else None
    return isinstance(first, dict) and all(name in first for name in needed)


def are_arrays(record: Record) -> bool:
    """Tell parallel arrays; a pair with all its texts beside it is a pair."""
    field = first_text_list(record, PARALLEL_FIELDS["text"])
    if not field or not has_prompt(record):
        return False
    return field == "responses" or not are_texts(record, "chosen", "rejected")


def are_transcripts(record: Record) -> bool:
    """Tell two transcripts that share an answer mark."""
    if "prompt" in record or not is_strings(record, "chosen", "rejected"):
        return False
    return ASSISTANT_MARK in commonprefix([record["chosen"], record["rejected"]])


def is_named_pair(record: Record) -> bool:
    """Tell a pair whose prompt has another name."""
    return names_prompt(record) and are_texts(record, "chosen", "rejected") and not shares_prompt(record)


def shares_prompt(record: Record) -> bool:
    """Tell two conversations that both hold the prompt, and contradict no field named after one."""
    if not are_conversations(record):
        return False
    shared, *_ = part_conversations(record["chosen"], record["rejected"])
    if not shared or shared[0]["role"] == "assistant":
        return False
    turns = [record[field] for field in TURN_FIELDS if is_conversation(record.get(field))]
    return all(all(map(eq, turn, shared)) for turn in turns)


def is_rejection(record: Record) -> bool:
    """Tell a rejected response beside a conversation or a response."""
    if {"rejected_response", "rejected_messages"}.isdisjoint(record) or has_other_sides(record):
        return False
    turned = are_turns(record)
    return (
        turned and (is_text(record.get("rejected_response")) or are_conversations(record, "rejected_messages"))
    ) or (has_prompt(record) and are_texts(record, "response", "rejected_response"))


def has_other_sides(record: Record) -> bool:
    """Tell a pair whose sides have other names; two texts need a prompt."""
    usual = with_usual_sides(record)
    if usual is record or not are_texts(usual, "chosen", "rejected"):
        return False
    return has_prompt(usual) or are_conversations(usual)


def is_row(record: Record) -> bool:
    """Tell a row that holds one response."""
    if any(is_text(record.get(field)) for field in RESPONSE_FIELDS):
        return has_prompt(record)
    if not are_turns(record):
        return False
    return any(isinstance(record.get(field), bool) for field in ("label", KTO_TAG)) or is_rated_conversation(record)


def is_rated_conversation(record: Record) -> bool:
    """Tell one conversation that ends with a response, and its score."""
    turns: Any = next(value for field in TURN_FIELDS if is_conversation(value := record.get(field)))
    rated = (
        any(is_number(record.get(field)) for field in ("score", "rating", "reward"))
        and not {"prompt", "chosen", "rejected"} & record.keys()
    )
    return rated and len(turns) > 1 and bool(turns[-1]["role"] == "assistant")


def is_binarized(record: Record) -> bool:
    """Tell a prompt in words beside two conversations that begin with one message."""
    if not isinstance(record.get("prompt"), str) or not are_conversations(record):
        return False
    first = record["chosen"][0]
    return bool(first == record["rejected"][0]) and first["role"] != "assistant"


def is_mixed(record: Record) -> bool:
    """Tell words on one side and conversations on the other."""
    if isinstance(record.get("prompt"), str):
        return are_conversations(record)
    return is_conversation(record.get("prompt")) and is_strings(record, "chosen", "rejected")
