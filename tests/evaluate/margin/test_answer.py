"""What the first sentences of `eval margin` make of the numbers."""

import pytest

from real_cli.evaluate.margin.answer import answer, at_equal_length

ROW = {
    "num_pairs": 40,
    "num_ties": 0,
    "accuracy": 0.8,
    "accuracy_low": 0.65,
    "accuracy_high": 0.9,
    "margin": 2.0,
    "margin_low": 1.0,
    "margin_high": 3.0,
    "equal_length_note": None,
    "margin_equal_length": 1.0,
}


@pytest.mark.parametrize(
    ("low", "high", "margin_low", "verdict"),
    [
        (0.2, 1.8, 1.0, "the gain outlives length"),
        (-1.8, -0.2, 1.0, "a loss"),
        (-0.5, 2.5, 1.0, "what is gained may be length alone"),
        (-0.5, 2.5, -1.0, "no gain is certain"),
        (-0.5, 2.5, None, "no gain is certain"),
    ],
)
def test_the_margin_at_equal_length_is_judged_by_its_interval(low, high, margin_low, verdict):
    row = ROW | {"margin_equal_length_low": low, "margin_equal_length_high": high, "margin_low": margin_low}
    assert at_equal_length(row).endswith(f": {verdict}.")


def test_without_an_interval_nothing_is_judged():
    row = ROW | {"margin_equal_length_low": None, "margin_equal_length_high": None}
    assert ": " not in at_equal_length(row)
    unknown = row | {"margin_equal_length": None, "equal_length_note": "too few prompts"}
    assert at_equal_length(unknown) == "Whether the margin outlives length is not known: too few prompts."


@pytest.mark.parametrize(
    ("low", "high", "words"),
    [
        (0.65, 0.9, ", more often than chance would"),
        (0.1, 0.4, ", less often than chance would"),
        (0.4, 0.6, ", no more often than chance would"),
    ],
)
def test_the_accuracy_is_set_against_a_coin(low, high, words):
    row = ROW | {"accuracy_low": low, "accuracy_high": high}
    row |= {"margin_equal_length_low": 0.1, "margin_equal_length_high": 2.0}
    assert f"of 40 pairs{words}; its mean margin" in answer(row)
