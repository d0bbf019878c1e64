"""Readers for training tools' formats: axolotl, LlamaFactory, ms-swift, OpenAI's preference fine-tuning."""

from typing import Any

from real_cli.errors import RecordError
from real_cli.records.messages import as_completion, is_conversation, is_text
from real_cli.records.public.layout_readers import check_question, part_conversations, part_last, prompt_of, rest
from real_cli.records.public.named_prompts import check_asks
from real_cli.records.public.rendered_chats import as_turn
from real_cli.records.record import Record


def name_prompt(record: Record) -> Record:
    """Read chosen and rejected beside a prompt of another name; a single message is a conversation."""
    named = prompt_of(record)
    check_asks(named)
    prompt, uses = named
    chosen, rejected = record["chosen"], record["rejected"]
    if isinstance(prompt, str) and is_conversation(chosen) and is_conversation(rejected):
        prompt = as_turn(prompt)
    if is_conversation(prompt):
        chosen, rejected = as_completion(prompt, chosen), as_completion(prompt, rejected)
    return rest(record, uses, prompt=prompt, chosen=chosen, rejected=rejected)


def replace_last(record: Record) -> Record:
    """Read ms-swift's pairs: the rejected response replaces the last message, or the whole conversation."""
    turns: Any
    if is_conversation(record.get("rejected_messages")):
        turns, uses = prompt_of(record)
        prompt, chosen, rejected = part_conversations(turns, record["rejected_messages"])
        if not prompt:
            raise RecordError("'messages' and 'rejected_messages' share no first message; both must answer one prompt")
        check_question(prompt, chosen, rejected)
        return rest(record, [*uses, "rejected_messages"], prompt=prompt, chosen=chosen, rejected=rejected)
    answer: Any
    if is_text(record.get("response")):
        turns, uses = prompt_of(record)
        answer, used = as_completion(turns, record["response"]), [*uses, "response"]
    else:
        turns, answer, used = part_last(record)
    other = as_completion(turns, record["rejected_response"])
    return rest(record, [*used, "rejected_response"], prompt=turns, chosen=answer, rejected=other)
