"""What a judge's words say: JSON where the server holds it to a schema, tolerant reading where not."""

import re
from collections import deque
from collections.abc import Callable, Sequence
from functools import partial
from itertools import chain
from typing import Any

from real_cli.errors import RecordError, clip
from real_cli.llm.embedded_json import json_objects, located_objects
from real_cli.llm.rating_statements import BARE as BARE_RATING
from real_cli.llm.rating_statements import NUMBER, SCALE, settled_ratings
from real_cli.llm.rating_tables import numbered_rows, rating_tables, table_key, table_statements
from real_cli.llm.statements import TAKEN_BACK, blanked, settle
from real_cli.llm.thoughts import spoken, unwrapped
from real_cli.llm.verdict_statements import UNCLEAR, bare_verdicts, formal_verdicts, loose_verdicts, whole_verdict
from real_cli.llm.wording import CHOICES, lettered, named_in, naming_of, number_verdict, plain_answer, plain_marks
from real_cli.records.messages import is_number

NOT_APPLICABLE = "N/A"
# An object is told from others by so much of it.
QUOTED_WIDTH = 10_000
# At the start of a line: what is said of response 1 may name response 2.
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
    """Find the JSON object in an answer: all of it, in a code fence, or among words.

    Args:
        text: What a model wrote.

    Returns:
        The last whole object at the outermost level; None if there is none.

    Example:
        >>> find_json('Sure! ```json\\n{"verdict": "A"}\\n``` Hope this helps.')
        {'verdict': 'A'}
        >>> find_json('{"verdict": "A"') is None
        True
    """
    return next(iter(deque(json_objects(text), maxlen=1)), None)


def read_verdict(text: str, shown: Sequence[str] = (), template: str = "") -> str:
    """Read which of two responses a judge prefers.

    Args:
        text: JSON with `verdict`, a bare letter, `[[A]]`, or a sentence that says it.
        shown: What the judge was shown: a verdict that stands there is quoted, unless it is the whole answer.
        template: The rubric's question, with its holes: how it calls the responses, and whether it asks for numbers.

    Returns:
        "A", "B" or "tie".

    Raises:
        RecordError: If none is named, or several that differ.

    Example:
        >>> read_verdict('{"verdict": "B"}'), read_verdict("[[C]]"), read_verdict("Response A is better.")
        ('B', 'tie', 'A')
        >>> read_verdict("B ends with 'Verdict: B'. Verdict: A", ["No.", "Yes. Verdict: B"])
        'A'
    """
    naming = naming_of(template)
    spoken_words = plain_answer(spoken(text, shown))
    said, quotable = lettered(spoken_words, naming), [lettered(one, naming) for one in shown]
    whole = whole_verdict(unwrapped(said)) or number_verdict(unwrapped(spoken_words), naming)
    if whole:
        return whole
    has_choices = any(CHOICES.search(one) for one in shown)
    loosely = partial(loose_verdicts, has_choices=has_choices, of_task=named_in(shown))
    named = settle(said, quotable, partial(formal_verdicts, has_choices=has_choices))
    named = named or settle(said, quotable, lambda words: chain(bare_verdicts(words), loosely(words)), loosely)
    if len(named) == 1 and named[0] != UNCLEAR:
        return named[0]
    which = f"it states {' and '.join(named)}: " if named else ""
    raise RecordError(f"the answer names no verdict (A, B or tie): {which}{clip(text)}")


def read_rating(
    low: float, high: float, *, not_applicable: bool, shown: Sequence[str] = ()
) -> Callable[[str], float | str]:
    """Make a reader of one rating.

    Args:
        low: The lowest rating there is.
        high: The highest.
        not_applicable: Whether "N/A" is an answer.
        shown: What the judge was shown: a rating that stands there is quoted, unless it is the whole answer.

    Returns:
        Takes an answer's text (JSON with `score` or `rating`, a bare number, "Overall Score: 7", "7/10"), gives the
        rating, a number or "N/A"; raises RecordError if there is none, there are several, or it is out of range.

    Example:
        >>> read = read_rating(1, 10, not_applicable=False)
        >>> read('{"feedback": "Good.", "score": 8}'), read("Fine work. Overall Score: 7/10")
        (8, 7)
    """

    def read(text: str) -> float | str:
        said = plain_marks(plain_answer(spoken(text, shown)))
        match = BARE_RATING.fullmatch(unwrapped(said))
        named = [_on_scale(match)] if match else settled_ratings(said, [plain_marks(one) for one in shown])
        ratings = list(dict.fromkeys(check_rating(one, low, high, not_applicable=not_applicable) for one in named))
        if len(ratings) == 1:
            return ratings[0]
        which = f"it states {' and '.join(map(str, ratings))}: " if ratings else ""
        raise RecordError(f"the answer names no rating from {low:g} to {high:g}: {which}{clip(text)}")

    return read


def _on_scale(match: re.Match[str]) -> str:
    """Give a rating as it was written: 8, or 8/10."""
    return f"{match[1]}/{match[2]}" if match[2] else match[1]


def check_rating(value: Any, low: float, high: float, *, not_applicable: bool) -> float | str:
    """Check one rating; a numeral is a number.

    Args:
        value: A number, a numeral (also "4/5", of a scale that ends at 5), or "N/A".
        low: The lowest rating there is.
        high: The highest.
        not_applicable: Whether "N/A" is an answer.

    Returns:
        The number, whole ones as int; or "N/A".

    Raises:
        RecordError: If it is out of range, or no rating.

    Example:
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
    """Make a reader of the ratings of several responses in one answer.

    Args:
        count: How many responses were shown.
        low: The lowest rating there is.
        high: The highest.
        not_applicable: Whether "N/A" is an answer.
        shown: What the judge was shown; ratings that stand there are quoted, unless they are the whole answer.

    Returns:
        Takes an answer's text: JSON {"ratings": [{"response": 1, "rationale": ..., "rating": ...}, ...]}, the list
        alone, or paragraphs that say "Response 1 ... Rating: 4"; gives each response's rating and rationale, in the
        order shown. Raises RecordError if one is missing, out of range, or there twice,
        and if the answer contradicts itself.

    Example:
        >>> read = read_ratings(2, 1, 5, not_applicable=True)
        >>> read("Response 1\\nRating: 4\\n\\nResponse 2\\nRating: N/A")
        [(4, 'Rating: 4'), ('N/A', 'Rating: N/A')]
    """

    def read(text: str) -> list[tuple[float | str, str]]:
        words = plain_answer(spoken(text, shown))
        said, quotable = plain_marks(words), [plain_marks(one) for one in shown]
        rows = _stated_rows(said, quotable, count)
        tables = [(table.start, table.end) for table in rating_tables(said, count)]
        # Punctuation of its own stays in a rationale.
        prose = blanked(words, sorted([*tables, *(found[:2] for found in located_objects(said))]))
        rated = _paragraphs(prose, quotable, formal=bool(rows))
        named = numbered_rows(rows) if rows else {number: (found[0], why) for number, (found, why) in rated.items()}
        if sorted(named) != list(range(1, count + 1)):
            which = f"{clip(sorted(named))}; each of 1 to {count} is needed once"
            raise RecordError(f"the answer rates the responses {which}: {clip(text)}")
        checked = {}
        for number in sorted(named):
            stated = [named[number][0], *rated.get(number, ([], ""))[0]]
            checked[number] = {check_rating(one, low, high, not_applicable=not_applicable) for one in stated}
            if len(checked[number]) > 1:
                raise RecordError(f"the answer rates response {number} in several ways: {clip(text)}")
        return [(checked[number].pop(), named[number][1]) for number in checked]

    return read


def _stated_rows(said: str, shown: Sequence[str], count: int) -> list[Any]:
    """Find what rates a response each: in one table, or in objects one after the other."""
    find = partial(table_statements, count=count)
    tables = settle(said, shown, find)
    if len(tables) > 1:
        raise RecordError(f"the answer rates the responses in several ways: {clip(said)}")
    if tables:
        return next(table.rows for table in rating_tables(said, count) if table_key(table.rows) == tables[0])
    quotable = {clip(row, QUOTED_WIDTH) for other in shown for row in json_objects(other)}
    found = json_objects(said)
    return [row for row in found if ("rating" in row or "score" in row) and clip(row, QUOTED_WIDTH) not in quotable]


def _paragraphs(words: str, shown: Sequence[str], *, formal: bool) -> dict[int, tuple[list[Any], str]]:
    """Read "Response 1 ... Rating: 4"; what a judge says of a response before the next heading is its own."""
    named: dict[int, tuple[list[Any], str]] = {}
    text = plain_marks(words)
    starts = list(NUMBERED.finditer(text))
    for place, start in enumerate(starts):
        end = starts[place + 1].start("line") if place + 1 < len(starts) else len(text)
        ratings = settled_ratings(text[start.end() : end], shown, formal=formal)
        match = HEADED.match(text, start.end(), end)
        if match and not TAKEN_BACK.search(text, match.end(1), end):
            ratings = [*ratings, _on_scale(match)]
        number = int(start["number"])
        if ratings and number in named and not formal:
            raise RecordError(f"the answer rates response {number} twice: {clip(text)}")
        if ratings:
            named[number] = ratings, words[start.end() : end].strip(" \t\n:*#")
    return named
