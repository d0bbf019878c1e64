"""What a training run says of itself in words."""

from pathlib import Path

import pytest

from real_cli.train.diagnosis.causes import RunFacts
from real_cli.train.diagnosis.readings import close_run, read_run, read_single


def line(chosen, rejected, accuracy=0.5):
    return {"rewards/chosen": chosen, "rewards/rejected": rejected, "rewards/accuracies": accuracy}


@pytest.mark.parametrize(
    ("chosen", "rejected", "sentence"),
    [
        (0.5, -1.0, "margin +1.500: chosen rose by 0.500, rejected fell by 1.000"),
        (-0.5, -1.0, "margin +0.500: rejected fell by 1.000 and chosen by 0.500: both became less likely"),
        (1.0, 0.5, "margin +0.500: chosen rose by 1.000 and rejected by 0.500: both became more likely"),
        (0.0, -1.0, "margin +1.000: chosen stayed, rejected fell by 1.000"),
        (-1.0, 0.5, "margin -1.500: it fell; chosen fell by 1.000, rejected rose by 0.500"),
        (0.3, 0.3, "margin did not move: chosen rose by 0.300, rejected rose by 0.300"),
    ],
)
def test_the_margin_is_told_apart_by_what_moved(chosen, rejected, sentence):
    assert read_run([line(0, 0), line(chosen, rejected)])[0] == sentence


@pytest.mark.parametrize(
    ("accuracy", "sentence"),
    [
        (0.98, "accuracy 0.98 at the end; at the start all pairs are ties"),
        (0.99, "accuracy is saturated at 0.99: these pairs have little more"),
    ],
)
def test_accuracy_is_saturated_from_ninety_nine_percent(accuracy, sentence):
    assert read_run([line(0, 0), line(2.2, 0, accuracy)])[1].startswith(sentence)


def test_a_small_margin_saturates_nothing():
    """Rounding orders pairs too; below ln 9 = 2.197 a pair still has a tenth of its gradient."""
    assert read_run([line(0.1, 0, 1.0), line(2.19, 0, 1.0)])[1] == "accuracy went from 1.00 to 1.00"
    assert read_run([line(0, 0, 0.5), line(1, 0, 0.9)], has_reference=False)[1] == "accuracy went from 0.50 to 0.90"


def test_the_ends_are_tenths_of_the_steps_and_thirds_where_pairs_have_no_reference():
    """Thirty steps of 0, 1, 2, ...: 28 - 1 = 27 between the means of three, 24.5 - 4.5 = 20 of ten."""
    steps = [line(number, 0) for number in range(30)]
    measured = {"eval_loss": 1.0, "step": 9}
    assert read_run([*steps[:9], measured, *steps[9:]])[0] == "margin +27.000: chosen rose by 27.000, rejected stayed"
    alone = read_run(steps, has_reference=False)[0]
    assert alone.startswith("margin +20.000: chosen rose by 20.000, rejected stayed; between the first third")


def test_one_step_says_nothing():
    assert read_run([line(0, 0)]) == read_run([]) == []


@pytest.mark.parametrize(
    ("num_lines", "total", "begin"),
    [
        (0, 0, ""),
        (1, 1, "one step at a rate of 1e-06: how the margin moved is not known, because a step is logged before"),
        (1, 5, "a single step of 5 was logged: how the margin moved is not known, because"),
        (2, 2, ""),
    ],
)
def test_a_single_logged_step_says_why_nothing_is_known(num_lines, total, begin):
    steps = [line(0, 0) | {"learning_rate": 1e-6}] * num_lines
    sentence = read_single(RunFacts(steps, learning_rate=1e-5, total_steps=total))
    assert sentence.startswith(begin)
    assert bool(sentence) == bool(begin)


@pytest.mark.parametrize(
    ("pairs", "steps", "reference", "text"),
    [
        (8, 1, None, "base trained on 8 pairs in 1 step: my model; next: real eval margin --policy 'my model' "
         "--reference base FILE"),
        (1, 1200, "other", "base trained on 1 pair in 1,200 steps: my model; next: real eval margin --policy 'my model'"
         " --reference other FILE"),
        (2, 2, "none", "base trained on 2 pairs in 2 steps: my model; next: real eval margin --policy 'my model' "
         "--reference base FILE"),
    ],
)  # fmt: skip
def test_the_last_line_says_what_comes_next(pairs, steps, reference, text):
    assert close_run({"num_pairs": pairs, "step": steps}, Path("my model"), "base", reference) == text
