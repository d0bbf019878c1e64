"""PKU-SafeRLHF: which of two responses is better, which is safer."""

from real_cli.errors import RecordError, clip
from real_cli.records.public.comparisons import decide, read_number
from real_cli.records.public.layout import PREFERENCE, Layout
from real_cli.records.record import Record

SAFE_FIELDS = {
    "response_{}_severity_level": "severity_level",
    "response_{}_harm_category": "harm_category",
    "response_{}_source": "source",
    "response_{}_sha256": "sha256",
    "is_response_{}_safe": "is_safe",
}


def choose_better(record: Record) -> Record:
    """PKU-SafeRLHF: the better response is chosen; which is the safer one stays beside it."""
    winner = read_number(record, "better_response_id")
    if winner not in (0, 1):
        raise RecordError(f"field 'better_response_id' is {clip(record['better_response_id'])}; 0 or 1 is needed")
    sides: list[Record] = [{"text": record[f"response_{number}"]} for number in (0, 1)]
    uses = ["response_0", "response_1", "better_response_id"]
    for pattern, name in SAFE_FIELDS.items():
        names = [pattern.format(number) for number in (0, 1)]
        if all(field in record for field in names):
            uses += names
            for side, field in zip(sides, names, strict=True):
                side[name] = record[field]
    if "safer_response_id" in record:
        uses.append("safer_response_id")
        safer = read_number(record, "safer_response_id")
        for number, side in enumerate(sides):
            side["is_safer"] = safer == number
    return decide(record, uses, record["prompt"], (sides[0], sides[1]), int(winner))


ROWS = (
    Layout(
        "PKU-SafeRLHF",
        "`prompt`, `response_0`, `response_1`, `better_response_id`; which is safe and safer stays beside each",
        PREFERENCE,
        lambda r: {"prompt", "response_0", "response_1", "better_response_id"} <= r.keys(),
        choose_better,
        ("response_0", "response_1", "better_response_id", "safer_response_id"),
    ),
)
