"""WebGPT comparisons: two answers to a question, with scores."""

from real_cli.records.public.layout import CANDIDATES, Layout
from real_cli.records.public.layout_marks import is_strings
from real_cli.records.public.layout_readers import rest
from real_cli.records.record import Record


def is_webgpt(record: Record) -> bool:
    """Tell two answers to a question that is an object."""
    asked = record.get("question")
    return isinstance(asked, dict) and is_strings(asked, "full_text") and is_strings(record, "answer_0", "answer_1")


def score_pair(record: Record) -> Record:
    """WebGPT: two answers with scores, quotes and tokens; equal scores stay a tie."""
    question = record["question"]
    responses: list[Record] = []
    uses = ["question"]
    for number in (0, 1):
        names = {name: f"{name}_{number}" for name in ("quotes", "tokens") if f"{name}_{number}" in record}
        response: Record = {"text": record[f"answer_{number}"], "score": record.get(f"score_{number}")}
        responses.append(response | {name: record[field] for name, field in names.items()})
        uses += [f"answer_{number}", f"score_{number}", *names.values()]
    about = {f"question_{name}": value for name, value in question.items() if name != "full_text"}
    ordered = {name: about[name] for name in sorted(about, reverse=True)}
    return rest(record, uses, prompt=question["full_text"], responses=responses, **ordered)


ROWS = (
    Layout(
        "WebGPT comparisons",
        "`question`: {`full_text`}, `answer_0`, `answer_1`, `score_0`, `score_1`",
        CANDIDATES,
        is_webgpt,
        score_pair,
        ("question", "answer_0", "answer_1", "score_0", "score_1"),
    ),
)
