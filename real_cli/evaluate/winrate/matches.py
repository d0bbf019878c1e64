"""Which model won against which: a record with verdicts as comparisons of two models."""

from itertools import combinations
from typing import NamedTuple

from real_cli.errors import RecordError, clip
from real_cli.records.field_names import suggest_field
from real_cli.records.judgments import judgments_of
from real_cli.records.labels import is_noted_tie
from real_cli.records.messages import Text, plain_text
from real_cli.records.preferences import given_preferences
from real_cli.records.record import LABELED_NAMES, Record, is_preference, refuse_unpaired
from real_cli.records.verdicts import Judgment


class Contest(NamedTuple):
    """Two responses to one prompt, of which one won, or none.

    Attributes:
        models: Who wrote the first and the second.
        texts: What they wrote.
        points: Of the first, in halves: 2 for a win, 1 for a tie, 0 for a loss.
        comparisons: What each judge said in both orders; none where nobody was asked, or only in one.
    """

    models: tuple[str, str]
    texts: tuple[Text, Text]
    points: int
    comparisons: tuple[Judgment, ...] = ()

    @property
    def length_difference(self) -> int:
        """How much longer the first response is, in characters."""
        return len(plain_text(self.texts[0])) - len(plain_text(self.texts[1]))


def read_contests(record: Record, model_field: str = "model") -> list[Contest]:
    """Read the verdicts of a record.

    >>> pair = {"prompt": "q", "chosen": "Yes.", "rejected": "No", "model_chosen": "new", "model_rejected": "old"}
    >>> read_contests(pair)
    [Contest(models=('new', 'old'), texts=('Yes.', 'No'), points=2, comparisons=())]
    """
    judgments = {pair: tuple(opinions) for pair, opinions in judgments_of(record).items()}
    both = judgments.get((0, 1), ())
    if is_preference(record):
        fields = LABELED_NAMES.get(model_field) or (f"{model_field}_chosen", f"{model_field}_rejected")
        first, second = (_model(record, field, f"field '{field}'") for field in fields)
        return [Contest((first, second), (record["chosen"], record["rejected"]), 2, both)]
    responses = record["responses"]
    if len(responses) == 1:
        refuse_unpaired(record)
    models = [
        _model(response, model_field, f"response {number}: '{model_field}'")
        for number, response in enumerate(responses, 1)
    ]
    texts = [response["text"] for response in responses]
    if len(responses) == 2 and is_noted_tie(record):
        return [Contest((models[0], models[1]), (texts[0], texts[1]), 1, both)]
    if "preferences" not in record:
        raise RecordError(
            f"{len(responses)} response{'' if len(responses) == 1 else 's'} and no verdict; label with 'real relabel "
            "judge' or 'real relabel human'"
        )
    matrix = given_preferences(record).tolist()
    return [
        Contest((models[i], models[j]), (texts[i], texts[j]), _points(matrix[i][j], i, j), judgments.get((i, j), ()))
        for i, j in combinations(range(len(responses)), 2)
    ]


def _model(holder: Record, field: str, shown: str) -> str:
    name = holder.get(field)
    if isinstance(name, str) and name:
        return name
    needed = "the name of the response's model is needed, see --model-field"
    if field in holder:
        raise RecordError(f"{shown} is {clip(name)}; {needed}")
    raise RecordError(f"{shown} is missing; {suggest_field(field, holder, needed)}")


def _points(chance: float, i: int, j: int) -> int:
    if chance in (0.0, 0.5, 1.0):
        return round(2 * chance)
    raise RecordError(
        f"field 'preferences': responses {i + 1} and {j + 1} have {chance!r}; a verdict is 1, 0.5 for a tie, or 0"
    )
