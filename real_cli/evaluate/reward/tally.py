"""The evaluation behind `real eval reward`: scores of reward models against what is known to be better."""

import math
from collections.abc import Sequence

from real_cli.errors import UsageError, clip
from real_cli.evaluate.evaluation import Evaluation, Exclusion, Summary
from real_cli.evaluate.limits import Gate, number_names, read_gate
from real_cli.evaluate.reward.columns import RewardColumns
from real_cli.evaluate.reward.examples import RewardExamples
from real_cli.evaluate.reward.measures import Measures
from real_cli.evaluate.reward.readings import read_record
from real_cli.evaluate.reward.report import reward_report
from real_cli.records.categories import Categories
from real_cli.records.labels import RANK
from real_cli.records.messages import text_key
from real_cli.records.record import Record
from real_cli.report.contents import Report
from real_cli.report.examples import Examples
from real_cli.text.phrases import EQUAL_TEXTS, say_count

TOO_FEW, ALL_ALIKE = "fewer than two responses", "equally good responses"
# What --strict asks for in any case: no pair breaks no limit, and a gate is to notice.
NEEDED = "num_pairs>=1"


class RewardCheck(Evaluation):
    """Scores of reward models, a few numbers a pair and a record, and what can be said of them.

    Args:
        fields: Under which name each reward model's scores stand.
        gold: The number that says which response is better; None for chosen over rejected, or ranks.
        by: The field of a record that names its category; None for none.
        temperature: Divides a difference of scores, for the probability that it says.
        seed: Of the draws behind intervals.
        has_examples: Whether pairs to look at are wanted.

    Raises:
        UsageError: If a name or a number is out of range.

    Example:
        >>> check = RewardCheck()
        >>> check.add({"prompt": "q", "chosen": "a", "rejected": "b", "score_chosen": 1, "score_rejected": 3})
        ()
        >>> {name: check.summary()[name] for name in ("num_pairs", "accuracy", "score_gap")}
        {'num_pairs': 1, 'accuracy': 0.0, 'score_gap': -2.0}
    """

    name = "reward"

    def __init__(
        self,
        fields: Sequence[str] = ("score",),
        *,
        gold: str | None = None,
        by: str | None = None,
        temperature: float = 1.0,
        seed: int = 0,
        has_examples: bool = False,
    ) -> None:
        _check(fields, gold, temperature)
        self._fields, self._gold, self._by = list(fields), gold, by
        self._temperature, self._seed = temperature, seed
        self._categories = Categories(by)
        self._columns = RewardColumns(len(fields))
        self._examples = [RewardExamples() for _ in fields] if has_examples else []
        self._num_equal_texts = 0

    def add(self, record: Record, place: str = "") -> Sequence[Exclusion]:
        """Take the pairs of one record; one whose responses do not differ is left out."""
        reading = read_record(record, self._fields, self._gold)
        if len(reading.responses) < 2:
            return (Exclusion(place, record, TOO_FEW),)
        if reading.is_best.all():
            return (Exclusion(place, record, ALL_ALIKE),)
        pairs = reading.pairs()
        if not pairs[0].size:
            return (Exclusion(place, record, EQUAL_TEXTS),)
        category = self._categories.number_of(record)
        self._num_equal_texts += reading.num_equal_texts
        prompt = int.from_bytes(text_key(record["prompt"])[:8], "big")
        self._columns.add(record, reading, pairs, prompt, category)
        for model, examples in enumerate(self._examples):
            examples.offer(place, record, reading, model)
        return ()

    def summary(self) -> Summary:
        """Sum up: of one model its numbers, of several a list of them and the differences from the first."""
        ranks = self._categories.ranks()
        measures = Measures(self._columns.pairs(ranks), self._columns.records(ranks), self._temperature, self._seed)
        categories = self._categories.values() if self._by else []
        rows = [
            {"field": field, "by": self._by, **measures.describe(model, categories)}
            for model, field in enumerate(self._fields)
        ]
        for row in rows:
            row["num_equal_texts"] = self._num_equal_texts
        shared = [*measures.notes(), *self._categories.notes(), *self._left_out()]
        if len(rows) == 1:
            return rows[0] | {"notes": [*shared, *_doubts(rows[0])]}
        differences = [
            {"field": field, "minus": self._fields[0], **measures.subtract(model, 0)}
            for model, field in enumerate(self._fields)
            if model
        ]
        notes = [*shared, *(f"{row['field']}: {note}" for row in rows for note in _doubts(row))]
        return {"models": rows, "differences": differences, "notes": notes}

    def _left_out(self) -> list[str]:
        count = self._num_equal_texts
        return [f"{say_count(count, 'pair')} of equal texts left out"] if count else []

    def sentence(self, summary: Summary) -> str:
        """Tell the counts and the notes."""
        row = summary["models"][0] if "models" in summary else summary
        counts = f"{say_count(row['num_pairs'], 'pair')} of {say_count(row['num_records'], 'record')}"
        return "; ".join([counts, *summary["notes"]])

    def examples(self) -> Examples:
        """Hand out the extremes of each model."""
        names = self._fields if len(self._fields) > 1 else [""]
        kept = [examples.rows(name) for name, examples in zip(names, self._examples, strict=False)]
        return {kind: rows for kinds in kept for kind, rows in kinds.items()}

    def report(self, summary: Summary, examples: Examples) -> Report:
        """Lay out accuracy, categories, length, calibration and score gaps."""
        return reward_report(summary, examples)


def _check(fields: Sequence[str], gold: str | None, temperature: float) -> None:
    for field in fields:
        if not field or field == RANK:
            raise UsageError(f"--field {clip(field)}: name a field of scores, of which larger is better, such as score")
        if list(fields).count(field) > 1:
            raise UsageError(f"--field {clip(field)}: is named twice; name other scores to compare")
    if gold is not None and (not gold or gold == RANK):
        raise UsageError(f"--gold {clip(gold)}: ranks are read without it; name a number of which larger is better")
    if gold in fields:
        raise UsageError(f"--gold {clip(gold)}: is --field too; scores are measured against another number")
    if not 0 < temperature < math.inf:
        raise UsageError(f"--temperature {temperature:g}: must be greater than 0, and finite")


def _doubts(row: Summary) -> list[str]:
    """Say that a model tells nothing apart."""
    if row["num_pairs"] and row["num_ties"] == row["num_pairs"]:
        return ["every pair is a tie: both responses have the same score, so that an accuracy of 0 says nothing"]
    return []


def limit_names() -> list[str]:
    """Name the numbers of a summary that a limit may be set on."""
    check = RewardCheck()
    check.add({"prompt": "", "chosen": "a", "rejected": "b", "score_chosen": 1, "score_rejected": 0})
    return number_names(check.summary())


def gate_of(texts: Sequence[str], *, strict: bool, num_models: int) -> Gate:
    """Read the limits that a user sets; with --strict there has to be a pair."""
    if num_models > 1 and (texts or strict):
        option = "--limit" if texts else "--strict"
        raise UsageError(f"{option}: is about the numbers of one reward model; give one --field")
    return read_gate(texts, limit_names, is_strict=strict, needed=NEEDED)
