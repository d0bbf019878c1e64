"""What `real eval reward` says of one reward model, and of the difference between two."""

from typing import Any

import numpy as np

from real_cli.evaluate.reward.benchmark import NOTHING, describe_ties, mean_score, score_categories
from real_cli.evaluate.reward.columns import PairColumns, RecordColumns
from real_cli.evaluate.reward.readings import Numbers
from real_cli.stats.by_length import describe_lengths
from real_cli.stats.by_prompt import PromptIntervals
from real_cli.stats.calibration import calibrate
from real_cli.stats.describe import histogram
from real_cli.stats.length_control import control_length


class Measures:
    """Sums up the columns of all records.

    Args:
        pairs: Of all models.
        records: Likewise.
        temperature: Divides a difference of scores, for the probability that it says.
        seed: Of the draws behind intervals.
    """

    def __init__(self, pairs: PairColumns, records: RecordColumns, temperature: float, seed: int) -> None:
        self._pairs, self._records = pairs, records
        self._temperature, self._seed = temperature, seed
        self._of_pairs = PromptIntervals(pairs.prompts, seed=seed)
        self._of_records = PromptIntervals(records.prompts, seed=seed)

    def describe(self, model: int, categories: list[Any]) -> dict[str, Any]:
        """Sum up one model; `categories` are empty where none were asked for."""
        gaps, records = self._pairs.gaps[model], self._records
        scores = score_categories(records, model, self._seed) if categories else []
        return {
            "num_records": len(records.prompts),
            "num_prompts": self._of_records.num_prompts,
            **self._accuracy(gaps),
            **self._of_pairs.mean("score_gap", gaps),
            **self._best_of_n(model),
            **self._several_best(model),
            **self._lengths(gaps),
            **calibrate(gaps, 1 / self._temperature, self._of_pairs),
            "temperature": self._temperature,
            "by_category": [
                {
                    "category": value,
                    **self._accuracy(gaps, self._pairs.categories == place),
                    **self._best_of_n(model, records.categories == place),
                    **(score.estimate if score else NOTHING).fields("score"),
                }
                for place, (value, score) in enumerate(zip(categories, scores, strict=True))
            ],
            **mean_score(scores, records).fields("mean_score"),
            "ties": describe_ties(records, model, self._seed),
            "score_gap_histogram": histogram(gaps),
        }

    def subtract(self, model: int, base: int) -> dict[str, Any]:
        """Subtract the first model's shares from another's, pair by pair and record by record."""
        right, right_of_base = ((self._pairs.gaps[each] > 0).astype(np.float64) for each in (model, base))
        credit, credit_of_base = (self._records.credits[each] for each in (model, base))
        return {
            "num_pairs": len(self._pairs.prompts),
            "num_records": len(self._records.prompts),
            **self._of_pairs.difference("accuracy", right, right_of_base),
            **self._of_records.mean("best_of_n_accuracy", credit - credit_of_base),
        }

    def notes(self) -> list[str]:
        """Say which intervals are missing, and what those of shares allow for."""
        return self._of_pairs.notes()

    def _accuracy(self, gaps: Numbers, rows: Any = None) -> dict[str, Any]:
        chosen = gaps if rows is None else gaps[rows]
        return {
            "num_pairs": int(chosen.size),
            "num_correct": int((chosen > 0).sum()),
            "num_ties": int((chosen == 0).sum()),
            **self._of_pairs.share("accuracy", (gaps > 0).astype(np.float64), rows),
        }

    def _best_of_n(self, model: int, rows: Any = None) -> dict[str, Any]:
        inside = self._records if rows is None else self._records.take(rows)
        chance = inside.num_best / inside.sizes if inside.sizes.size else None
        return {
            "num_best_of_n": int(inside.sizes.size),
            "largest_n": int(inside.sizes.max()) if inside.sizes.size else None,
            **self._of_records.share("best_of_n_accuracy", self._records.credits[model], rows),
            "best_of_n_by_chance": None if chance is None else float(chance.mean()),
        }

    def _several_best(self, model: int) -> dict[str, Any]:
        apart, spread = self._records.aparts[model], self._records.spreads[model]
        several = self._records.num_best > 1
        return {
            "num_several_best": int(several.sum()),
            **self._of_records.share("several_best_accuracy", (apart > 0).astype(np.float64), several),
            **self._of_records.share("several_best_preferred", (apart > spread).astype(np.float64), several),
        }

    def _lengths(self, gaps: Numbers) -> dict[str, Any]:
        prompts, lengths = self._pairs.prompts, self._pairs.lengths
        result = describe_lengths(gaps, lengths, prompts, self._of_pairs, name="score_gap", unit="character")
        control = control_length((np.sign(gaps) + 1) / 2, lengths, prompts)
        return {
            **result,
            **control.rate.fields("accuracy_equal_length"),
            **control.effect.fields("length_effect"),
            "length_note": control.note,
        }
