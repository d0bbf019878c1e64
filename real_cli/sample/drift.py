"""DRIFT's positives: a better reply than one that left a user dissatisfied."""

import re

from real_cli.errors import RecordError, UsageError, clip
from real_cli.records.layouts import PROMPT, Adapted
from real_cli.records.messages import as_completion, is_text, plain_text, transcript
from real_cli.records.public.chat_forms import read_forms
from real_cli.records.public.leading_turns import lead_with_history, lead_with_system
from real_cli.records.public.message_checks import check_media
from real_cli.records.questions import Choice, Inquiry
from real_cli.records.record import STALE_FIELDS, Record, labeled_fields, pair_fields
from real_cli.sample.responses import DrawnTexts, Plan, Sampled, ask_choices

IMPROVING = """\
Below are a conversation, the assistant's last reply, and what the user said about that reply.

# Conversation

{prompt}

# Reply

{rejected}

# What the user said about it

{complaint}

# Task

Write the reply that the assistant should have given. Keep what was good, repair what the user was dissatisfied with, \
and do not mention the first reply. Write the new reply only."""
IMPROVING_HOLES = ("{prompt}", "{rejected}", "{complaint}")
HOLE = re.compile(r"\{(prompt|rejected|complaint)\}")


def read_complaint(record: Record) -> Adapted:
    """Read a record of `relabel dsat`; a system message and a `history` come to lead its prompt.

    >>> read_complaint({"prompt": "q", "rejected": "a", "user_preference": {"content": "wrong"}}).layout.name
    'prompt'
    """
    record = read_forms(record)
    for field in ("prompt", "rejected"):
        if not is_text(record.get(field)):
            problem = f"is {clip(record[field])}" if field in record else "is missing"
            raise RecordError(
                f"field '{field}' {problem}; 'real relabel dsat' writes 'prompt', 'rejected' and the complaint"
            )
    complaint = record.get("user_preference")
    if (
        not isinstance(complaint, dict)
        or not isinstance(complaint.get("content"), str)
        or not complaint["content"].strip()
    ):
        raise RecordError(f"field 'user_preference' is {clip(complaint)}; {{'content': what the user said}} is needed")
    record = lead_with_system(lead_with_history(record))
    check_media(record)
    return Adapted(record, PROMPT)


def sample_improved(record: Record, plan: Plan) -> Inquiry[Sampled]:
    """Ask for a better reply: it is `chosen`, and `rejected` stays byte for byte.

    The record is None if the new reply is empty, or equals the old one.

    References:
        Wang et al., 2025, DRIFT, arXiv:2510.02341: genuine negatives stay, positives are the policy's own.
    """
    prompt, rejected = record["prompt"], record["rejected"]
    words = {
        "prompt": transcript(prompt),
        "rejected": transcript(rejected),
        "complaint": record["user_preference"]["content"],
    }
    # In one pass: a reply that holds "{prompt}" itself stays.
    content = HOLE.sub(lambda hole: words[hole[1]], plan.template)
    asked = yield from ask_choices(prompt, [[{"role": "user", "content": content}]], plan)
    return _improved(record, asked.choices[0], asked, plan)


def _improved(record: Record, choice: Choice, asked: DrawnTexts, plan: Plan) -> Sampled:
    text = choice.text.strip()
    if not text or text == plain_text(record["rejected"]).strip():
        return Sampled(None, asked, "improved reply that is empty" if not text else "reply that was not improved")
    stale = {names[0] for field, names in labeled_fields(record).items() if field != "text"}
    stale |= {*pair_fields(record), *STALE_FIELDS}
    kept = {name: value for name, value in record.items() if name not in stale and name != "chosen"}
    improved: Record = {}
    for name, value in kept.items():  # beside the rejected one, as everywhere
        if name == "rejected":
            improved["chosen"] = as_completion(record["prompt"], text)
        improved[name] = value
    mark = {"model": plan.policy, "is_cut": choice.is_cut}
    return Sampled(improved | {"improve": mark}, asked, num_replaced="chosen" in record)


def check_improving(template: str) -> str:
    """Check the words that ask for a better reply: {prompt}, {rejected} and {complaint} are in them.

    >>> check_improving("{prompt} {rejected} {complaint} Do better.")[-10:]
    'Do better.'
    """
    missing = [hole for hole in IMPROVING_HOLES if hole not in template]
    if missing:
        raise UsageError(f"--template {clip(template)}: lacks {', '.join(missing)}")
    return template
