"""The evaluation behind `real eval labels`: pairs against gold, and strategies side by side."""

import math
from collections.abc import Iterable, Iterator, Sequence
from itertools import chain
from typing import Any, NamedTuple

import numpy as np

from real_cli.evaluate.evaluation import Evaluation, Exclusion, Summary
from real_cli.evaluate.labels.error_rates import by_similarity, by_strategy, histogram, measure
from real_cli.evaluate.labels.gold import Marks, Truth, read_marks
from real_cli.evaluate.labels.report import labels_report
from real_cli.evaluate.labels.rows import PairTally, Rows
from real_cli.evaluate.labels.strategies import POSITION, StrategyTrials, TrialChoice, with_positions
from real_cli.io.job import Job, Located
from real_cli.pair.choices import Orient, Strategy
from real_cli.pair.choose import Settings, begin_pairs
from real_cli.pair.similarity_batch import Similarities, SimilarityBatch
from real_cli.records.messages import text_key
from real_cli.records.record import Record, is_preference, to_candidates
from real_cli.report.contents import ExcerptRow, Report
from real_cli.report.examples import Examples, Extremes, excerpt
from real_cli.stats.bootstrap import FEWEST_CELLS, Bootstrap
from real_cli.stats.numeric import number_or_nan
from real_cli.text.phrases import EQUAL_TEXTS, say_count

LEAST_SIMILAR, MOST_SIMILAR, WRONG = "least similar", "most similar", "wrongly labeled, widest gap"
# From this share of ambiguous pairs on the temperature is told to be too high for the scale of gold.
MOST_AMBIGUOUS = 0.95
# A gap of three temperatures is flipped in 4.7% of labels, sigmoid(-3).
SMALL_PART = 3


class GoldPair(NamedTuple):
    """A pair, and which responses of its record the two are."""

    pair: Record
    first: int
    second: int


class Reading(NamedTuple):
    """What there is to count of one record; its pairs as they are asked for, once, since there may be millions."""

    marks: Marks
    pairs: Iterable[GoldPair]
    choices: dict[Strategy, list[TrialChoice]]
    dropped: list[str]


class LabelSurvey(Evaluation):
    """Pairs with gold, and strategies tried on them.

    Args:
        truth: Where gold and labels are.
        trials: Strategies to try; None for none.
        max_responses: Most of a prompt that are compared by their embeddings.
        seed: Of the bootstrap.

    Example:
        >>> survey = LabelSurvey(Truth())
        >>> pair = {"prompt": "q", "chosen": "a", "rejected": "b", "score_chosen": 1, "score_rejected": 3}
        >>> survey.add(pair)
        []
        >>> {name: survey.summary()[name] for name in ("num_pairs", "share_wrong", "mean_gap")}
        {'num_pairs': 1, 'share_wrong': 1.0, 'mean_gap': 2.0}
    """

    name = "labels"

    def __init__(
        self,
        truth: Truth,
        trials: StrategyTrials | None = None,
        max_responses: int = Settings.max_responses,
        *,
        seed: int = 0,
    ) -> None:
        self._every_pair = Settings(Strategy.all, Orient.none, max_responses=max_responses)
        self._truth = truth
        self._trials = trials
        self._seed = seed
        self._comparisons = SimilarityBatch(max_responses)
        self._tally = PairTally()
        self._extremes = {
            LEAST_SIMILAR: Extremes(),
            MOST_SIMILAR: Extremes(largest=True),
            WRONG: Extremes(largest=True),
        }

    def records(self, job: Job) -> Iterator[Located]:
        """Read ahead, so that the similarities of several records are worked out at once."""
        return job.records(ahead=self._comparisons.add)

    def add(self, record: Record, place: str = "") -> Sequence[Exclusion]:
        """Count a labeled pair, or all pairs of candidates; equal texts are left out."""
        reading = self._read(record, self._comparisons.take(record))
        strategy = str(record["strategy"]) if record.get("strategy") is not None else None
        key = text_key(record["prompt"])
        for pair, first, second in reading.pairs:
            gold, label = (numbers[first] - numbers[second] for numbers in reading.marks)
            similarity = number_or_nan(pair.get("similarity"))
            self._tally.add(key, gold, label, similarity, strategy=strategy)
            self._show(place, pair, gold, label, similarity)
        if self._trials:
            self._trials.add(key, reading.choices, reading.marks)
        return [Exclusion(place, record, reason) for reason in reading.dropped]

    def _read(self, record: Record, comparison: Similarities | None) -> Reading:
        """Read one record; nothing is counted yet."""
        marks = read_marks(record, self._truth)
        if is_preference(record) and not self._trials:
            equal = record["chosen"] == record["rejected"]
            return Reading(marks, [] if equal else [GoldPair(record, 0, 1)], {}, [EQUAL_TEXTS] if equal else [])
        light = with_positions(to_candidates(record))
        outcome = begin_pairs(light, self._every_pair, comparison)
        pairs = (
            GoldPair(pair, *(response[POSITION] for response in pair["responses"]))
            for pair in outcome.rest
            if not isinstance(pair, str)  # why one is left out: none is that is not oriented
        )
        return Reading(marks, pairs, self._trials.choose(light, comparison) if self._trials else {}, outcome.dropped)

    def _show(self, place: str, pair: Record, gold: float, label: float, similarity: float) -> None:
        def make() -> ExcerptRow:
            facts: dict[str, object] = {"gap": abs(gold)}
            if not math.isnan(similarity):
                facts = {"similarity": similarity} | facts
            if label and not math.isnan(label):
                facts["label"] = "against gold" if gold * label < 0 else "gold is equal" if not gold else "as gold says"
            return excerpt(place, pair, facts)

        if not math.isnan(similarity):
            self._extremes[LEAST_SIMILAR].offer(similarity, make)
            self._extremes[MOST_SIMILAR].offer(similarity, make)
        if gold and label and (gold > 0) != (label > 0) and not math.isnan(label):
            self._extremes[WRONG].offer(abs(gold), make)

    def examples(self) -> Examples:
        """Hand out the pairs at the ends of similarity, and the labels that are most wrong."""
        return {title: extremes.rows() for title, extremes in self._extremes.items()}

    def report(self, summary: Summary, examples: Examples) -> Report:
        """Lay out label error: overall, by strategy, by similarity, and what budgets buy."""
        return labels_report(summary, examples)

    def summary(self) -> Summary:
        """Sum up all pairs, each strategy, each tenth by similarity, and the strategies tried."""
        rows, tried = self._tally.rows(), self._trials.rows() if self._trials else {}
        cells = np.concatenate([part.cells for part in chain([rows], tried.values())])
        bootstrap = Bootstrap(cells, seed=self._seed)
        truth = self._truth
        summary: dict[str, Any] = {
            "gold": truth.gold,
            "label": truth.label,
            "temperature": truth.temperature,
            "ambiguous": truth.ambiguous,
            "num_pairs": int(rows.keys.size),
            "num_prompts": int(np.unique(rows.keys).size),
            "num_gold_ties": int((rows.gaps == 0).sum()),
            "num_labeled": int((~np.isnan(rows.labels) & (rows.labels != 0)).sum()),
            "num_label_ties": int((rows.labels == 0).sum()),
            **measure(bootstrap, rows, truth),
            "gap_histogram": histogram(rows.gaps),
            "by_strategy": by_strategy(bootstrap, rows, self._tally.strategies, truth),
            "by_similarity": by_similarity(bootstrap, rows, truth),
        }
        if self._trials:
            summary["compared_with"] = self._trials.base.value
            summary["compare"] = self._trials.compare(bootstrap, tried, truth)
            summary["budgets"] = self._trials.spend(bootstrap, tried, truth)
        notes = _notes(summary, rows, truth) + (self._trials.notes(truth) if self._trials else [])
        return summary | {"notes": notes}


def _scale_note(summary: dict[str, Any]) -> list[str]:
    """Hint at a temperature where nearly all pairs are ambiguous, as on a scale of gold from 0 to 1."""
    share, gap = summary["share_ambiguous"], summary["mean_gap"]
    if not gap or share is None or share < MOST_AMBIGUOUS:
        return []
    return [
        f"{share:.1%} of the pairs are ambiguous at temperature {summary['temperature']:g}: the gaps of gold are small "
        f"beside it, {gap:.2g} on average; try a lower --temperature, such as {gap / SMALL_PART:.1g}"
    ]


def _notes(summary: dict[str, Any], rows: Rows, truth: Truth) -> list[str]:
    """Say what the numbers do not."""
    num_pairs = summary["num_pairs"]
    if not num_pairs:
        return ["no pairs, so there is nothing to say"]
    sentences = _scale_note(summary)
    if not summary["num_labeled"]:
        where = f"'{truth.label}'" if truth.label else "'rank'"
        sentences.append(f"no pair has a label in {where}; only what gold says is reported")
    if summary["num_gold_ties"]:
        sentences.append(
            f"{summary['num_gold_ties']:,} of {say_count(num_pairs, 'pair')} with equal gold: share_wrong leaves them "
            "out, and expected_flips counts each as one half"
        )
    if np.isnan(rows.similarities).all():
        sentences.append("no pair has a similarity, so there is no table by similarity")
    if summary["num_prompts"] < FEWEST_CELLS:
        sentences.append(f"no interval is drawn over fewer than {FEWEST_CELLS} prompts")
    else:
        tables = chain(
            [summary], *(summary.get(name, []) for name in ("by_strategy", "by_similarity", "compare", "budgets"))
        )
        bare = [row["num_prompts"] < FEWEST_CELLS for row in tables if row["expected_flips_low"] is None]
        if num_few := sum(bare):
            sentences.append(f"{say_count(num_few, 'row')} without drawn intervals: fewer than {FEWEST_CELLS} prompts")
        if num_alike := len(bare) - num_few:
            sentences.append(
                f"{say_count(num_alike, 'row')} without an interval of expected_flips: every pair has the same"
            )
    if summary["num_prompts"] < num_pairs and summary["num_judged"]:
        sentences.append(
            f"{num_pairs:,} pairs come of {say_count(summary['num_prompts'], 'prompt')} and are not independent: an "
            "interval of a share counts them for what they are worth together"
        )
    return sentences
