"""OpenAI's preference fine-tuning: what is asked in `input`, two outputs of messages."""

from real_cli.records.messages import as_completion
from real_cli.records.public.chat_forms import text_form
from real_cli.records.public.layout import PREFERENCE, Layout
from real_cli.records.public.layout_readers import rest
from real_cli.records.record import Record


def is_openai(record: Record) -> bool:
    """Tell preference data for fine-tuning by OpenAI."""
    asked = record.get("input")
    return isinstance(asked, dict) and "messages" in asked and "preferred_output" in record


def read_openai(record: Record) -> Record:
    """Read OpenAI's preference fine-tuning: what is asked in `input`, two outputs of messages."""
    asked = record["input"]
    prompt = text_form(asked["messages"], "input.messages")
    sides = (record["preferred_output"], record.get("non_preferred_output"))
    chosen, rejected = (as_completion(prompt, side) for side in sides)  # type: ignore[arg-type]
    others = {field: value for field, value in asked.items() if field != "messages"}
    uses = ["input", "preferred_output", "non_preferred_output"]
    return rest(record, uses, prompt=prompt, chosen=chosen, rejected=rejected, **others)


ROWS = (
    Layout(
        "OpenAI preference",
        "`input`: {`messages`, `tools`}, `preferred_output`, `non_preferred_output`: messages",
        PREFERENCE,
        is_openai,
        read_openai,
        ("input", "preferred_output", "non_preferred_output"),
    ),
)
