"""RewardBench 2: right and wrong responses in two lists."""

from real_cli.records.messages import is_text
from real_cli.records.public.layout import CANDIDATES, Layout
from real_cli.records.public.layout_readers import first_text_list, rest
from real_cli.records.record import Record


def rank_lists(record: Record) -> Record:
    """RewardBench 2: the right responses share rank 1, the wrong ones rank 2."""
    responses: list[Record] = [
        {"text": text, "rank": rank} for rank, side in ((1, "chosen"), (2, "rejected")) for text in record[side]
    ]
    uses = ["chosen", "rejected"]
    models = record.get("models")
    if isinstance(models, list) and len(models) == len(responses):
        uses.append("models")
        for response, model in zip(responses, models, strict=True):
            response["model"] = model
    return rest(record, uses, prompt=record["prompt"], responses=responses)


ROWS = (
    Layout(
        "RewardBench 2",
        "`prompt`, `chosen`, `rejected`: lists of texts",
        CANDIDATES,
        lambda r: (
            "prompt" in r
            and all(first_text_list(r, [side]) and not is_text(r[side]) for side in ("chosen", "rejected"))
        ),
        rank_lists,
        ("chosen", "rejected"),
    ),
)
