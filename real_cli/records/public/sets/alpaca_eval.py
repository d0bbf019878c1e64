"""AlpacaEval and AlpacaFarm: two outputs, and a preference from 1 to 2."""

from real_cli.errors import RecordError, clip
from real_cli.records.public.comparisons import decide, read_number
from real_cli.records.public.layout import EITHER, Layout
from real_cli.records.public.layout_marks import has_prompt, is_strings
from real_cli.records.public.layout_readers import prompt_of
from real_cli.records.record import Record


def read_preference(record: Record) -> Record:
    """AlpacaEval and AlpacaFarm: `preference` from 1, the first output, to 2; 1.5, and once 0, is a tie.

    The score of each is the probability that it is preferred.
    """
    preference = read_number(record, "preference") or 1.5
    if not 1 <= preference <= 2:
        raise RecordError(f"field 'preference' is {clip(record['preference'])}; a number from 1 to 2 is needed")
    prompt, uses = prompt_of(record)
    used = [*uses, "output_1", "output_2", "preference"]
    sides: list[Record] = []
    for number in (1, 2):
        side: Record = {"text": record[f"output_{number}"]}
        if f"generator_{number}" in record:
            side["model"] = record[f"generator_{number}"]
            used.append(f"generator_{number}")
        chance = preference - 1 if number == 2 else 2 - preference
        sides.append(side | {"score": round(chance, 12)})
    winner = None if preference == 1.5 else int(preference > 1.5)
    return decide(record, used, prompt, (sides[0], sides[1]), winner)


ROWS = (
    Layout(
        "AlpacaEval annotations",
        "`instruction` (and `input`), `output_1`, `output_2`, `generator_1`, `generator_2`, `preference` from 1 to 2; "
        "scores are the probabilities",
        EITHER,
        lambda r: is_strings(r, "output_1", "output_2") and "preference" in r and has_prompt(r),
        read_preference,
        ("instruction", "output_1", "output_2", "generator_1", "generator_2", "preference"),
    ),
)
