"""The evaluation behind `real eval winrate`: who wins, how much of it is length, who is strongest."""

from array import array
from collections.abc import Sequence
from typing import Any

import numpy as np

from real_cli.errors import RecordError, UsageError, clip, suggest
from real_cli.evaluate.evaluation import Evaluation, Exclusion, Fate, Summary
from real_cli.evaluate.winrate.examples import WinrateExamples
from real_cli.evaluate.winrate.matches import Contest, read_contests
from real_cli.evaluate.winrate.report import winrate_report
from real_cli.evaluate.winrate.shares import Contests, describe_wins
from real_cli.evaluate.winrate.table import describe_lengths, explain, headline_rows, pair_rows, rank_models
from real_cli.records.categories import Categories
from real_cli.records.messages import text_key
from real_cli.records.record import Record
from real_cli.report.contents import Report
from real_cli.report.examples import Examples
from real_cli.stats.positions import VerdictColumn, describe_flips, describe_positions
from real_cli.text.phrases import say_count

# A field that names thousands of models names something else, and each pair of them is a row of the summary.
MOST_MODELS = 200


class WinrateTally(Evaluation):
    """Comparisons of models, a few numbers each, and what can be said of them.

    Args:
        model: The model whose wins are counted; None for the first by name, where there are two.
        by: The field of a record that names its category; None for none.
        model_field: The field of a response that names its model.
        has_examples: Whether comparisons to look at are wanted.

    Raises:
        UsageError: If the field has no name.

    Example:
        >>> tally = WinrateTally()
        >>> pair = {"chosen": "Yes.", "rejected": "No", "model_chosen": "new", "model_rejected": "old"}
        >>> tally.add({"prompt": "a"} | pair), tally.add({"prompt": "b"} | pair)
        ((), ())
        >>> summary = tally.summary()
        >>> summary["model"], summary["against"], summary["num_wins"], summary["win_rate"]
        ('new', 'old', 2, 1.0)
    """

    name = "winrate"

    def __init__(
        self,
        model: str | None = None,
        by: str | None = None,
        model_field: str = "model",
        *,
        has_examples: bool = False,
    ) -> None:
        self._categories = Categories(by)
        self.num_records = self.num_same_model = 0
        self._model, self._by, self._model_field = model, by, model_field
        self._examples = WinrateExamples() if has_examples else None
        self._models: dict[str, int] = {}
        self._prompts, self._gaps = array("q"), array("q")
        self._first, self._second, self._category = array("h"), array("h"), array("h")
        self._points, self._verdicts = array("b"), VerdictColumn()

    def add(self, record: Record, place: str = "") -> Sequence[Exclusion]:
        """Count the comparisons of one record; those of a model with itself are left out, and counted apart."""
        contests = read_contests(record, self._model_field)
        num_counted = self._count(record, contests)
        if self._examples:
            self._examples.offer(place, record, contests)
        if num_counted or not contests:
            return ()
        return (Exclusion(place, record, "one model on both sides", Fate.counted),)

    def _count(self, record: Record, contests: list[Contest]) -> int:
        category = self._categories.number_of(record)
        between = [contest for contest in contests if contest.models[0] != contest.models[1]]
        prompt = int.from_bytes(text_key(record["prompt"])[:8], "big", signed=True)
        numbers = [(self._number_of(contest.models[0]), self._number_of(contest.models[1])) for contest in between]
        for contest, (first, second) in zip(between, numbers, strict=True):
            self._prompts.append(prompt)
            self._first.append(first)
            self._second.append(second)
            self._points.append(contest.points)
            self._gaps.append(contest.length_difference)
            self._verdicts.add(judgment.verdicts for judgment in contest.comparisons)
            self._category.append(category)
        self.num_records += 1
        self.num_same_model += len(contests) - len(between)
        return len(between)

    def _number_of(self, model: str) -> int:
        number = self._models.setdefault(model, len(self._models))
        if number >= MOST_MODELS:
            del self._models[model]
            raise RecordError(f"model {clip(model)} is one more than {MOST_MODELS}; --model-field names their field")
        return number

    @property
    def models(self) -> list[str]:
        """All models, by name."""
        return sorted(self._models)

    def summary(self) -> Summary:
        """Sum up; the order in which records came changes nothing.

        `model` is whose wins the rates at the top are, `against` whom. Both are None where more than two models met and
        none was named: the rates then stand in `by_pair` alone.
        """
        rows, models = self._sorted(), self.models
        self._check_model(models)
        named = (models[0] if len(models) == 2 else None) if self._model is None else self._model
        picked, pairs = headline_rows(rows, models, named), pair_rows(rows, models, named)
        headline = picked[0] | describe_wins(picked[1]) if picked else None
        nothing = dict.fromkeys(("model", "against", *describe_wins(rows.take(np.arange(0)))))
        categories = self._by_category(rows, models, named) if self._by else []
        ranking, refusal = rank_models(rows, models)
        return (
            {"num_records": self.num_records, "num_models": len(models), "num_same_model": self.num_same_model}
            | (headline or nothing)
            | {"num_all_comparisons": int(rows.points.size), "num_all_prompts": int(np.unique(rows.prompts).size)}
            | describe_flips(rows.verdicts, rows.prompts)
            | describe_positions(rows.verdicts, rows.prompts)
            | describe_lengths(rows)
            | {"by_pair": pairs, "ranking": ranking, "by": self._by, "by_category": categories}
            | {"notes": [*explain(rows, headline, pairs, categories), *refusal, *self._categories.notes()]}
        )

    def examples(self) -> Examples:
        """Hand out long winners, and verdicts that flipped."""
        return self._examples.rows() if self._examples else {}

    def report(self, summary: Summary, examples: Examples) -> Report:
        """Lay out wins, lengths, the ranking, categories, and the order in which responses were shown."""
        return winrate_report(summary, examples)

    def sentence(self, summary: Summary) -> str:
        """Tell the counts and the notes."""
        counts = f"{say_count(summary['num_all_comparisons'], 'comparison')} of {say_count(len(self._models), 'model')}"
        alone = f"{self.num_same_model:,} of a model with itself left out" if self.num_same_model else ""
        return "; ".join(part for part in (counts, alone, *summary["notes"]) if part)

    def _check_model(self, models: list[str]) -> None:
        if self._model is not None and models and self._model not in models:
            right = suggest(self._model, models, f"there are {clip(', '.join(models))}")
            raise UsageError(f"--model {clip(self._model)}: no response is by it; {right}")

    def _sorted(self) -> Contests:
        """Put rows into an order that does not depend on how they came, the model that is first by name on the left."""
        by_name = np.argsort(np.argsort(np.array(list(self._models), dtype=object)))
        by_category = np.array(self._categories.ranks(), dtype=np.int64)
        prompts = np.array(self._prompts, dtype=np.int64)
        first, second = (np.array(column, dtype=np.int64) for column in (self._first, self._second))
        rows = Contests(
            prompts=prompts,
            first=by_name[first] if first.size else first,
            second=by_name[second] if second.size else second,
            points=np.array(self._points, dtype=np.int64),
            gaps=np.array(self._gaps, dtype=np.int64),
            verdicts=self._verdicts.matrix(),
            categories=by_category[np.array(self._category, dtype=np.int64)] if self._category else prompts,
        )
        turned = rows.turned(rows.first > rows.second)
        return turned.take(np.lexsort([key for column in vars(turned).values() for key in np.atleast_2d(column.T)]))

    def _by_category(self, rows: Contests, models: list[str], named: str | None) -> list[dict[str, Any]]:
        table = []
        for number, value in enumerate(self._categories.values()):
            inside = rows.take(rows.categories == number)
            headline = headline_rows(inside, models, named)
            described = [headline[0] | describe_wins(headline[1])] if headline else pair_rows(inside, models, named)
            table += [{"category": value} | row for row in described if row["num_comparisons"]]
        return table
