"""What to say of a record that no layout matches."""

from real_cli.errors import clip
from real_cli.records.messages import is_text
from real_cli.records.public.jq_lines import CHOICE_FIELDS, append_line
from real_cli.records.public.layout_marks import has_prompt
from real_cli.records.public.layout_readers import PARALLEL_FIELDS, RESPONSE_FIELDS, first_text_list
from real_cli.records.public.named_prompts import WORD_FIELDS
from real_cli.records.record import Record

TWO_SIDES = tuple(
    (f"{name}_{first}", f"{name}_{second}")
    for name in ("response", "answer", "output", "completion")
    for first, second in ("ab", "AB", "12", "01")
)


def nearest(record: Record) -> str:
    """Say what a record lacks of the layout it resembles most, with a jq line where that helps.

    >>> nearest({"prompt": "q", "chosen": "a"})
    "field 'rejected' is missing; a pair has 'prompt', 'chosen' and 'rejected'"
    """
    hint = _ordered_outputs(record) or _choices(record) or _two_sides(record)
    if hint:
        return hint
    if "responses" in record and not isinstance(record["responses"], list):
        return f"field 'responses' is {clip(record['responses'])}; a list of objects with 'text' is needed"
    for field in PARALLEL_FIELDS["text"]:
        texts = record.get(field)
        if isinstance(texts, list) and not all(is_text(text) or isinstance(text, dict) for text in texts):
            number = next(n for n, text in enumerate(texts, 1) if not (is_text(text) or isinstance(text, dict)))
            return f"{field} {number} is {clip(texts[number - 1])}; each must be a string or a conversation"
    if "responses" in record:
        return "field 'prompt' is missing; each record needs 'prompt' and 'responses'"
    for field, other in (("chosen", "rejected"), ("rejected", "chosen")):
        if field in record and other not in record:
            return f"field '{other}' is missing; a pair has 'prompt', 'chosen' and 'rejected'"
    if "prompt" in record:
        return "field 'responses' is missing; each record needs 'prompt' and 'responses', or 'chosen' and 'rejected'"
    return f"no known layout has the fields {clip(sorted(record))}; each record needs 'prompt' and 'responses'"


def _ordered_outputs(record: Record) -> str:
    """Hint at a pair in a list, LlamaFactory's once, the better one first; other lists have no order."""
    field = first_text_list(record, RESPONSE_FIELDS)
    if not field or is_text(record[field]) or not has_prompt(record):
        return ""
    others = f"jq -c '.responses = .{field} | del(.{field})' if they have no order"
    if len(record[field]) != 2:
        return f"field '{field}' is a list of {len(record[field])}; {others}"
    return (
        f"field '{field}' is a list of two; jq -c '.chosen = .{field}[0] | .rejected = .{field}[1] | del(.{field})' if "
        f"the first is the better one, as in LlamaFactory's former layout, {others}"
    )


def _choices(record: Record) -> str:
    """Hint at a question with choices, as in MMLU, ARC and MedQA, and no response yet."""
    field = next((field for field in CHOICE_FIELDS if isinstance(record.get(field), list | dict)), "")
    asked = next((name for name in ("prompt", *WORD_FIELDS) if isinstance(record.get(name), str)), "")
    if not field or not asked or not record[field]:
        return ""
    return (
        f"field '{field}' holds what '{asked}' may be answered with, and nothing is an answer; "
        f"{append_line(asked, field, record[field])} puts the choices into the question, and 'real sample' answers it"
    )


def _two_sides(record: Record) -> str:
    """Hint at two responses under names of their own, whose better one no layout tells."""
    names = next((names for names in TWO_SIDES if all(is_text(record.get(name)) for name in names)), None)
    if not names or not has_prompt(record):
        return ""
    first, second = names
    lines = [
        f"jq -c '.chosen = .{better} | .rejected = .{worse} | del(.{first}, .{second})'"
        for better, worse in (names, names[::-1])
    ]
    return (
        f"no known layout says which of '{first}' and '{second}' is better here; {lines[0]} where the first is, "
        f"{lines[1]} where the second is"
    )
