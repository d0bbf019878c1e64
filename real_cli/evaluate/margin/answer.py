"""What `real eval margin` found, in two sentences of a person's language."""

from typing import Any

from real_cli.evaluate.accuracy_parts import against_chance, tie_words
from real_cli.report.numbers import show_estimate, show_share
from real_cli.text.phrases import say_count

Summary = dict[str, Any]


def answer(row: Summary) -> str:
    """Say how often a policy prefers the chosen response, by how much, and whether length explains it."""
    who = row.get("policy", "The policy")
    if not row["num_pairs"]:
        return f"{who}: no pair was measured."
    if row["num_ties"] == row["num_pairs"]:
        return f"{who}: every pair is a tie ({say_count(row['num_pairs'], 'pair')}); {_alike(row)}."
    pairs = f"{say_count(row['num_pairs'], 'pair')}{tie_words(row['num_ties'])}{against_chance(row)}"
    return (
        f"{_trained_on(row)}{who} prefers the chosen response in {show_share(row, 'accuracy')} of {pairs}; its mean "
        f"margin over the reference is {show_estimate(row, 'margin', ' nats')}. {at_equal_length(row)}"
    )


def _trained_on(row: Summary) -> str:
    return "Measured on the very pairs that it was trained on: " if row.get("is_trained_on") else ""


def _alike(row: Summary) -> str:
    """Say what makes all pairs ties: the same model twice, most often."""
    if row["rewards_chosen"] == row["rewards_rejected"] == 0:
        return "policy and reference give the same numbers"
    return "policy and reference differ by as much on the chosen response as on the rejected one"


def at_equal_length(row: Summary) -> str:
    """Say whether the margin outlives a difference in length."""
    if row["margin_equal_length"] is None:
        return f"Whether the margin outlives length is not known: {row['equal_length_note']}."
    text = f"At equal length the margin is {show_estimate(row, 'margin_equal_length', ' nats')}"
    low, high = row["margin_equal_length_low"], row["margin_equal_length_high"]
    if low is None or high is None:
        return f"{text}."
    if low > 0:
        return f"{text}: the gain outlives length."
    if high < 0:
        return f"{text}: a loss."
    is_gain = row["margin_low"] is not None and row["margin_low"] > 0
    return f"{text}: {'what is gained may be length alone' if is_gain else 'no gain is certain'}."
