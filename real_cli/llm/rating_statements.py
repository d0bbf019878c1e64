"""Statements of a rating in an answer."""

import re
from collections.abc import Iterator, Sequence
from enum import IntEnum
from functools import partial
from typing import Any, NamedTuple

from real_cli.llm.embedded_json import located_objects
from real_cli.llm.rating_scales import is_of_other_scale, is_revised
from real_cli.llm.reversals import segments
from real_cli.llm.row_names import is_revised_key
from real_cli.llm.statements import Statement, blanked, is_doubted, outer_lines, sentence_behind, settle, spelling
from real_cli.llm.verdict_fields import CONTAINERS, REVISED, is_verdict_key
from real_cli.records.messages import is_number
from real_cli.records.record import Record

KEYS = ("score", "rating", "overall_score", "overall_rating", "final_score", "final_rating", "overall")
NUMBER = r"(N/A|-?\d++(?:\.\d++)?+)"
SCALE = r"(?:\s*stars?\b)?+(?:\s*(?:[,(\[]\s*)?(?:/|(?:out\s+)?of)\s*(\d++)(?:\s*[)\]])?+)?+(?:\s*stars?\b)?+"
LINK = r"(?:is|of|->|=>|\u2192|:|=|(?<=\s)[-\u2013\u2014](?=\s)|\|)"
# "Maximum score: 5" describes the scale.
OF_SCALE = frozenset({"max", "maximum", "highest", "top", "possible", "perfect", "full", "min", "minimum", "lowest"})
# "Average score: 5" and "confidence score: 9" do not rate the response.
OF_OTHERS = frozenset(
    {
        "average",
        "mean",
        "median",
        "typical",
        "usual",
        "baseline",
        "expected",
        "reference",
        "previous",
        "prior",
        "initial",
    }
    | {"original", "old", "earlier", "first", "preliminary", "tentative", "confidence", "certainty", "uncertainty"}
    | {"threshold", "passing", "difficulty", "other", "another", "similarity", "user", "human", "worst", "best"}
)
# "Rating: 1-5" and "Score: 1 to 10" echo the format asked for.
RATING = re.compile(
    r"(?:(?P<whole>\b(?:overall|final|total)\s+)|(?P<part>\b[a-z]++(?<!\bthe)(?<!\bmy)(?<!\bthis)(?<!\ba)[ \t]++))?"
    r"(?P<name>\b(?:score|rating|grade(?=[\"'*_\s]*[:=])|(?:final|revised|adjusted|corrected|updated|edit|correction|update|now)(?=[\"'*_\s]*[:=])|overall(?=[\"'*_\s]*[:=|]))\b)"
    r"(?:[*_ ]*+[(\[](?:(?:out\s+of|max(?:imum)?)\s+\d++|(?:from\s+)?\d++\s*(?:-|\u2013|to)\s*\d++)[)\]])?+"
    rf"[\"'*_\s]*+(?P<link>{LINK})?+[\"'*_\s\[]*+(?:\\boxed\{{)?+(?P<number>{NUMBER[1:-1]})"
    r"(?:\s*stars?\b)?+(?:[*_]*+\s*(?:[,(\[]\s*)?(?:/|(?:out\s+)?of)\s*[*_]*+(?P<scale>\d++)(?:\s*[)\]])?+)?+"
    r"(?!\s*(?:-|\u2013|\bto\b|\bor\b|,)\s*(?:\d|N/A))",
    re.IGNORECASE,
)
# Prometheus ends its answers like this.
RESULT = re.compile(
    rf"(?P<name>\[result\])[\s:(*_]*+(?P<number>{NUMBER[1:-1]})(?:\s*/\s*(?P<scale>\d++))?+", re.IGNORECASE
)
# "I would rate this 8/10", "I'd give it an 8.", "This deserves an 8."
GIVEN = re.compile(
    r"\b(?:I(?:\s+would|['\u2019]d|\s+will|['\u2019]ll|\s+do)?(?P<not>\s+not|n['\u2019]t)?\s+(?:rate|score|give|grade|award)\s+"
    r"(?:(?:this|it|the|that|response|answer|text|an?)\s+){1,4}+"
    r"|(?:this|it|the)(?:\s+(?:response|answer|text|one))?\s+(?:deserves|earns|merits)\s+(?:an?\s+)?)"
    r"(?P<number>\d++(?:\.\d++)?+)(?:\s*(?:/|out\s+of)\s*(?P<scale>\d++))?+",
    re.IGNORECASE,
)
# What may follow a rating; other continuations ("8 would be too high", "8 ~ 9", "8; 5") give none.
TAIL = re.compile(
    r"(?:\s+(?:stars?|points?)\b)?[\"'*_`)\]}]*(?:\s*\Z|\s*\n|\.(?!\d)|[!:{<]|\s*\|[ \t]*(?:\n|\Z)"
    r"|[,;](?!\s*(?:\d|(?:no|or|but|maybe|perhaps|if|rather|wait|even|not(?!\s+(?:an?\s+)?\d))\b))"
    r"|\s+(?:because|since|as|for\s+(?:its|being|the|this)|due|with|based|on\s+a|here|given|overall)\b"
    r"|\s*\((?!\s*(?:minus|plus|less|or|no|not|[-+?]))|\s*[-\u2013\u2014](?!>)\s*(?!\s*\d)|\s+[\"'`*_#{\[]|\s{2,})",
    re.IGNORECASE,
)
BARE = re.compile(rf"[\"'*_\[\s]*{NUMBER}{SCALE}[\"'*_\].\s]*", re.IGNORECASE)
# "4/5 - good": a number with its scale opens an answer.
OPENING = re.compile(
    rf"[*_\s]*+(?P<number>{NUMBER[1:-1]})\s*/\s*(?P<scale>\d++)(?=[*_]*\s*[-\u2013\u2014:(]\s*[a-z])", re.IGNORECASE
)


# A rating of each part: "9 (style), 3 (facts)".
PARTS = re.compile(r"[,;&/]\s*(?:and\s+)?\d{1,9}(?:\.\d{1,9})?\s*(?:\(|for\b|in\b|on\b)", re.IGNORECASE)


class Weight(IntEnum):
    """How much a statement of a rating counts; beside a weightier one, a lighter one rates a part."""

    bare = 0
    loose = 1
    plain = 2
    whole = 3
    form = 4


class Rated(NamedTuple):
    """A statement of a rating, and its weight."""

    statement: Statement[Any]
    weight: Weight


def rating_statements(text: str) -> Iterator[Rated]:
    """Yield the statements of a rating in a text, their values as written.

    >>> stated = rating_statements("Style score: 5. Overall score: 7/10")
    >>> [(rated.statement.value, rated.weight.name) for rated in stated]
    [('5', 'loose'), ('7/10', 'whole')]
    """
    objects = []
    for start, end, record in located_objects(text):
        named = _rating_fields(record)
        named = [(key, value) for key, value in named if _is_rating(value)] or named[:1]
        objects += [(start, end)] * bool(named)
        for key, value in named:
            words = f'{key}": {value}' if len(record) == 1 else text[start:end]
            yield Rated(Statement(_hashable(value), spelling(words), start, end), Weight.form)
    prose = blanked(text, objects)
    ends = [end for _, end in objects]
    yield from _bare_lines(text)
    if match := OPENING.match(prose):
        yield Rated(Statement(f"{match['number']}/{match['scale']}", spelling(match[0]), *match.span()), Weight.bare)
    for match in (*RATING.finditer(prose), *RESULT.finditer(prose), *GIVEN.finditer(prose)):
        if (match.groupdict().get("part") or "").strip().lower() in OF_SCALE | OF_OTHERS:
            continue
        value = f"{match['number']}/{match['scale']}" if match["scale"] else match["number"]
        start = match.start() if match.re is GIVEN else match.start("name")
        doubted = is_doubted(prose, start) or (match.re is GIVEN and match["not"])
        if doubted or not TAIL.match(prose, match.end()) or PARTS.search(sentence_behind(prose, match.end())):
            value = f"{text[start : match.end()]}{sentence_behind(text, match.end())}"
        ends.append(match.end())
        yield Rated(Statement(value, spelling(text[start : match.end()]), *match.span()), _weight(match))
    for start, _, end in segments(prose, min(ends)) if ends else ():
        if BARE.fullmatch(prose, start, end):
            yield Rated(Statement(_written(prose, start, end), spelling(prose[start:end]), start, end), Weight.form)


def _rating_fields(record: Record) -> list[tuple[str, Any]]:
    """Find the fields of an object that rate; those of inner objects are of criteria, and unclear."""
    named = [(key, record[key]) for key in KEYS if key in record]
    named += [(key, value) for key, value in record.items() if is_revised_key(key) and key not in KEYS and value]
    if named:
        return named
    inner = [(key, held) for key, value in record.items() for held in _objects_of(value)]
    fields = [field for _, held in inner if (field := _rating_fields(held))]
    if len(inner) == len(fields) == 1 and (is_verdict_key(inner[0][0]) or inner[0][0].casefold() in CONTAINERS):
        return fields[0]
    return [("score", str(fields))] * bool(fields)


def _objects_of(value: Any) -> list[Record]:
    return [held for held in (value if isinstance(value, list) else [value]) if isinstance(held, dict)]


def is_retracted(text: str, high: float, rating: Any) -> bool:
    """Tell whether the words around the rating of an answer revise it, or give it another scale."""
    stated = [rated.statement for rated in rating_statements(text)]
    if not stated:
        return False
    prose = blanked(text, [(start, end) for start, end, _ in located_objects(text)])
    behind = min(statement.start for statement in stated)
    within = [str(value) for _, _, record in located_objects(text) for value in record.values()]
    revised = is_revised(prose, behind, rating) or any(is_revised(value, 0, rating) for value in within)
    return revised or any(is_of_other_scale(prose, statement.start, statement.end, high) for statement in stated)


def _bare_lines(text: str) -> Iterator[Rated]:
    """Yield a rating that stands alone on the first line, or on the last below a whole sentence."""
    for start, end in outer_lines(text):
        if BARE.fullmatch(text, start, end):
            yield Rated(Statement(_written(text, start, end), spelling(text[start:end]), start, end), Weight.bare)


def _written(text: str, start: int, end: int) -> str:
    """Return a rating that stands alone as it was written."""
    match = BARE.fullmatch(text, start, end)
    return (f"{match[1]}/{match[2]}" if match[2] else match[1]) if match else ""


def settled_ratings(text: str, shown: Sequence[str], *, formal: bool = False) -> list[Any]:
    """Work out which rating an answer gives, as written: several values if it contradicts itself.

    Ratings of a part and ratings in passing count where there is no other; with `formal` they never do.

    >>> settled_ratings("Style score: 5. Overall score: 7/10", [])
    ['7/10']
    """
    whole = any(rated.weight is Weight.whole for rated in rating_statements(text))
    first = {Weight.form, Weight.whole} if whole else {Weight.form, Weight.plain}
    for weights in (first, {Weight.plain}, {Weight.bare, Weight.loose})[: 1 if formal else 3]:
        # Responses are often numbers: a number alone is no quotation.
        quotable = partial(_of_weights, weights=set(Weight) - {Weight.bare})
        ratings = settle(text, shown, partial(_of_weights, weights=weights), quotable)
        if ratings:
            return ratings
    return []


def _of_weights(text: str, weights: set[Weight]) -> Iterator[Statement[Any]]:
    return (rated.statement for rated in rating_statements(text) if rated.weight in weights)


def _weight(match: re.Match[str]) -> Weight:
    if match.re is GIVEN:
        return Weight.loose
    if match.re is RESULT:
        return Weight.plain
    if (match["part"] or match["name"]).strip().lower() in REVISED | {"edit", "update", "now"}:
        return Weight.form
    if match["whole"]:
        return Weight.whole
    return Weight.loose if match["part"] or (match["link"] or "of").lower() == "of" else Weight.plain


def _is_rating(value: Any) -> bool:
    return is_number(value) or (isinstance(value, str) and BARE.fullmatch(value) is not None)


def _hashable(value: Any) -> Any:
    """Make values hashable and distinct: 1 is not true, and a list or an object is its text."""
    return value if isinstance(value, str) or is_number(value) else str(value)
