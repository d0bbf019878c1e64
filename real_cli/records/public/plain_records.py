"""Records that are in one of our two shapes already and hold strings: nothing of them has to be read in another way.

Most records of a file are so, and all the checks of layouts together take several times as long as these. What is told
plain here comes out of those checks as it is: `adapt` gives the same for it by either way, which a test holds.
"""

from functools import lru_cache
from typing import Any, NamedTuple

from real_cli.records.field_names import OTHER_NAMES, SCORE_NAMES
from real_cli.records.messages import NUMBER_TYPES
from real_cli.records.public.beside_prompts import BESIDE_PROMPT, LISTS, OF_A_SIDE
from real_cli.records.public.chat_forms import BEGINNINGS, LIST_FIELDS, LOOKS_LIKE, PROMPT_FIELDS, RESPONSE_FIELDS
from real_cli.records.public.layout import Layout
from real_cli.records.public.layout_table import LAYOUTS, SETS, possible_layouts
from real_cli.records.public.leading_turns import TURNS_BESIDE
from real_cli.records.public.message_checks import MEDIA_FIELDS
from real_cli.records.public.named_prompts import SYSTEM_FIELDS
from real_cli.records.public.other_sides import OTHER_SIDES
from real_cli.records.record import Record

PAIR, CANDIDATES = frozenset({"prompt", "chosen", "rejected"}), frozenset({"prompt", "responses"})
# A field that layouts or checks look at, beside those of the two shapes.
LOOKED_AT = frozenset(
    {
        *(*PROMPT_FIELDS, *RESPONSE_FIELDS, *LIST_FIELDS, *SYSTEM_FIELDS, *TURNS_BESIDE, *MEDIA_FIELDS, *LISTS),
        *(*BESIDE_PROMPT, *OTHER_NAMES, *(name for sides in OTHER_SIDES for name in sides)),
    }
)
BY_NAME = {layout.name: layout for layout in LAYOUTS}


class PlainFields(NamedTuple):
    """What the names of a record's fields say of it.

    Attributes:
        layout: The row that it is, if its values are plain.
        others: Rows of published sets that may match it none the less.
        scores: Its fields that must be numbers.
    """

    layout: Layout
    others: tuple[Layout, ...]
    scores: tuple[str, ...]


def plain_layout(record: Record) -> Layout | None:
    """Return the row of a record that is candidates or a pair of strings already; None for one to be looked at.

    >>> plain_layout({"prompt": "q", "chosen": "a", "rejected": "b", "id": 7}).name
    'TRL preference'
    >>> plain_layout({"prompt": "q", "chosen": "a", "rejected": "b", "system": "Be kind."})
    """
    fields = _read_fields(tuple(record))
    if fields is None or not _is_plain(record["prompt"]):
        return None
    for name in fields.scores:
        if not _is_number_or_null(record[name]):
            return None
    if "responses" in record:
        are_plain = _are_plain(record["responses"])
    else:
        are_plain = _is_plain(record["chosen"]) and _is_plain(record["rejected"])
    if not are_plain or any(row.matches(record) for row in fields.others):
        return None
    return fields.layout


@lru_cache(maxsize=256)  # most records of a file have the same fields
def _read_fields(names: tuple[str, ...]) -> PlainFields | None:
    """Tell whether names are those of one of our shapes, with none beside them that is looked at."""
    if "responses" in names and OF_A_SIDE.search("\n".join(names)):
        return None
    for needed, layout in ((PAIR, BY_NAME["TRL preference"]), (CANDIDATES, BY_NAME["candidates"])):
        if needed <= set(names) and LOOKED_AT.isdisjoint({*names} - needed):
            others = tuple(row for row in possible_layouts(names) if row in SETS and needed is PAIR)
            return PlainFields(layout, others, tuple(name for name in SCORE_NAMES if name in names))
    return None


def _is_plain(text: Any) -> bool:
    """Tell a string with words, which is no conversation that somebody wrote as text."""
    return (
        type(text) is str
        and not (text.startswith(BEGINNINGS) and LOOKS_LIKE.match(text))
        and not (text.isspace() or not text)
    )


def _is_number_or_null(value: Any) -> bool:
    return value is None or (type(value) is not bool and isinstance(value, NUMBER_TYPES))


def _are_plain(responses: Any) -> bool:
    if type(responses) is not list or not responses:
        return False
    for response in responses:
        if type(response) is not dict or not _is_plain(response.get("text")):
            return False
        for name in ("score", "rank"):
            if name in response and not _is_number_or_null(response[name]):
                return False
    return True
