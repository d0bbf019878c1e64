"""The evaluation behind `real eval judge`: a judge's labels against others, its biases, and what they can show."""

import math
from collections.abc import Sequence
from typing import Any

import numpy as np

from real_cli.errors import RecordError, UsageError
from real_cli.evaluate.evaluation import Evaluation, Exclusion, Fate, Summary
from real_cli.evaluate.judge.agreements import by_tenths, compare_halves, describe_agreement, describe_reach
from real_cli.evaluate.judge.biases import describe_favor, describe_lengths, describe_own, describe_repeats
from real_cli.evaluate.judge.compared import ComparedPair, ComparedRecord, compared_pairs, similarities_of
from real_cli.evaluate.judge.examples import JudgeExamples
from real_cli.evaluate.judge.gold_labels import GoldFile, GoldLabel, GoldLabels, NoGold, read_labels
from real_cli.evaluate.judge.notes import explain
from real_cli.evaluate.judge.report import judge_report
from real_cli.evaluate.judge.rows import JudgedPair, JudgedRows, JudgedTally
from real_cli.records.field_names import suggest_field
from real_cli.records.judgments import is_by_panel, judgments_of
from real_cli.records.labels import holders_of
from real_cli.records.record import Record
from real_cli.records.response_fields import responses_of
from real_cli.report.contents import Report
from real_cli.report.examples import Examples
from real_cli.stats.positions import describe_flips, describe_positions
from real_cli.text.phrases import EQUAL_TEXTS, say_count

EFFECT = 0.05
TOO_FEW = "fewer than two responses"
NO_GOLD = "no label to compare the judge's with"


class JudgeSurvey(Evaluation):
    """A judge's labels, what they are compared with, and what can be said of the judge.

    Args:
        label: The number of a response whose order is the judge's label; None for the label of the record itself.
        gold: Where the labels to compare with come from; None for nowhere.
        model: The judge's name among the models of the responses; None for the one that its note gives.
        model_field: The field of a response that names its model.
        effect: The win rate beyond one half that labels are to show.
        has_examples: Whether pairs to look at are wanted.

    Raises:
        UsageError: If the effect is out of range.

    Example:
        >>> gold = GoldFile()
        >>> gold.add({"prompt": "q", "chosen": "yes", "rejected": "no"})
        >>> survey = JudgeSurvey(gold=gold)
        >>> survey.add({"prompt": "q", "chosen": "no", "rejected": "yes"})
        []
        >>> survey.summary()["agreement"]
        0.0
    """

    name = "judge"

    def __init__(
        self,
        *,
        label: str | None = None,
        gold: GoldLabels | None = None,
        model: str | None = None,
        model_field: str = "model",
        effect: float = EFFECT,
        has_examples: bool = False,
    ) -> None:
        if not 0 < effect <= 0.5:
            raise UsageError(f"--effect {effect:g}: a win rate beyond one half is needed, above 0 and at most 0.5")
        self._label, self._gold, self._effect = label, gold or NoGold(), effect
        self._model, self._model_field = model, model_field
        self._tally = JudgedTally()
        self._judges: dict[str, int] = {}
        self._examples = JudgeExamples() if has_examples else None
        self.num_records = self.num_unlabeled = 0

    def add(self, record: Record, place: str = "") -> Sequence[Exclusion]:
        """Count the pairs that the judge labeled; equal texts are left out."""
        compared = compared_pairs(record)
        labels = read_labels(record, self._label, compared.pairs)
        self._check_label(record, labels)
        gold = self._gold.of(record, compared.pairs)
        rows = self._rows(record, compared, labels, gold)
        self.num_records += 1
        self.num_unlabeled += len(labels) - len(rows)
        for row, _ in rows:
            self._tally.add(row)
        if self._examples:
            self._examples.offer(place, record, rows)
        excluded = [Exclusion(place, record, EQUAL_TEXTS)] * compared.num_equal
        if not labels and not compared.num_equal:
            excluded.append(Exclusion(place, record, TOO_FEW))
        if rows and not isinstance(self._gold, NoGold) and all(math.isnan(row.gold) for row, _ in rows):
            excluded.append(Exclusion(place, record, NO_GOLD, Fate.counted))
        return excluded

    def _check_label(self, record: Record, labels: list[GoldLabel]) -> None:
        """Refuse a record that the judge says nothing of."""
        if not labels or not all(math.isnan(label.sign) for label in labels):
            return
        if self._label is None:
            raise RecordError(
                f"{say_count(len(responses_of(record)), 'response')} and no verdict; label with 'real relabel judge', "
                "or name the judge's number with --label"
            )
        holder, name, where = next(each for each in holders_of(record, self._label) if each[0].get(each[1]) is None)
        right = suggest_field(name, holder, "--label names the number whose order is the judge's label")
        raise RecordError(f"field '{name}' is missing{where}; {right}")

    def _rows(
        self, record: Record, compared: ComparedRecord, labels: list[GoldLabel], gold: list[GoldLabel]
    ) -> list[tuple[JudgedPair, ComparedPair]]:
        similarities, judgments = similarities_of(record), judgments_of(record)
        name, judges, writers = self._read_models(record)
        judge = -1 if name is None else self._judges.setdefault(name, len(self._judges))
        scores = read_labels(record, "score", compared.pairs)
        rows = []
        for pair, label, other, score in zip(compared.pairs, labels, gold, scores, strict=True):
            if math.isnan(label.sign):
                continue
            place = min(pair.first, pair.second), max(pair.first, pair.second)
            is_own = [writers[number] in judges for number in (pair.first, pair.second)]
            similarity = similarities if isinstance(similarities, float) else similarities[pair.first, pair.second]
            gap = score.gap if math.isnan(other.gap) else other.gap
            row = JudgedPair(
                compared.prompt, pair.key, label.sign, other.sign, pair.length_difference, float(similarity), gap,
                [each.verdicts for each in judgments.get(place, [])], is_own[0] - is_own[1], judge,
            )  # fmt: skip
            rows.append((row, pair))
        return rows

    def _read_models(self, record: Record) -> tuple[str | None, list[str], list[Any]]:
        """Read the name of the judge or panel, those of all its judges, and the models that wrote the responses."""
        mark: Any = record.get("judge")
        noted = mark.get("model") if isinstance(mark, dict) else None
        judges = [noted] if isinstance(noted, str) and noted else []
        name = " + ".join(judges)
        if is_by_panel(record):
            judges = list(dict.fromkeys(opinion["model"] for opinion in record["verdicts"]))
            name = name or " + ".join(map(str, mark["models"] if isinstance(mark.get("models"), list) else judges))
        if self._model is not None:
            name, judges = self._model, [self._model]
        writers = [holder.get(field) for holder, field, _ in holders_of(record, self._model_field)]
        return name or None, judges, writers

    def rows(self) -> JudgedRows:
        """Hand out the pairs, the judges numbered by their names."""
        rows = self._tally.rows()
        ranks = np.argsort(np.argsort(np.array(list(self._judges), dtype=object))) if self._judges else np.zeros(0)
        numbers = np.append(ranks.astype(np.int64), -1)  # -1, without a name, stays what it is
        return rows._replace(judge=numbers[rows.judge])

    def summary(self) -> Summary:
        """Sum up; the order in which records came changes nothing."""
        rows = self.rows()
        compared = rows.compared
        agreement = describe_agreement(compared)
        summary: dict[str, Any] = {
            "judges": sorted(self._judges),
            "num_records": self.num_records,
            "num_pairs": int(rows.label.size),
            "num_prompts": rows.num_prompts,
            "num_without_gold": int(np.isnan(rows.gold).sum()),
            "num_unlabeled": self.num_unlabeled,
            **agreement,
            **compare_halves(compared),
            **describe_flips(rows.verdicts, rows.prompt),
            **describe_positions(rows.verdicts, rows.prompt),
            **describe_favor(rows),
            **describe_lengths(rows),
            **describe_repeats(rows),
            **self._gold_repeats(),
            **describe_own(rows),
            **describe_reach(rows, agreement, self._effect),
            "by_similarity": by_tenths(compared, compared.similarity, "similarity"),
            "by_score_gap": by_tenths(compared, compared.score_gap, "score_gap"),
            "by_length_difference": by_tenths(compared, np.abs(compared.length_difference), "length_difference"),
        }
        return summary | {"notes": explain(summary, self._gold)}

    def _gold_repeats(self) -> dict[str, Any]:
        """Describe how far the other labels agree among themselves: no judge can be expected to agree more."""
        names = ("gold_consistency", "gold_consistency_low", "gold_consistency_high")
        if not isinstance(self._gold, GoldFile):
            return {"num_gold_repeated": 0} | dict.fromkeys(names)
        consistency = self._gold.consistency()
        return {"num_gold_repeated": consistency.num_rows} | consistency.fields(names[0])

    def examples(self) -> Examples:
        """Hand out pairs on which the labels differ, and verdicts that flipped."""
        return self._examples.rows() if self._examples else {}

    def report(self, summary: Summary, examples: Examples) -> Report:
        """Lay out agreement, biases, consistency, and what the labels can show."""
        return judge_report(summary, examples)

    def sentence(self, summary: Summary) -> str:
        """Tell the counts and the notes."""
        counts = f"{say_count(summary['num_pairs'], 'label')} of the judge's, {summary['num_compared']:,} compared"
        return "; ".join([counts, *summary["notes"]])
