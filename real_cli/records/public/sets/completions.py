"""NeMo-RL and Vertex AI: completions that carry a rank or a score each."""

from typing import Any

from real_cli.errors import RecordError, clip
from real_cli.records.messages import as_completion, is_conversation, is_text
from real_cli.records.public.chat_forms import join_parts, text_form
from real_cli.records.public.comparisons import read_number
from real_cli.records.public.layout import CANDIDATES, Layout
from real_cli.records.public.layout_marks import is_list
from real_cli.records.public.layout_readers import rest
from real_cli.records.record import Record


def rank_completions(record: Record) -> Record:
    """NeMo-RL: completions of a context with ranks from 0, the best; ours begin with 1."""
    responses = _completions(record, record["context"])
    ranks = [read_number(response, "rank") for response in responses]
    ranked = [response | {"rank": rank - min(ranks) + 1} for response, rank in zip(responses, ranks, strict=True)]
    return rest(record, ["context", "completions"], prompt=record["context"], responses=ranked)


def score_completions(record: Record) -> Record:
    """Vertex AI: completions of Gemini's contents, the preferred one with score 1 and the other with 0."""
    prompt: Any = text_form(record["contents"], "contents")
    if not is_conversation(prompt):
        raise RecordError(f"field 'contents' is {clip(record['contents'])}; messages of 'role' and 'parts' are needed")
    names = [name for name in ("system_instruction", "systemInstruction") if record.get(name)]
    for name in names[:1]:
        words: Any = record[name]
        if isinstance(words, dict) and isinstance(words.get("parts"), list):
            words = join_parts(words["parts"])
        if not isinstance(words, str):
            raise RecordError(f"field '{name}' is {clip(record[name])}; parts that are text are needed")
        prompt = [{"role": "system", "content": words}, *prompt]
    responses = _completions(record, prompt)
    return rest(record, ["contents", "completions", *names], prompt=prompt, responses=responses)


def _completions(record: Record, prompt: Any) -> list[Record]:
    responses: list[Record] = []
    for number, value in enumerate(record["completions"], 1):
        completion = value.get("completion") if isinstance(value, dict) else None
        text: Any = as_completion(prompt, text_form(completion, f"completions[{number - 1}].completion"))
        if not is_text(text):
            raise RecordError(f"completion {number} has no 'completion' that is messages: {clip(value)}")
        responses.append({"text": text} | {name: value[name] for name in value if name != "completion"})
    return responses


ROWS = (
    Layout(
        "NeMo-RL",
        "`context`: conversation, `completions`: [{`completion`: messages, `rank`}], the lowest rank the best",
        CANDIDATES,
        lambda r: is_conversation(r.get("context")) and is_list(r, "completions", "completion", "rank"),
        rank_completions,
        ("context", "completions"),
    ),
    Layout(
        "Vertex AI preference",
        "`contents`: Gemini's messages, `completions`: [{`completion`: a message, `score`}], `system_instruction`",
        CANDIDATES,
        lambda r: isinstance(r.get("contents"), list) and is_list(r, "completions", "completion"),
        score_completions,
        ("contents", "completions", "system_instruction", "systemInstruction"),
    ),
)
