"""Answers from Stack Exchange: with scores, or the better and the worse one."""

from real_cli.records.public.comparisons import objects, read_number
from real_cli.records.public.layout import CANDIDATES, PREFERENCE, Layout
from real_cli.records.public.layout_marks import has_prompt, is_list, is_strings
from real_cli.records.public.layout_readers import prompt_of, rest
from real_cli.records.record import Record


def score_answers(record: Record) -> Record:
    """Stack Exchange: answers with `pm_score`."""
    answers = objects(record, "answers", "text")
    responses = []
    for answer in answers:
        score = {} if answer.get("pm_score") is None else {"score": read_number(answer, "pm_score")}
        others = {field: value for field, value in answer.items() if field not in ("text", "pm_score")}
        responses.append({"text": answer["text"], **score, **others})
    prompt, uses = prompt_of(record)
    return rest(record, [*uses, "answers"], prompt=prompt, responses=responses)


def name_letters(record: Record) -> Record:
    """Stack Exchange, paired: `response_j` was preferred."""
    prompt, uses = prompt_of(record)
    used = [*uses, "response_j", "response_k"]
    return rest(record, used, prompt=prompt, chosen=record["response_j"], rejected=record["response_k"])


ROWS = (
    Layout(
        "Stack Exchange preferences",
        "`question`, `answers`: [{`text`, `pm_score`}]",
        CANDIDATES,
        lambda r: is_list(r, "answers", "text") and has_prompt(r),
        score_answers,
        ("question", "answers"),
    ),
    Layout(
        "Stack Exchange, paired",
        "`question`, `response_j` (the better one), `response_k`",
        PREFERENCE,
        lambda r: is_strings(r, "response_j", "response_k") and has_prompt(r),
        name_letters,
        ("question", "response_j", "response_k"),
    ),
)
