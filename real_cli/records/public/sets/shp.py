"""SHP and SHP-2: two answers from Reddit, with scores."""

from real_cli.errors import RecordError
from real_cli.records.messages import is_number
from real_cli.records.public.layout import PREFERENCE, Layout
from real_cli.records.public.layout_marks import is_strings
from real_cli.records.public.layout_readers import rest
from real_cli.records.record import Record


def order_answers(record: Record) -> Record:
    """Label the two answers by score, or by `labels` (1: A is preferred) where scores are missing."""
    first: Record = {"text": record["human_ref_A"]}
    second: Record = {"text": record["human_ref_B"]}
    score_a, score_b = record.get("score_A"), record.get("score_B")
    a_preferred = record.get("labels") == 1
    scored = is_number(score_a) and is_number(score_b)
    if scored:
        a_preferred = a_preferred if score_a == score_b else float(str(score_a)) > float(str(score_b))
        first["score"], second["score"] = score_a, score_b
    elif record.get("labels") not in (0, 1):
        raise RecordError(
            "neither score_A and score_B nor 'labels' say which answer is preferred; one of them is needed"
        )
    chosen, rejected = (first, second) if a_preferred else (second, first)
    ours: Record = {"prompt": record["history"], "chosen": chosen["text"], "rejected": rejected["text"]}
    if scored:
        ours |= {"score_chosen": chosen["score"], "score_rejected": rejected["score"]}
    return rest(record, ["history", "human_ref_A", "human_ref_B", "score_A", "score_B"], **ours)


ROWS = (
    Layout(
        "SHP, SHP-2",
        "`history`, `human_ref_A`, `human_ref_B`, `score_A`, `score_B`, `labels`",
        PREFERENCE,
        lambda r: is_strings(r, "history", "human_ref_A", "human_ref_B"),
        order_answers,
        ("history", "human_ref_A", "human_ref_B", "score_A", "score_B"),
    ),
)
