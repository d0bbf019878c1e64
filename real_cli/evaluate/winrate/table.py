"""The tables of `eval winrate`: a model against others, every two models, the ranking, winners' lengths, notes."""

from itertools import pairwise
from typing import Any

import numpy as np
from numpy.typing import NDArray

from real_cli.evaluate.winrate.shares import Contests, describe_wins
from real_cli.stats.bootstrap import FEWEST_CELLS, student_quantile
from real_cli.stats.bradley_terry import fit_bradley_terry, groups_of
from real_cli.stats.intervals import Estimate
from real_cli.stats.logistic import FIT_DIGITS
from real_cli.stats.proportions import estimate_share
from real_cli.text.phrases import say_count

EVERY_OTHER = "all others"
MOST_BINS = 30


def headline_rows(rows: Contests, models: list[str], named: str | None) -> tuple[dict[str, str], Contests] | None:
    """Pick the comparisons of the named model and put it on the left; None where no model is named."""
    if named is None or named not in models:
        return None
    number = models.index(named)
    against = next(name for name in models if name != named) if len(models) == 2 else EVERY_OTHER
    picked = rows.take((rows.first == number) | (rows.second == number))
    return {"model": named, "against": against}, picked.turned(picked.second == number)


def pair_rows(rows: Contests, models: list[str], named: str | None) -> list[dict[str, Any]]:
    """Describe every two models that met, in the order of names, but the named one first."""
    codes = rows.first * len(models) + rows.second
    order = np.argsort(codes, kind="stable")
    starts = np.flatnonzero(np.diff(codes[order], prepend=-1))
    table = []
    for start, end in pairwise([*starts.tolist(), codes.size]):
        inside = rows.take(order[start:end])
        names = [models[int(inside.first[0])], models[int(inside.second[0])]]
        if names[1] == named:
            names, inside = names[::-1], inside.turned(np.ones(inside.points.size, dtype=np.bool_))
        table.append({"model": names[0], "against": names[1]} | describe_wins(inside))
    return table


def rank_models(rows: Contests, models: list[str]) -> tuple[list[dict[str, Any]], list[str]]:
    """Rank more than two models by Bradley and Terry's strengths, or say why there is no ranking."""
    if len(models) <= 2:
        return [], []
    groups = groups_of(rows.first, rows.second, rows.points / 2)
    if len(groups) > 1:
        named = " | ".join(", ".join(models[number] for number in group) for group in groups)
        return [], [f"no ranking: between the groups {named} wins and ties do not go both ways (Ford 1957)"]
    fit = fit_bradley_terry(rows.first, rows.second, rows.points / 2, rows.prompts)
    if fit is None:
        return [], ["no ranking: the strengths have no finite fit, or all comparisons are about one prompt"]
    has_interval = fit.num_clusters >= FEWEST_CELLS
    half = student_quantile(fit.num_clusters) * np.sqrt(np.diag(fit.covariance))
    met = np.bincount(np.concatenate([rows.first, rows.second]), minlength=len(models))
    strengths = fit.values.round(FIT_DIGITS)
    table = [
        {"rank": 1 + int((strengths > strengths[number]).sum()), "model": name}
        | Estimate(
            float(strengths[number]),
            float(fit.values[number] - half[number]) if has_interval else None,
            float(fit.values[number] + half[number]) if has_interval else None,
            int(met[number]),
        ).fields("strength")
        | {"num_comparisons": int(met[number])}
        for number, name in enumerate(models)
    ]
    notes = (
        []
        if has_interval
        else [f"{say_count(fit.num_clusters, 'prompt')}, and intervals of strengths need {FEWEST_CELLS}"]
    )
    return sorted(table, key=lambda row: (row["rank"], row["model"])), notes


def describe_lengths(rows: Contests) -> dict[str, Any]:
    """Describe how length and winning go together, whoever won.

    The outer bins of the histogram hold what lies beyond the 1st and 99th percentile.
    """
    winning = np.where(rows.points == 2, rows.gaps, -rows.gaps)[rows.points != 1]
    unequal = winning != 0
    prompts = rows.prompts[rows.points != 1][unequal]
    longer, count = int((winning > 0).sum()), int(unequal.sum())
    return (
        {"num_unequal_lengths": count, "num_longer_won": longer}
        | estimate_share(winning[unequal] > 0, prompts).fields("share_longer_won")
        | {"winner_length_difference": _histogram(winning)}
    )


def _histogram(values: NDArray[np.int64]) -> dict[str, list[Any]] | None:
    if not values.size:
        return None
    low, high = (int(end) for end in np.quantile(values, (0.01, 0.99), method="nearest"))
    width = (high - low) // MOST_BINS + 1
    bins = (np.clip(values, low, high) - low) // width
    counts = np.bincount(bins, minlength=(high - low) // width + 1)
    edges = low - 0.5 + width * np.arange(counts.size + 1)
    return {"edges": edges.tolist(), "counts": counts.tolist()}


def explain(
    rows: Contests, headline: dict[str, Any] | None, pairs: list[dict[str, Any]], categories: list[dict[str, Any]]
) -> list[str]:
    """Say what the numbers do not: of all comparisons, the headline, the rows of two models, those of a category."""
    count, num_prompts = int(rows.points.size), int(np.unique(rows.prompts).size)
    if not count:
        return ["no comparison of two models"]
    notes = []
    if headline is None:
        notes.append("more than two models met; --model NAME counts the wins of one against all others")
    if num_prompts < count:
        notes.append(
            f"{count:,} comparisons are about {say_count(num_prompts, 'prompt')}: an interval of a share counts "
            "those of one prompt for what they are worth together"
        )
    if headline and headline["win_rate_low"] is None and headline["num_prompts"]:
        notes.append(
            f"{say_count(headline['num_prompts'], 'prompt')}: a share over several comparisons of one needs "
            f"{FEWEST_CELLS} for an interval"
        )
    if not (rows.points == 1).any() and (rows.verdicts >= 0).any():
        notes.append(
            "no ties: flipped verdicts are ties, and if 'relabel judge' left them out for want of --ties keep, then "
            "win_rate and flip_rate do not know of them"
        )
    if headline and headline["length_note"]:
        notes.append(f"no length-controlled rate, or none with an interval: {headline['length_note']}")
    for name, table in (("by_pair", pairs), ("by_category", categories)):
        lacking = sum(row["length_note"] is not None for row in table)
        if lacking and len(table) > 1:
            notes.append(
                f"no length-controlled rate, or none with an interval, in {lacking:,} of {len(table):,} rows of "
                f"{name}: length_note says why"
            )
    return notes
