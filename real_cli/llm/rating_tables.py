"""Tables in which an answer rates several responses: JSON of several shapes, lines, Markdown, bare numbers."""

import re
from collections.abc import Iterator
from typing import Any, NamedTuple

from real_cli.errors import RecordError, clip
from real_cli.llm.embedded_json import located_objects
from real_cli.llm.rating_statements import NUMBER, SCALE
from real_cli.llm.row_names import contradicting_list, is_revised_key, rating_of, row_numbers
from real_cli.llm.statements import TAKEN_BACK, Statement, is_doubted, spelling
from real_cli.records.record import Record

LISTS = ("ratings", "scores", "rating", "score")
VALUES = ("rating", "score")
RESPONSE = r"(?:output\s+for\s+)?(?:response|text|output|answer)"
# A key or a cell that names a response: "1", "response_2", "Response #3".
NAMED = re.compile(rf"[*_\s\"]*(?:{RESPONSE}[\s_#-]*)?(\d{{1,9}})[*_\s\".:)]*", re.IGNORECASE | re.ASCII)
RATED = rf"[*_`\[\s]*{NUMBER}{SCALE}[*_`\]]*"
# "Response 1: 4", "rating of Response 1 - 4/5".
ITEMS = re.compile(
    rf"\b(?:(?:rating|score)\s+(?:of|for)\s+)?{RESPONSE}\s*+#?(\d{{1,9}})(?:\s+(?:rating|score))?+[*_]*+"
    rf"(?:\s*+[:=|]|\s++[-\u2013\u2014](?=\s))[*_`\[ \t]*+{NUMBER}{SCALE}[*_`\]]*+",
    re.IGNORECASE,
)
# What else a line of such items may hold.
FILLING = re.compile(r"[\s,;.|&(){}*_>#:-]++")
FILLER = re.compile(r"(?:and)?|(?:(?:my|the|final|overall) )*(?:ratings?|scores?)", re.IGNORECASE)
SHORT_ITEM = re.compile(rf"[ \t>*_-]*(\d{{1,9}})[*_]*[:.)=][*_]*[ \t]+{RATED}[ \t.]*", re.IGNORECASE)
PLAIN = rf"(?:{NUMBER[1:-1]}(?:\s*/\s*\d{{1,9}})?)"
LISTED = re.compile(rf"\[\s*{PLAIN}(?:\s*,\s*{PLAIN})+\s*\]", re.IGNORECASE)
NUMBER_LIST = re.compile(
    r"(?:[*_#\s]*+(?:ratings?|scores?)\b[*_]*+\s*+[:=]?[*_]*+)?\s*+(?P<open>[\[(])?\s*+"
    rf"(?P<numbers>{PLAIN}(?:(?:\s*+[,;]\s*+|[ \t]++){PLAIN})+)\s*+(?(open)[\])])[ \t.*_]*+",
    re.IGNORECASE,
)
FENCE = re.compile(r"\A\s*+```\w*[ \t]*\n|\n[ \t]*+```\s*+\Z")
RULE = re.compile(r"(?=[^-]*-)[\s|:-]+")
HEAD = re.compile(r"[*_\s]*(?:responses?|texts?|outputs?|answers?|#|no\.?|number|id)?[*_\s]*", re.IGNORECASE)
COLUMN = re.compile(r"[*_\s]*(?:overall\s+|final\s+)?(?:rating|score)\b", re.IGNORECASE)


class RatingTable(NamedTuple):
    """A table of ratings, and its place in the text.

    Attributes:
        rows: For each response an object with `response`, `rating`, perhaps `rationale`; or what stands in its place.
        start: The first character.
        end: The character after it.
    """

    rows: list[Any]
    start: int
    end: int


def rating_tables(text: str, count: int) -> Iterator[RatingTable]:
    """Yield the tables in which an answer rates `count` responses.

    >>> [table.rows for table in rating_tables("[4, 2]", 2)]
    [['4', '2']]
    """
    for start, end, record in located_objects(text):
        yield from (RatingTable(rows, start, end) for rows in rows_of_object(record))
    yield from _lines(text)
    yield from _markdown(text)
    yield from _bare_numbers(text, count)


def table_statements(text: str, count: int) -> Iterator[Statement[str]]:
    """Yield the same tables as statements; equal ratings are equal values, however they are written."""
    for table in rating_tables(text, count):
        yield Statement(table_key(table.rows), spelling(text[table.start : table.end]), table.start, table.end)


def table_key(rows: list[Any]) -> str:
    """Return a table's numbers and ratings in one canonical form.

    >>> table_key([{"response": "Response 2", "rating": 2}, {"response": 1, "score": "4/5"}]) == table_key(["4", 2])
    True
    """
    try:
        named = numbered_rows(rows)
    except RecordError:
        return repr(rows)
    return repr([(number, _numeral(rating)) for number, (rating, _) in sorted(named.items())])


def _numeral(rating: Any) -> str:
    written = str(rating).partition("/")[0].strip().upper()
    return f"{float(written):g}" if re.fullmatch(r"-?\d{1,9}(?:\.\d{1,9})?", written) else written


def numbered_rows(rows: list[Any]) -> dict[int, tuple[Any, str]]:
    """Return rating and rationale by response; a row without a number counts by its position.

    >>> numbered_rows([{"response": 2, "rating": 5}, {"response": 1, "rating": 3, "rationale": "Short."}])
    {2: (5, ''), 1: (3, 'Short.')}
    """
    named: dict[int, tuple[Any, str]] = {}
    objects: list[Record] = []
    for position, row in enumerate(rows, 1):
        if isinstance(row, str | int | float) and not any(isinstance(other, dict) for other in rows):
            row = {"rating": row}
        if not isinstance(row, dict):
            raise RecordError(f"rating {position} of the answer is {clip(row)}; an object is needed")
        objects.append(row)
    for number, row in zip(row_numbers(objects), objects, strict=True):
        if number in named:
            raise RecordError(f"the answer rates response {clip(number)} twice")
        named[number] = rating_of(row), str(row.get("rationale") or "")
    return named


def rows_of_object(record: Record) -> Iterator[list[Any]]:
    """Yield the lists of rows in an object that rates several responses.

    >>> list(rows_of_object({"scores": {"Response 1": 4, "Response 2": {"score": 2}}}))
    [[{'response': 1, 'rating': 4}, {'response': 2, 'rating': 2}]]
    """
    held = [record[key] for key in LISTS if isinstance(record.get(key), list | dict)]
    for value in held or [record]:
        rows = value if isinstance(value, list) else _rows_by_name(value)
        contradicting = contradicting_list(record, rows) if rows is not None else None
        if contradicting:
            yield [[{contradicting: record[contradicting]}]]  # unreadable, and told as it stands
        elif rows is not None:
            yield rows


def _rows_by_name(held: Record) -> list[Any] | None:
    matches = [NAMED.fullmatch(key) for key in held]
    if len(held) < 2 or not all(matches):
        return None
    rows = []
    for match, value in zip(matches, held.values(), strict=True):
        row = value if isinstance(value, dict) else {"rating": value}
        rating = next((row[name] for name in VALUES if name in row), None)
        reason = {"rationale": row["rationale"]} if "rationale" in row else {}
        revised = {key: held for key, held in row.items() if is_revised_key(key)}
        rows.append({"response": int(match[1]) if match else 0, "rating": rating} | reason | revised)
    return rows


def _lines(text: str) -> Iterator[RatingTable]:
    """Read lines that hold such items and nothing else: two or more in a line, or one in each."""
    lines = [line for line in re.finditer(r"[^\n]+", text) if line[0].strip() and not line[0].startswith("```")]
    filled = [(line, items) for line in lines if (items := _items(text, line))]
    least = 1 if len(filled) == len(lines) > 1 else 2
    tables: list[RatingTable] = []
    for line, items in filled:
        rows = [{"response": int(item[1]), "rating": _rating(item, 2)} for item in items]
        before = tables[-1].rows if tables else []
        if before and not {row["response"] for row in before} & {row["response"] for row in rows}:
            tables[-1] = RatingTable(before + rows, tables[-1].start, line.end())
        elif len(items) >= least:
            tables.append(RatingTable(rows, *line.span()))
    for table in tables:
        if not is_doubted(text, table.start) and not TAKEN_BACK.search(text, tables[-1].end):
            yield table
    whole = FENCE.sub("", text).strip()
    short = [SHORT_ITEM.fullmatch(line) for line in whole.split("\n") if line.strip()]
    if len(short) > 1 and all(short):
        yield RatingTable(
            [{"response": int(item[1]), "rating": _rating(item, 2)} for item in short if item], 0, len(text)
        )


def items_beside(prose: str) -> dict[int, list[str]]:
    """Find ratings such as "Revised: Response 1: 3" around the tables, by response.

    >>> items_beside("Revised: Response 1: 3")
    {1: ['3']}
    """
    beside: dict[int, list[str]] = {}
    for item in ITEMS.finditer(prose):
        if re.match(r"\s*(?:[.,;)]|\Z|\n)", prose[item.end() : item.end() + 40]):
            beside.setdefault(int(item[1]), []).append(_rating(item, 2))
    return beside


def _items(text: str, line: re.Match[str]) -> list[re.Match[str]]:
    """Find the items of a line; none where anything else is said on it."""
    items = list(ITEMS.finditer(text, *line.span()))
    edges = [line.start(), *(edge for item in items for edge in item.span()), line.end()]
    gaps = zip(edges[::2], edges[1::2], strict=True)
    return items if all(FILLER.fullmatch(FILLING.sub(" ", text[slice(*gap)]).strip()) for gap in gaps) else []


def _rating(match: re.Match[str], group: int) -> str:
    return f"{match[group]}/{match[group + 1]}" if match[group + 1] else match[group]


def _markdown(text: str) -> Iterator[RatingTable]:
    """Read a Markdown table whose first column names responses, and another one ratings or scores."""
    lines = [(line.start(), line.end(), line[0]) for line in re.finditer(r"[^\n]+", text) if "|" in line[0]]
    cells = [[cell.strip() for cell in line.strip().strip("|").split("|")] for _, _, line in lines]
    for number in range(1, len(lines)):
        if not RULE.fullmatch(lines[number][2]):
            continue
        columns = [index for index, cell in enumerate(cells[number - 1]) if COLUMN.match(cell)]
        rows, last, is_headed = [], number, HEAD.fullmatch(cells[number - 1][0]) is not None
        while last + 1 < len(lines) and (match := NAMED.fullmatch(cells[last + 1][0])):
            is_headed = is_headed or not match[0].strip("*_ ").isdigit()
            last += 1
            row = cells[last]
            rating = row[columns[0]].strip("*_` ") if len(columns) == 1 and columns[0] < len(row) else None
            rows.append(_named_cells(cells[number - 1], row) | {"response": int(match[1]), "rating": rating})
        if rows and is_headed and len(columns) == 1:
            yield RatingTable(rows, lines[number - 1][0], lines[last][1])


def _named_cells(heads: list[str], row: list[str]) -> Record:
    """Name the cells of a row behind the first that rate nothing; one of them may name another response."""
    pairs = [(head, cell.strip("*_` ")) for head, cell in list(zip(heads, row, strict=False))[1:]]
    named = {f"{head} name": cell for head, cell in pairs if not COLUMN.match(head)}
    return {head: int(cell) if re.fullmatch(r"[0-9]{1,9}", cell) else cell for head, cell in named.items()}


def _bare_numbers(text: str, count: int) -> Iterator[RatingTable]:
    """Read numbers alone, one for each response: the whole answer, its first line (JudgeLM), or its last one."""
    whole = FENCE.sub("", text).strip()
    lines = list(dict.fromkeys([whole.partition("\n")[0], whole.rpartition("\n")[2]]))
    joined = " ".join(line.strip() for line in whole.split("\n") if line.strip())
    for words in (joined, *lines)[: 1 if len(lines) == 1 else 3]:
        match = NUMBER_LIST.fullmatch(words) if count > 1 else None
        numbers = re.findall(PLAIN, match["numbers"], re.IGNORECASE) if match else []
        if len(numbers) == count:
            start = max(text.rfind(words), 0) if words == lines[-1] else max(text.find(words), 0)
            end = start + len(words) if words in lines else len(text)
            if not TAKEN_BACK.search(text, end):
                yield RatingTable(numbers, start, end)
                yield from _other_lists(text, start, end)


def _other_lists(text: str, start: int, end: int) -> Iterator[RatingTable]:
    """Read the lists around a table of numbers, which may contradict it."""
    for match in LISTED.finditer(text):
        if match.end() <= start or match.start() >= end:
            yield RatingTable(re.findall(PLAIN, match[0], re.IGNORECASE), *match.span())
