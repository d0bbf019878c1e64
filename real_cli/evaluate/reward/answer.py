"""What `real eval reward` found of one model, in a few sentences of a person's language."""

from typing import Any

from real_cli.evaluate.accuracy_parts import against_chance, tie_words
from real_cli.report.numbers import show_estimate, show_percent, show_share
from real_cli.text.phrases import say_count

Summary = dict[str, Any]


def answer(row: Summary, name: str = "The reward model") -> str:
    """Say how often the better response has the higher score, whether that is more than chance, and best of n."""
    if not row["num_pairs"]:
        return f"{name}: no pair was measured."
    if row["num_ties"] == row["num_pairs"]:
        return f"{name} gives both responses the same score in every pair ({say_count(row['num_pairs'], 'pair')})."
    pairs = f"{say_count(row['num_pairs'], 'pair')}{tie_words(row['num_ties'])}{against_chance(row)}"
    text = f"{name} scores the better response higher in {show_share(row, 'accuracy')} of {pairs}."
    return " ".join(part for part in (text, _best_of_n(row), at_equal_length(row)) if part)


def _best_of_n(row: Summary) -> str:
    """Say how often the highest score is a best response's, where there is a choice of more than two."""
    if row["largest_n"] < 3:
        return ""
    chance = show_percent(row["best_of_n_by_chance"])
    records = say_count(row["num_best_of_n"], "record")
    return (
        f"Of all responses the one with the highest score is a best one in {show_share(row, 'best_of_n_accuracy')} of "
        f"{records}; by chance it would be in {chance}."
    )


def at_equal_length(row: Summary) -> str:
    """Say whether the accuracy outlives a difference in length."""
    if row["accuracy_equal_length"] is None:
        return f"Whether that outlives length is not known: {row['length_note']}."
    text = f"At equal length the accuracy is {show_share(row, 'accuracy_equal_length')}"
    low, high = row["accuracy_equal_length_low"], row["accuracy_equal_length_high"]
    if low is None or high is None:
        return f"{text}."
    if low > 0.5:
        return f"{text}: it outlives length."
    return f"{text}: {'worse than a coin' if high < 0.5 else 'no better than a coin, as far as these pairs tell'}."


def length_bias(row: Summary) -> str:
    """Say which length a model favors, as far as the interval tells."""
    if row["accuracy_length_gap"] is None:
        return "No pair has a longer and another a shorter better response."
    text = (
        "Accuracy where the better response is longer minus that where it is shorter is "
        f"{show_estimate(row, 'accuracy_length_gap')}"
    )
    low, high = row["accuracy_length_gap_low"], row["accuracy_length_gap_high"]
    if low is None or high is None or low <= 0 <= high:
        return f"{text}: no bias to either length is certain."
    return f"{text}: longer responses are scored too {'high' if low > 0 else 'low'}."
