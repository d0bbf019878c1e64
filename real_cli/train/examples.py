"""From a record to the example that an objective reads: a prompt, its responses in order, and numbers."""

from collections.abc import Callable, Mapping, Sequence
from typing import Any, NamedTuple

from real_cli.errors import RecordError, clip, suggest
from real_cli.records.messages import Text, as_completion, is_number, is_text
from real_cli.records.record import Record, check_labeled, is_preference, to_candidates
from real_cli.train.objective import Column, Responses


class Marked(NamedTuple):
    """A response, and its score in a ranking or the degree of a degraded copy."""

    text: Text
    mark: float = 0.0


class Example(NamedTuple):
    """What is trained on.

    Attributes:
        prompt: The prompt.
        responses: In the order of the objective's columns.
        marks: One number a response.
        columns: Numbers of the example by name.
    """

    prompt: Text
    responses: list[Text]
    marks: list[float]
    columns: dict[str, float]


class ExampleReader:
    """Read examples of one kind from records.

    Which responses and which numbers are read is said on making one; a number may come from a field of another name,
    and `levels` is how many degrees there are, the whole response's 0 among them.
    """

    def __init__(
        self,
        responses: Responses,
        columns: Sequence[Column] = (),
        fields: Mapping[str, str] | None = None,
        levels: float | None = None,
    ) -> None:
        self._read = READERS[responses]
        self._columns = columns
        self._fields = fields or {}
        self._levels = levels

    @property
    def columns(self) -> list[str]:
        """Names of the numbers."""
        return [column.name for column in self._columns]

    def __call__(self, record: Record) -> Example:
        """Read one example; RecordError if a response or number is missing, or a number is out of range."""
        marked = self._read(record)
        if self._levels and max(response.mark for response in marked) >= self._levels:
            degree = max(response.mark for response in marked)
            raise RecordError(f"a copy has degree {degree:g}; with --levels {self._levels:g} the highest is one less")
        prompt = record["prompt"]
        texts = [as_completion(prompt, response.text) for response in marked]
        if any(isinstance(text, str) != isinstance(prompt, str) for text in texts):
            raise RecordError("'prompt' is text and a response is a conversation; both must have one form")
        columns = {column.name: self._number(record, column) for column in self._columns}
        return Example(prompt, texts, [response.mark for response in marked], columns)

    def _number(self, record: Record, column: Column) -> float:
        field = self._fields.get(column.name, column.name)
        if field not in record:
            raise RecordError(f"field '{field}' is missing; {suggest(field, record, 'a number is needed')}")
        value = record[field]
        if not is_number(value) or not column.low <= value <= column.high or value in (float("inf"), -float("inf")):
            raise RecordError(f"field '{field}' is {clip(value)}; {_wanted(column)} is needed")
        return float(value)


def _wanted(column: Column) -> str:
    low, high = (f"{end:g}" for end in (column.low, column.high))
    if high != "inf":
        return f"a number from {low} to {high}"
    return f"a number of at least {low}" if low != "-inf" else "a number"


def _pair(record: Record) -> list[Marked]:
    check_labeled(record)
    return [Marked(record["chosen"]), Marked(record["rejected"])]


def _triple(record: Record) -> list[Marked]:
    pair = _pair(record)
    if not is_text(record.get("reference")):
        raise RecordError(f"field 'reference' is {clip(record.get('reference'))}; a third response is needed")
    return [*pair, Marked(record["reference"])]


def _ranking(record: Record) -> list[Marked]:
    responses: list[Record] = to_candidates(record)["responses"]
    for number, response in enumerate(responses, 1):
        if not is_number(response.get("score")):
            raise RecordError(f"response {number} has no 'score'; a ranking needs one on every response")
    if len(responses) < 2:
        raise RecordError(f"{len(responses)} responses; a ranking needs two or more")
    if len({response["score"] for response in responses}) == 1:
        raise RecordError(
            f"all {len(responses)} responses have the score {responses[0]['score']}; a ranking needs an order"
        )
    ranked = sorted(responses, key=lambda response: -response["score"])  # stable: equal scores keep their order
    return [Marked(response["text"], float(response["score"])) for response in ranked]


def _copies(record: Record) -> list[Marked]:
    copies = record.get("degraded")
    if not isinstance(copies, list) or not copies:
        raise RecordError(f"field 'degraded' is {clip(copies)}; a list of copies with 'text' and 'degree' is needed")
    return [*_pair(record), *(_copy(number, copy) for number, copy in enumerate(copies, 1))]


def _copy(number: int, copy: Any) -> Marked:
    text, degree = (copy.get("text"), copy.get("degree")) if isinstance(copy, dict) else (None, None)
    if not is_text(text) or not is_number(degree) or degree != int(degree) or degree < 0:  # type: ignore[arg-type]
        raise RecordError(f"degraded copy {number} is {clip(copy)}; 'text', and a whole 'degree' from 0 are needed")
    return Marked(text, float(degree))  # type: ignore[arg-type]


def unpaired_rows(record: Record) -> list[Record]:
    """Give each response of a record a row: candidates with that response, and what else the record has.

    Args:
        record: A checked record. Of a pair, chosen is desirable and rejected is not.

    Returns:
        A candidates record for each response; one without responses as it is.

    Example:
        >>> [row["responses"] for row in unpaired_rows({"prompt": "q", "chosen": "a", "rejected": "b"})]
        [[{'text': 'a', 'label': True}], [{'text': 'b', 'label': False}]]
    """
    if not is_preference(record):
        return [record | {"responses": [response]} for response in record["responses"]] or [record]
    shared = {field: value for field, value in record.items() if field not in ("chosen", "rejected")}
    sides = ((record["chosen"], True), (record["rejected"], False))
    return [shared | {"responses": [{"text": text, "label": label}]} for text, label in sides]


def _unpaired(record: Record) -> list[Marked]:
    if len(record["responses"]) != 1:
        raise RecordError(f"{len(record['responses'])} responses; a row of one completion with a 'label' is needed")
    (response,) = record["responses"]
    label = response.get("label")
    if not isinstance(label, bool):
        advice = "" if response.get("score") is None else ", of a score jq -c '.responses[] |= (.label = (.score > 0))'"
        what = "no 'label'" if label is None else f"the 'label' {clip(label)}"
        raise RecordError(f"the completion has {what}; true (desirable) or false is needed{advice}")
    return [Marked(response["text"], float(label))]


READERS: dict[Responses, Callable[[Record], list[Marked]]] = {
    Responses.pair: _pair,
    Responses.triple: _triple,
    Responses.ranking: _ranking,
    Responses.copies: _copies,
    Responses.unpaired: _unpaired,
}
