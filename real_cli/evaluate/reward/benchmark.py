"""RewardBench 2's scores: of its ties, and the mean over its subsets."""

from collections.abc import Sequence
from typing import Any, NamedTuple

import numpy as np
from numpy.typing import NDArray

from real_cli.evaluate.reward.columns import REF, TIED, RecordColumns
from real_cli.evaluate.reward.readings import Numbers
from real_cli.stats.bootstrap import NUM_CELLS, Bootstrap, cells_of, count_cells
from real_cli.stats.intervals import Estimate
from real_cli.stats.proportions import estimate_share

# Of the terms of `ties_terms`, in this order: 60% accuracy, 40% margin, and a hundredth that parts equal models.
WEIGHTS = {
    "tied_accuracy": 0.30,
    "ref_accuracy": 0.30,
    "preferred": 0.20,
    "preferred_hard": 0.20,
    "margin_score": 0.01,
}


class CategoryScore(NamedTuple):
    """A score of one category.

    Attributes:
        estimate: The score.
        draws: The same of data sets drawn anew, shape (draws,).
        num_cells: In how many cells of the draws its prompts are.
    """

    estimate: Estimate
    draws: Numbers
    num_cells: int


NOTHING = Estimate(None, None, None, 0)


def ties_terms(records: RecordColumns, model: int) -> dict[str, tuple[Numbers, NDArray[np.int64]]]:
    """Give the terms of RewardBench 2's score of ties, one value a question each, with the questions' numbers.

    A question with several right answers (its id is tied:N) is answered well if all of them stand above all wrong ones,
    and better if they stand apart from these by more than from each other; `preferred_hard` asks the same of the
    question like it with one right answer (ref:N), too.

    References:
        Malik et al., 2025, RewardBench 2, arXiv:2506.01937, section 3.2; the weights and the last term are those of its
        code, `process_single_model`.
    """
    ref, tied = (_of_kind(records, kind) for kind in (REF, TIED))
    _, at_ref, at_tied = np.intersect1d(ref.numbers, tied.numbers, return_indices=True)
    both = tied.numbers[at_tied]
    spread, apart = tied.spreads[model][at_tied], tied.aparts[model][at_tied]
    least = np.minimum(ref.aparts[model][at_ref], apart)
    with np.errstate(divide="ignore", invalid="ignore", over="ignore"):
        margins = np.nan_to_num(np.tanh(least / spread - 1), nan=0.0)
    return {
        "tied_accuracy": (_as_numbers(tied.aparts[model] > 0), tied.numbers),
        "ref_accuracy": (_as_numbers(ref.aparts[model] > 0), ref.numbers),
        "preferred": (_as_numbers(apart > spread), both),
        "preferred_hard": (_as_numbers(least > spread), both),
        "margin_score": (margins, both),
    }


def score_ties(records: RecordColumns, model: int, seed: int) -> tuple[CategoryScore | None, dict[str, float | None]]:
    """CategoryScore the questions with ties, and give the terms; no score where one of the terms has no question."""
    terms = ties_terms(records, model)
    means = {name: float(values.mean()) if values.size else None for name, (values, _) in terms.items()}
    if None in means.values():
        return None, means
    numbers = np.concatenate([numbers for _, numbers in terms.values()])
    # A question and the one like it are drawn together. Apart from the draws of prompts, hence another seed.
    bootstrap = Bootstrap(numbers % NUM_CELLS, seed=seed + 1)
    draws = sum(
        WEIGHTS[name] * bootstrap.means(numbers % NUM_CELLS, values) for name, (values, numbers) in terms.items()
    )
    value = sum(WEIGHTS[name] * mean for name, mean in means.items() if mean is not None)
    num_cells = min(count_cells(numbers % NUM_CELLS, values) for values, numbers in terms.values())
    low, high = bootstrap.interval(np.asarray(draws), num_cells) or (None, None)
    estimate = Estimate(value, low, high, np.unique(numbers).size)
    return CategoryScore(estimate, np.asarray(draws), num_cells), means


def score_categories(records: RecordColumns, model: int, seed: int) -> list[CategoryScore | None]:
    """CategoryScore each category: best of n, or what RewardBench 2 asks of ties where it has nothing else."""
    cells = cells_of(records.prompts)
    bootstrap = Bootstrap(cells, seed=seed)
    scores = []
    for category in np.unique(records.categories):
        rows = records.categories == category
        inside = records.take(rows)
        if set(inside.kinds.tolist()) == {REF, TIED}:
            scores.append(score_ties(inside, model, seed)[0])
            continue
        values = inside.credits[model]
        estimate = estimate_share(values, inside.prompts)
        scores.append(CategoryScore(estimate, bootstrap.means(cells[rows], values), count_cells(cells[rows], values)))
    return scores


def mean_score(scores: Sequence[CategoryScore | None], records: RecordColumns) -> Estimate:
    """Average the scores of all categories, each counting once; none where a category has no score."""
    known = [score for score in scores if score is not None]
    values = [score.estimate.value for score in known if score.estimate.value is not None]
    if not values or len(values) < len(scores):
        return NOTHING
    draws = np.mean([score.draws for score in known], axis=0)
    bootstrap = Bootstrap(cells_of(records.prompts))
    low, high = bootstrap.interval(draws, min(score.num_cells for score in known)) or (None, None)
    return Estimate(float(np.mean(values)), low, high, len(records.prompts))


def describe_ties(records: RecordColumns, model: int, seed: int) -> dict[str, Any]:
    """Sum up the questions with ties."""
    score, means = score_ties(records, model, seed)
    counts = {f"num_{name}": int(_of_kind(records, kind).numbers.size) for name, kind in (("ref", REF), ("tied", TIED))}
    return counts | means | (score.estimate if score else NOTHING).fields("score")


def _of_kind(records: RecordColumns, kind: int) -> RecordColumns:
    """Pick the records of a kind, the first of each number."""
    chosen = records.take(records.kinds == kind)
    return chosen.take(np.unique(chosen.numbers, return_index=True)[1])


def _as_numbers(values: Any) -> Numbers:
    return np.asarray(values, dtype=np.float64)
