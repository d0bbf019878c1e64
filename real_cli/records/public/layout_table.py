"""The table of layouts: how a record's fields tell each, what it becomes, and which function reads it.

The first row that matches wins: our own records, then what the files of `sets` know by fields of its own, then layouts
with ever fewer marks. A row names a plain function that reads, and the fields that are gone once it has: the next
command in a pipe meets none of them.
"""

from functools import lru_cache
from importlib import import_module
from pkgutil import iter_modules

from real_cli.records.public import sets, training_readers
from real_cli.records.public.layout import CANDIDATES, PREFERENCE, Layout
from real_cli.records.public.layout_marks import (
    are_arrays,
    are_conversations,
    are_transcripts,
    has_other_sides,
    is_binarized,
    is_mixed,
    is_named_pair,
    is_rejection,
    is_row,
    is_strings,
)
from real_cli.records.public.layout_readers import (
    RESPONSE_FIELDS,
    first_text_list,
    join_arrays,
    keep,
    split_binarized,
    split_conversations,
    split_texts,
    split_transcripts,
    unify_forms,
    wrap_response,
)
from real_cli.records.public.other_sides import OTHER_SIDES, with_usual_sides
from real_cli.records.record import Record

# Listing the folder makes a layout one file: no registry, no entry points, nothing from outside the package. Order by
# name decides nothing: the rows exclude each other, and a test says so.
MODULES = [import_module(f"{sets.__name__}.{module.name}") for module in iter_modules(sets.__path__)]
SETS: tuple[Layout, ...] = tuple(row for module in MODULES for row in module.ROWS)


def _read_other_sides(record: Record) -> Record:
    """Give both sides their usual names, then read the pair by the row that knows it."""
    renamed = with_usual_sides(record)
    return next(layout for layout in LAYOUTS if layout.matches(renamed)).adapt(renamed)


PROMPT = Layout("prompt", "`prompt`", "prompt", lambda r: "prompt" in r, keep)

LAYOUTS = (
    Layout(
        "candidates",
        "`prompt`, `responses`: [{`text`, ...}]",
        CANDIDATES,
        lambda r: isinstance(r.get("responses"), list) and not first_text_list(r, ["responses"]) and "prompt" in r,
        keep,
    ),
    Layout(
        "parallel arrays",
        "`prompt` or `instruction`, `responses` or `generations`: [text], with `scores`, `ratings`, "
        "`rating`, `score`, `rewards`, `ranks`, `rank`, `models`, `generation_model`, `embeddings` of the same length "
        "(distilabel, Magpie)",
        CANDIDATES,
        are_arrays,
        join_arrays,
    ),
    *SETS,
    Layout(
        "ms-swift",
        "`messages` and `rejected_response` (for the last message) or `rejected_messages`; or `query`, `response`, "
        "`rejected_response`, with `history` and `system`",
        PREFERENCE,
        is_rejection,
        training_readers.replace_last,
        ("rejected_response", "rejected_messages"),
    ),
    Layout(
        "chosen and rejected by other names",
        "`chosen_response`, `response_chosen`, `accepted` or `preferred`, and the same of the rejected one, beside a "
        "prompt of any name; `chosen_conversations`, `rejected_conversations`, with the prompt inside",
        PREFERENCE,
        has_other_sides,
        _read_other_sides,
        tuple(name for names in OTHER_SIDES for name in names if name not in ("chosen", "rejected")),
    ),
    Layout(
        "HH-RLHF",
        "`chosen`, `rejected`: transcripts; the prompt ends at the last `Assistant:` they share",
        PREFERENCE,
        are_transcripts,
        split_transcripts,
    ),
    Layout(
        "prompt by another name",
        "`chosen`, `rejected`: texts, conversations or one message each; the prompt is `instruction`, `question`, "
        "`query`, `problem`, `input` or `context` (`input` or `context` after one of the others on a new line), "
        "`messages`, `conversations` or `trajectory`, after `history` (axolotl, LlamaFactory, Intel Orca)",
        PREFERENCE,
        is_named_pair,
        training_readers.name_prompt,
        ("instruction", "question", "query", "problem", "messages", "conversations", "trajectory"),
    ),
    Layout(
        "UltraFeedback binarized",
        "`prompt`: text, `chosen`, `rejected`: conversations that begin with the prompt",
        PREFERENCE,
        is_binarized,
        split_binarized,
    ),
    Layout(
        "TRL, mixed",
        "`prompt`: conversation, `chosen`, `rejected`: texts; or the other way round",
        PREFERENCE,
        is_mixed,
        unify_forms,
    ),
    Layout(
        "TRL preference",
        "`prompt`, `chosen`, `rejected`: all texts or all conversations",
        PREFERENCE,
        lambda r: {"prompt", "chosen", "rejected"} <= r.keys(),
        keep,
    ),
    Layout(
        "TRL implicit prompt",
        "`chosen`, `rejected`: conversations; the prompt is the messages they share",
        PREFERENCE,
        lambda r: "prompt" not in r and are_conversations(r),
        split_conversations,
    ),
    Layout(
        "TRL implicit prompt, text",
        "`chosen`, `rejected`: texts; the prompt is the words they begin with, of dialogues in a template's marks or "
        "with `User:` and `Assistant:` up to the last answer they share, and no other field may be it",
        PREFERENCE,
        lambda r: "prompt" not in r and is_strings(r, "chosen", "rejected"),
        split_texts,
    ),
    Layout(
        "one response a row",
        "a prompt of any name, `response`, `completion` or `output`, with `score`, `label`, `kto_tag` or `generator`; "
        "or `messages` that end with it, with `score` or `label`; rows of one prompt and context are joined "
        "(TRL unpaired, Alpaca, dolly, flat)",
        CANDIDATES,
        is_row,
        wrap_response,
        ("instruction", *RESPONSE_FIELDS),
        one_response_a_row=True,
    ),
)


@lru_cache(maxsize=64)
def possible_layouts(names: tuple[str, ...]) -> tuple[Layout, ...]:
    """Leave out the rows of sets without a field that they use: most records of a file have the same fields.

    >>> [layout.name for layout in possible_layouts(("prompt", "chosen", "rejected"))].count("SHP, SHP-2")
    0
    """
    fields = set(names)
    return tuple(
        layout for layout in LAYOUTS if layout not in SETS or not layout.uses or not fields.isdisjoint(layout.uses)
    )
