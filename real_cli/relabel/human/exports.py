"""Questions and answers in the files of other annotation tools: CSV, Label Studio, Argilla.

A key in a file is the pair's content key and the order of its two responses, `-ab` as in the record or `-ba` swapped,
so that the order can be undone whatever the tool does with the rest.
"""

import csv
import io
import re
import unicodedata
from collections import Counter
from collections.abc import Callable, Iterable, Iterator
from typing import Any, NamedTuple

import orjson

from real_cli.errors import RealError, RecordError, clip
from real_cli.records.messages import transcript
from real_cli.records.record import Record
from real_cli.relabel.human.choices import AnnotationTool, Shown, Verdict
from real_cli.relabel.human.pair import LETTERS, PairAnswer, PairQuestion

SUFFIXES = {Shown.as_is: "ab", Shown.swapped: "ba"}
ORDERS = {suffix: shown for shown, suffix in SUFFIXES.items()}
KEY = re.compile(r"([0-9a-f]{32})-(ab|ba)")
VERDICT = "verdict"
BREAKS = ("\t", "\r", "\n")
# What begins a formula, full-width forms and the mathematical minus included.
SIGNS = frozenset("=+-@\uff0b\uff0d\uff1d\uff20\u2212")
# Invisible characters that a spreadsheet may drop before a sign: by category, and blank letters.
UNSEEN = frozenset({"Cc", "Cf", "Co", "Cs", "Me", "Mn", "Zl", "Zp", "Zs"})
BLANK = frozenset("\u115f\u1160\u2800\u3164\uffa0")
# Where a formula would begin if a separator other than the comma, or a line break, began a cell; a dash and a space
# begin a list item.
WITHIN = re.compile(r"(\r\n|[;\t\r\n\v\f\x85\u2028\u2029])(?=\s*(?:[=+@\uff0b\uff0d\uff1d\uff20\u2212]|-(?! )))")
COLUMNS = ("key", "prompt", "response_a", "response_b", VERDICT, "note")
# What the tools call the verdicts; Label Studio's Pairwise says left and right.
WORDS = {"a": "a", "b": "b", "tie": "tie", "skip": "skip", "left": "a", "right": "b"}


class Format(NamedTuple):
    """A file format: its opening, the writer of a question, the separator and the closing."""

    head: str
    write: Callable[[Record], str]
    between: str
    foot: str


class Vote(NamedTuple):
    """One annotator's verdict on one pair."""

    key: str
    annotator: str
    verdict: Verdict
    shown: Shown
    note: str


def shown_fields(question: PairQuestion) -> Record:
    """Return the fields that an annotator in another tool sees, all texts.

    >>> shown_fields(PairQuestion("00ff", {"prompt": "q", "chosen": "a", "rejected": "b"}, Shown.swapped))
    {'key': '00ff-ba', 'prompt': 'q', 'response_a': 'b', 'response_b': 'a'}
    """
    first, second = question.texts(question.shown)
    return {
        "key": f"{question.key}-{SUFFIXES[question.shown]}",
        "prompt": transcript(question.prompt),
        "response_a": transcript(first),
        "response_b": transcript(second),
    }


def _csv_row(fields: Record) -> str:
    row = io.StringIO()
    # In quotes, so that nothing that a spreadsheet takes for the end of a cell begins another one.
    csv.writer(row, quoting=csv.QUOTE_ALL, lineterminator="").writerow(map(defused, list(fields.values())[1:]))
    return f"{fields['key']},{row.getvalue()},,\n"


def defused(text: str) -> str:
    """Put an apostrophe wherever a spreadsheet could read a formula, also in a text cut at semicolons, tabs or lines.

    >>> defused("=HYPERLINK(A1)"), defused("a=1"), defused("fine;=A1")
    ("'=HYPERLINK(A1)", 'a=1', "fine;'=A1")

    References:
        OWASP, CSV injection: `=`, `+`, `-`, `@`, tab, carriage return, line feed, and the wide forms of the signs.
    """
    first = next((letter for letter in text if letter not in BLANK and unicodedata.category(letter) not in UNSEEN), "")
    text = f"'{text}" if text.startswith(BREAKS) or first in SIGNS else text
    return WITHIN.sub(r"\1'", text)


def _json(value: Record) -> str:
    return orjson.dumps(value).decode()


def _argilla_record(fields: Record) -> str:
    return _json({"id": fields["key"], "fields": {name: text for name, text in fields.items() if name != "key"}})


FORMATS = {
    AnnotationTool.csv: Format(f"{','.join(COLUMNS)}\n", _csv_row, "", ""),
    AnnotationTool.label_studio: Format("[\n", lambda fields: _json({"data": fields}), ",\n", "\n]\n"),
    AnnotationTool.argilla: Format("[\n", _argilla_record, ",\n", "\n]\n"),
}


def read_votes(data: bytes, name: str) -> list[Vote]:
    """Read the answers that another tool exported, in the order of the file; a RealError names the item at fault.

    >>> data = b"key,verdict\\n00000000000000000000000000000000-ba,a\\n"
    >>> read_votes(data, "answers.csv")[0].verdict
    <Verdict.second: 'second'>
    """
    try:
        text = data.decode("utf-8-sig")
    except UnicodeDecodeError as error:
        raise RealError(f"{name}: byte {error.start + 1} is not UTF-8; export it as UTF-8") from None
    is_json = text.lstrip()[:1] in ("[", "{")
    votes: list[Vote] = []
    for number, item in enumerate(_json_items(text, name) if is_json else _csv_items(text, name), 1):
        try:
            votes += _votes(item)
        except RecordError as error:
            raise RealError(f"{name}: {'item' if is_json else 'row'} {number}: {error}") from None
        except (AttributeError, KeyError, TypeError):  # some part is not of the type that the tools write
            raise RealError(f"{name}: item {number}: {clip(item)} is not as Label Studio or Argilla exports") from None
    return votes


def _csv_items(text: str, name: str) -> list[Record]:
    csv.field_size_limit(max(csv.field_size_limit(), len(text)))  # the default limit is shorter than some responses
    rows = csv.DictReader(io.StringIO(text, newline=""), strict=True)
    try:
        if not {"key", VERDICT} <= set(rows.fieldnames or ()):
            columns = clip(list(rows.fieldnames or ()))
            raise RealError(f"{name}: has the columns {columns}; 'key' and 'verdict' are needed, as in --export csv")
        items = list(rows)
    except csv.Error as error:
        raise RealError(f"{name}: row {rows.line_num}: not CSV: {error}") from None
    for number, item in enumerate(items, 1):
        if None in item:  # an unquoted comma would shift another cell into the verdict
            raise RealError(f"{name}: row {number}: has more fields than the header; put a text with a comma in quotes")
    return items


def _json_items(text: str, name: str) -> list[Any]:
    try:
        items = orjson.loads(text)
        return items if isinstance(items, list) else [items]
    except orjson.JSONDecodeError:
        pass
    items = []
    for number, line in enumerate(text.splitlines(), 1):
        try:
            items += [orjson.loads(line)] if line.strip() else []
        except orjson.JSONDecodeError as error:
            raise RealError(f"{name}:{number}: not JSON: {error.msg}; a JSON export or CSV is needed") from None
    return items


def _votes(item: Any) -> Iterator[Vote]:
    if isinstance(item, dict):
        for matches, read in SHAPES:
            if matches(item):
                yield from read(item)
                return
    raise RecordError(f"is {clip(item)}; an object with 'key' and 'verdict', or of Label Studio or Argilla, is needed")


def _vote(key: Any, annotator: Any, verdict: Any, note: Any = "") -> Iterator[Vote]:
    """Read one answer; an empty verdict gives no vote."""
    match = KEY.fullmatch(key) if isinstance(key, str) else None
    if match is None:
        raise RecordError(f"'key' is {clip(key)}; the key that --export wrote is needed")
    if verdict is None or verdict == "":
        return
    letter = WORDS.get(verdict.strip().lower()) if isinstance(verdict, str) else None
    if letter is None:
        raise RecordError(f"'verdict' is {clip(verdict)}; a, b, tie or skip is needed")
    shown = ORDERS[match[2]]
    yield Vote(match[1], "" if annotator is None else str(annotator), LETTERS[letter, shown], shown, str(note or ""))


def _flat_votes(item: Record) -> Iterator[Vote]:
    return _vote(item["key"], item.get("annotator"), item.get(VERDICT), item.get("note"))


def _label_studio_votes(item: Record) -> Iterator[Vote]:
    data = item["data"] if isinstance(item["data"], dict) else {}
    for annotation in item["annotations"] or []:
        by = annotation.get("completed_by")
        annotator = by.get("id") if isinstance(by, dict) else by
        values = {result.get("type"): result.get("value", {}) for result in annotation.get("result", [])}
        choices = values.get("choices", {}).get("choices") or [values.get("pairwise", {}).get("selected")]
        note = " ".join(values.get("textarea", {}).get("text", []))
        yield from _vote(data.get("key"), annotator, "skip" if annotation.get("was_cancelled") else choices[0], note)


def _argilla_votes(item: Record) -> Iterator[Vote]:
    # Suggestions are a model's guesses; only responses are people's answers. A discarded one has no value.
    responses = item["responses"] if isinstance(item["responses"], dict) else {}
    notes = {note.get("user_id"): note.get("value") for note in responses.get("note") or []}
    for response in responses.get(VERDICT) or []:
        user = response.get("user_id")
        yield from _vote(item.get("id"), user, response.get("value") or "skip", notes.get(user))


SHAPES: tuple[tuple[Callable[[Record], bool], Callable[[Record], Iterator[Vote]]], ...] = (
    (lambda item: "data" in item and "annotations" in item, _label_studio_votes),
    (lambda item: "fields" in item and "responses" in item, _argilla_votes),
    (lambda item: "key" in item, _flat_votes),
)


def count_votes(votes: Iterable[Vote]) -> dict[str, PairAnswer]:
    """Settle each pair by its most frequent verdict; equal counts tie, and a skip counts only where all skipped.

    Votes are in order of time: an annotator's later one replaces the earlier. Votes without an annotator all count.

    >>> votes = [Vote("k", by, verdict, Shown.as_is, "") for by, verdict in
    ...          [("1", Verdict.first), ("2", Verdict.first), ("3", Verdict.tie), ("4", Verdict.skip)]]
    >>> answer = count_votes(votes)["k"]
    >>> answer.verdict, answer.num_annotators, answer.agreement
    (<Verdict.first: 'first'>, 3, 0.6667)
    """
    by_key: dict[str, dict[object, Vote]] = {}
    for number, vote in enumerate(votes):
        by_key.setdefault(vote.key, {})[vote.annotator or number] = vote
    return {key: _majority(list(by_annotator.values())) for key, by_annotator in by_key.items()}


def _majority(votes: list[Vote]) -> PairAnswer:
    counts = Counter(vote.verdict for vote in votes if vote.verdict is not Verdict.skip)
    ranked = counts.most_common(2)
    orders = {vote.shown for vote in votes}
    shown = orders.pop() if len(orders) == 1 else None
    note = "; ".join(vote.note for vote in votes if vote.note)
    if not ranked:
        return PairAnswer(Verdict.skip, shown, note=note)
    is_split = len(ranked) == 2 and ranked[0][1] == ranked[1][1]
    verdict = Verdict.tie if is_split else ranked[0][0]
    agreement = round(ranked[0][1] / counts.total(), 4)
    return PairAnswer(verdict, shown, note=note, num_annotators=counts.total(), agreement=agreement)
