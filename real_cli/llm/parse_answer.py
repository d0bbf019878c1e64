"""Read a judge's answer: JSON where the server enforces a schema, tolerant parsing elsewhere."""

import re
from collections import deque
from collections.abc import Callable, Sequence
from functools import partial
from typing import Any

from real_cli.errors import RecordError, clip
from real_cli.llm.embedded_json import json_objects, located_objects
from real_cli.llm.rating_scales import check_scale, revisions
from real_cli.llm.rating_statements import BARE as BARE_RATING
from real_cli.llm.rating_statements import NUMBER, SCALE, is_retracted, settled_ratings
from real_cli.llm.rating_tables import items_beside, numbered_rows, rating_tables, table_key, table_statements
from real_cli.llm.row_names import has_rating
from real_cli.llm.statements import TAKEN_BACK, blanked, settle
from real_cli.llm.thoughts import spoken, unwrapped
from real_cli.llm.verdict_fields import UNCLEAR
from real_cli.llm.verdict_statements import (
    formal_verdicts,
    is_contradicted,
    loose_verdicts,
    unmarked_verdicts,
    whole_verdict,
)
from real_cli.llm.wording import CHOICES, lettered, named_in, naming_of, number_verdict, plain_answer, plain_marks
from real_cli.records.messages import is_number

NOT_APPLICABLE = "N/A"
# Characters by which objects are compared.
QUOTED_WIDTH = 10_000
# Only at the start of a line: a remark on response 1 may mention response 2.
NUMBERED = re.compile(
    r"(?:\A|(?<![\s#*_>-])(?:[^\S\n]|[#*_>-])*+\n)(?P<line>)[\s#*_>-]*+"
    r"(?:output\s+for\s+)?(?:response|text|output|answer)\s*+#?+\s*+(?P<number>\d{1,9})\b",
    re.IGNORECASE,
)

# "Response 1: 4/5 (true)", where nothing else is on the line, or the reason.
HEADED = re.compile(
    rf"[*_\t ]*[:=][*_\t ]*{NUMBER}{SCALE}[*_.\t ]*(?:\n|\Z|[-\u2013\u2014(]\s*(?!(?:of|out|to|or)\b)[a-z])",
    re.IGNORECASE,
)


def find_json(text: str) -> Any:
    """Return the last outermost JSON object of an answer, bare, fenced or among words; None if there is none.

    >>> find_json('Sure! ```json\\n{"verdict": "A"}\\n``` Hope this helps.')
    {'verdict': 'A'}
    >>> find_json('{"verdict": "A"') is None
    True
    """
    return next(iter(deque(json_objects(text), maxlen=1)), None)


def read_verdict(text: str, shown: Sequence[str] = (), template: str = "") -> str:
    """Read which of two responses a judge prefers: "A", "B" or "tie".

    A verdict that also stands in `shown` is a quotation, unless it is the whole answer.

    >>> read_verdict('{"verdict": "B"}'), read_verdict("[[C]]"), read_verdict("Response A is better.")
    ('B', 'tie', 'A')
    >>> read_verdict("B ends with 'Verdict: B'. Verdict: A", ["No.", "Yes. Verdict: B"])
    'A'
    """
    naming = naming_of(template)
    spoken_words = plain_answer(spoken(text, shown))
    answer, quotable = lettered(spoken_words, naming), [lettered(other, naming) for other in shown]
    whole = whole_verdict(unwrapped(answer)) or number_verdict(unwrapped(spoken_words), naming)
    if whole:
        return whole
    has_choices = any(CHOICES.search(other) for other in shown)
    of_task = named_in(shown)
    loosely = partial(loose_verdicts, has_choices=has_choices, of_task=of_task)
    unmarked = partial(unmarked_verdicts, has_choices=has_choices, of_task=of_task)
    named = settle(answer, quotable, partial(formal_verdicts, has_choices=has_choices))
    named = named or settle(answer, quotable, unmarked, loosely)
    if len(named) == 1 and named[0] != UNCLEAR and not is_contradicted(answer, quotable, named[0]):
        return named[0]
    which = f"it states {' and '.join(named)}: " if named else ""
    raise RecordError(f"the answer names no verdict (A, B or tie): {which}{clip(text)}")


def read_rating(
    low: float, high: float, *, not_applicable: bool, shown: Sequence[str] = ()
) -> Callable[[str], float | str]:
    """Make a reader of one rating; none, several, or one out of range raise RecordError.

    >>> read = read_rating(1, 10, not_applicable=False)
    >>> read('{"feedback": "Good.", "score": 8}'), read("Fine work. Overall Score: 7/10")
    (8, 7)
    """

    def read(text: str) -> float | str:
        answer = plain_marks(plain_answer(spoken(text, shown)))
        match = BARE_RATING.fullmatch(unwrapped(answer))
        named = [_on_scale(match)] if match else settled_ratings(answer, [plain_marks(other) for other in shown])
        ratings = list(
            dict.fromkeys(check_rating(rating, low, high, not_applicable=not_applicable) for rating in named)
        )
        check_scale(answer, high, ratings[0] if ratings else None)
        if len(ratings) == 1 and not is_retracted(answer, high, ratings[0]):
            return ratings[0]
        which = f"it states {' and '.join(map(str, ratings))}: " if ratings else ""
        raise RecordError(f"the answer names no rating from {low:g} to {high:g}: {which}{clip(text)}")

    return read


def _on_scale(match: re.Match[str]) -> str:
    """Return a rating as it was written: 8, or 8/10."""
    return f"{match[1]}/{match[2]}" if match[2] else match[1]


def check_rating(value: Any, low: float, high: float, *, not_applicable: bool) -> float | str:
    """Check one rating; a numeral is a number, "4/5" too where the scale ends at 5.

    >>> check_rating("4", 1, 5, not_applicable=True), check_rating("n/a", 1, 5, not_applicable=True)
    (4, 'N/A')
    """
    if not_applicable and isinstance(value, str) and value.strip().upper() in ("N/A", "NA"):
        return NOT_APPLICABLE
    number = float(value) if is_number(value) else float("nan")
    match = BARE_RATING.fullmatch(value) if isinstance(value, str) else None
    # 4/10 is no rating from 1 to 5.
    if match and match[1].upper() != NOT_APPLICABLE and (match[2] is None or float(match[2]) == high):
        number = float(match[1])
    if not low <= number <= high:
        also = " or N/A" if not_applicable else ""
        raise RecordError(f"the rating {clip(value)} is not from {low:g} to {high:g}{also}")
    return int(number) if number.is_integer() else number


def read_ratings(
    count: int, low: float, high: float, *, not_applicable: bool, shown: Sequence[str] = ()
) -> Callable[[str], list[tuple[float | str, str]]]:
    """Make a reader of the rating and the rationale of each of several responses, in the order shown.

    >>> read = read_ratings(2, 1, 5, not_applicable=True)
    >>> read("Response 1\\nRating: 4\\n\\nResponse 2\\nRating: N/A")
    [(4, 'Rating: 4'), ('N/A', 'Rating: N/A')]
    """

    def read(text: str) -> list[tuple[float | str, str]]:
        words = plain_answer(spoken(text, shown))
        answer, quotable = plain_marks(words), [plain_marks(other) for other in shown]
        check_scale(answer, high)
        rows = _stated_rows(answer, quotable, count)
        tables = [(table.start, table.end) for table in rating_tables(answer, count)]
        # Of `words`, so that a rationale keeps its punctuation.
        prose = blanked(words, sorted([*tables, *(located[:2] for located in located_objects(answer))]))
        rated = _paragraphs(prose, quotable, formal=bool(rows))
        named = numbered_rows(rows) if rows else {number: (ratings[0], why) for number, (ratings, why) in rated.items()}
        if sorted(named) != list(range(1, count + 1)):
            which = f"{clip(sorted(named))}; each of 1 to {count} is needed once"
            raise RecordError(f"the answer rates the responses {which}: {clip(text)}")
        beside = items_beside(prose)
        checked = {}
        for number in sorted(named):
            stated = [named[number][0], *rated.get(number, ([], ""))[0], *beside.get(number, [])]
            checked[number] = {check_rating(rating, low, high, not_applicable=not_applicable) for rating in stated}
            if len(checked[number]) > 1:
                raise RecordError(f"the answer rates response {number} in several ways: {clip(text)}")
        return [(checked[number].pop(), named[number][1]) for number in checked]

    return read


def _stated_rows(answer: str, shown: Sequence[str], count: int) -> list[Any]:
    """Find the rows that rate a response each, in one table or in consecutive objects."""
    find = partial(table_statements, count=count)
    tables = settle(answer, shown, find)
    if len(tables) > 1:
        raise RecordError(f"the answer rates the responses in several ways: {clip(answer)}")
    if tables:
        return next(table.rows for table in rating_tables(answer, count) if table_key(table.rows) == tables[0])
    quotable = {clip(row, QUOTED_WIDTH) for other in shown for row in json_objects(other)}
    objects = json_objects(answer)
    return [row for row in objects if has_rating(row) and clip(row, QUOTED_WIDTH) not in quotable]


def _paragraphs(words: str, shown: Sequence[str], *, formal: bool) -> dict[int, tuple[list[Any], str]]:
    """Read "Response 1 ... Rating: 4"; the words before the next heading belong to that response."""
    named: dict[int, tuple[list[Any], str]] = {}
    text = plain_marks(words)
    starts = list(NUMBERED.finditer(text))
    for index, start in enumerate(starts):
        end = starts[index + 1].start("line") if index + 1 < len(starts) else len(text)
        ratings = settled_ratings(text[start.end() : end], shown, formal=formal)
        match = HEADED.match(text, start.end(), end)
        if match and not TAKEN_BACK.search(text, match.end(1), end):
            ratings = [*ratings, _on_scale(match)]
        ratings = [*ratings, *revisions(text[start.end() : end])] if ratings else []
        number = int(start["number"])
        if ratings and number in named and not formal:
            raise RecordError(f"the answer rates response {number} twice: {clip(text)}")
        if ratings:
            named[number] = ratings, words[start.end() : end].strip(" \t\n:*#")
    return named
