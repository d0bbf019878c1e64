"""Reward shaping, Methods 16 (PAR)."""

import numpy as np
import pytest
from hypothesis import assume, given
from hypothesis import strategies as st
from scipy.special import expit, log_expit
from scipy.stats import norm
from sklearn.preprocessing import minmax_scale, scale

from real_cli.errors import RealError, RecordError, UsageError
from real_cli.relabel.shape.by_input import Statistics, shape_clip, shape_min_max, shape_standardize
from real_cli.relabel.shape.by_record import Knobs, LengthPenalty, Shaper
from real_cli.relabel.shape.choices import Shaping
from real_cli.relabel.shape.shapes import (
    OF_DATA_SET,
    OF_PROMPT,
    shape_arctan,
    shape_ceiling,
    shape_centered,
    shape_lsc,
    shape_par,
    shape_polynomial,
    shape_sgfc,
    shape_tanh,
    sigmoid_polynomial,
)
from real_cli.relabel.winprob.probabilities import scored_preferences, win_probabilities

CENTERED = [shape_par, shape_centered, shape_tanh, shape_arctan, shape_polynomial, shape_sgfc, shape_lsc]
BOUNDS = {shape_par: (0, 1), shape_tanh: (-1, 1), shape_arctan: (-np.pi / 2, np.pi / 2), shape_sgfc: (0, 1)}

scores = st.lists(st.integers(-200, 200).map(lambda number: number / 10), min_size=1, max_size=8)


def array(*values):
    return np.array(values, dtype=float)


def candidates(*values, **more):
    return {"prompt": "q", "responses": [{"text": "t", "score": value} for value in values]} | more


def shaped(record, shaper):
    return [response["score"] for response in shaper.shape(record)["responses"]]


def test_the_names_of_the_help_are_those_of_the_tables():
    assert set(OF_PROMPT) | set(OF_DATA_SET) == set(Shaping)
    assert not set(OF_PROMPT) & set(OF_DATA_SET)


# By hand


@pytest.mark.parametrize("references", [[4], [4, 4, 4]])
def test_par_of_a_response_as_good_as_its_references_is_one_half(references):
    """Methods 16(f)."""
    assert shape_par(array(4), array(*references)).tolist() == [0.5]


def test_par_two_above_the_reference():
    """Methods 16(f): s(2) = .880797."""
    assert shape_par(array(7), array(5)) == pytest.approx([0.880797], abs=5e-7)


def test_par_is_the_mean_of_the_sigmoids_and_not_the_sigmoid_of_the_mean():
    """Methods 16(f): references -1, 0, 1, r = 1: (s(2) + s(1) + s(0)) / 3 = (.880797 + .731059 + .5) / 3 = .703952."""
    assert shape_par(array(1), array(-1, 0, 1)) == pytest.approx([0.703952], abs=5e-7)


@given(st.lists(st.floats(-20, 20), min_size=2, max_size=8))
def test_par_among_the_responses_of_a_prompt_is_their_probability_of_winning(scores):
    """What the recipe `par` does: the K responses are one another's references, each its own at sigmoid(0) = 1/2."""
    record = {
        "prompt": "q",
        "responses": [{"text": str(number), "score": score} for number, score in enumerate(scores)],
    }
    winning = win_probabilities(scored_preferences(record))
    assert shape_par(np.array(scores), np.array(scores)) == pytest.approx(winning, abs=1e-12)


def test_k_may_be_a_fraction():
    """Methods 16(g): an int in the official code. s(.5 * 4) = s(2)."""
    assert shape_par(array(4), array(0), k=0.5) == pytest.approx([0.880797], abs=5e-7)


def test_the_others_of_one_prompt():
    """r = 2, references 0 and 4: each side cancels, or not: sgfc (s(-1) + s(-5)) / 2 = (.268941 + .006693) / 2."""
    scores, references = array(2), array(0, 4)
    assert [float(shape(scores, references)[0]) for shape in (shape_centered, shape_tanh, shape_arctan)] == [0, 0, 0]
    assert shape_centered(array(5, 2), array(1, 2)).tolist() == [3.5, 0.5]
    assert shape_tanh(array(2), array(2, 1)) == pytest.approx([np.tanh(1) / 2])
    assert shape_arctan(array(2), array(2, 1)) == pytest.approx([np.pi / 8])
    assert shape_sgfc(scores, references) == pytest.approx([0.137817], abs=5e-7)
    assert shape_ceiling(array(-9, 1, 2), references, ceiling=1.5).tolist() == [-9, 1, 1.5]


def test_lsc_is_centered_at_the_85th_percentile_of_the_references():
    """References 0 and 2: mean 1, std of a sample 2 ** 0.5, and 1e-5; the percentile by scipy's normal."""
    expected = log_expit(array(1, 3) - norm.ppf(0.85, loc=1, scale=2**0.5 + 1e-5))
    assert shape_lsc(array(1, 3), array(0, 2)) == pytest.approx(expected)


def test_the_polynomial_resembles_sigmoid_and_jumps_to_its_ends():
    """Methods 16(b): fit on [-5, 5]; at 5 sigmoid is .9933 and the polynomial ends at 1."""
    inside = np.linspace(-4.99, 4.99, 500)
    assert shape_polynomial(inside, array(0)) == pytest.approx(expit(inside), abs=0.02)
    assert shape_polynomial(array(-9, -5, 5, 9), array(0)).tolist() == [0, 0, 1, 1]
    assert shape_polynomial(array(0), array(0, 9)) == pytest.approx([0.25])


def test_the_polynomial_is_the_least_squares_fit():
    """The normal equations: the residual is orthogonal to every power."""
    points = np.linspace(-5, 5, 100)
    residual = np.polyval(sigmoid_polynomial(), points) - expit(points)
    assert [residual @ (points / 5) ** power for power in range(6)] == pytest.approx([0] * 6, abs=1e-10)


def test_the_three_of_the_whole_input():
    """Scores 1, 1, 4, 6: mean 3, variance (4 + 4 + 1 + 9) / 4 = 4.5, std 2.1213."""
    values = array(1, 1, 4, 6)
    statistics = Statistics.of(values)
    std = 4.5**0.5
    assert shape_clip(values, statistics) == pytest.approx([1, 1, 4, 3 + std])
    assert shape_clip(array(-9), statistics) == pytest.approx([3 - std])
    assert shape_standardize(values, statistics) == pytest.approx([-2 / std, -2 / std, 1 / std, 3 / std])
    assert shape_min_max(values, statistics).tolist() == [0, 0, 0.6, 1]


@given(st.lists(st.floats(-100, 100), min_size=2, max_size=20))
def test_standardize_and_min_max_are_scikit_learns(values):
    assume(np.ptp(values) > 0.01)
    statistics = Statistics.of(np.array(values))
    assert shape_standardize(np.array(values), statistics) == pytest.approx(scale(values), abs=1e-6)
    assert shape_min_max(np.array(values), statistics) == pytest.approx(minmax_scale(values), abs=1e-9)


# Properties


@given(scores, scores, st.floats(0.05, 1.5))
def test_par_never_changes_the_order_of_a_prompts_responses(values, references, k):
    """Methods 16(f): strictly increasing, so best-of-n and worst-of-n stay."""
    shaped = shape_par(np.array(values), np.array(references), k=k)
    for i, first in enumerate(values):
        for j, second in enumerate(values):
            assert first <= second or shaped[i] >= shaped[j]
    assert shaped[np.argmax(values)] == shaped.max()
    assert shaped[np.argmin(values)] == shaped.min()


@given(st.lists(st.integers(-10, 10), min_size=1, max_size=8, unique=True), scores)
def test_par_is_strictly_increasing(values, references):
    shaped = shape_par(np.array(values, dtype=float), np.array(references))
    assert np.argsort(shaped).tolist() == np.argsort(values).tolist()
    assert ((shaped > 0) & (shaped < 1)).all()


@pytest.mark.parametrize("shape", CENTERED)
@given(scores, scores, st.integers(-50, 50))
def test_scores_and_references_moved_together_change_nothing(shape, values, references, shift):
    """Methods 16(f). A polynomial jumps where rounding decides on which side of 5 a score is."""
    gaps = np.abs(np.subtract.outer(values, references))
    assume(shape is not shape_polynomial or (np.abs(gaps - 5) > 1e-6).all())
    moved = shape(np.array(values) + shift, np.array(references) + shift)
    assert shape(np.array(values), np.array(references)) == pytest.approx(moved, abs=1e-6)


def test_par_is_not_invariant_to_scale():
    """Methods 16(f)."""
    assert shape_par(array(2), array(0))[0] < shape_par(array(4), array(0))[0]


@pytest.mark.parametrize("shape", BOUNDS)
@given(scores, scores)
def test_bounded_shapings_keep_their_bounds(shape, values, references):
    low, high = BOUNDS[shape]
    shaped = shape(np.array(values), np.array(references))
    assert ((shaped >= low - 1e-12) & (shaped <= high + 1e-12)).all()


# Records


def test_the_raw_score_stays_as_it_was_read():
    shaped = Shaper().shape(candidates(3, 2.5, reference_scores=3))
    assert shaped == candidates(0.5, 0.5, reference_scores=3) | {
        "responses": [
            {"text": "t", "score": 0.5, "raw_score": 3},
            {"text": "t", "score": pytest.approx(0.377541, abs=5e-7), "raw_score": 2.5},
        ]
    }


def test_a_pair_keeps_its_shape():
    pair = {"prompt": "q", "chosen": "a", "rejected": "b", "score_chosen": 5, "score_rejected": 3}
    shaped = Shaper(Shaping.centered).shape(pair | {"reference_scores": [4]})
    assert shaped == pair | {
        "reference_scores": [4],
        "score_chosen": 1,
        "score_rejected": -1,
        "raw_score_chosen": 5,
        "raw_score_rejected": 3,
    }


@pytest.mark.parametrize("first", Shaping)
@pytest.mark.parametrize("second", Shaping)
def test_shaping_twice_is_shaping_once_by_the_last(first, second):
    """Whatever shaped the score before, the raw one is shaped."""
    record = candidates(3, 1, 9, reference_scores=[2, 4])
    statistics = {True: Statistics.of(array(3, 1, 9)), False: None}
    shapers = [Shaper(way, knobs=Knobs(ceiling=5 if way is Shaping.ceiling else None)) for way in (first, second)]
    once = shapers[1].shape(record, statistics[shapers[1].needs_all])
    before = shapers[0].shape(record, statistics[shapers[0].needs_all])
    assert shapers[1].shape(before, statistics[shapers[1].needs_all]) == once


def test_length_costs_before_shaping_and_only_beyond_what_is_free():
    """10 - .01 * (500 - 300) = 8; 200 tokens cost nothing. The code's switch is always on; ours is off by itself."""
    record = candidates(10, 10, 10)
    lengths = ({"length": 500}, {"num_tokens": 200}, {"length": 301})
    for response, length in zip(record["responses"], lengths, strict=True):
        response |= length
    paid = Shaper(Shaping.ceiling, knobs=Knobs(ceiling=99), penalty=LengthPenalty(0.01))
    assert shaped(record, paid) == pytest.approx([8, 10, 9.99])
    assert paid.shape(paid.shape(record)) == paid.shape(record)
    assert shaped(record, Shaper(Shaping.ceiling, knobs=Knobs(ceiling=99))) == [10, 10, 10]
    short = Shaper(Shaping.ceiling, knobs=Knobs(ceiling=99), penalty=LengthPenalty(0.5, 299))
    assert shaped(record, short) == pytest.approx([-90.5, 10, 9])


def test_scores_that_become_equal_are_told():
    shaper = Shaper(Shaping.ceiling, knobs=Knobs(ceiling=5))
    for record in (candidates(6, 7), candidates(6, 4), candidates(6, 6)):
        shaper.shape(record)
    assert shaper.sentence() == "6 responses of 3 prompts shaped by ceiling; different scores became equal in 1 of them"


def test_references_may_have_another_name():
    assert shaped(candidates(3, sft=[1]), Shaper(Shaping.centered, references="sft")) == [2]


# Errors


@pytest.mark.parametrize(
    ("record", "complaint"),
    [
        (
            candidates(1),
            "field 'reference_scores' is missing; the scores of reference responses to the prompt are needed",
        ),
        (candidates(1, reference_scores=[]), r"field 'reference_scores' is \[\]; the scores of reference"),
        (candidates(1, reference_scores=[1, None]), r"field 'reference_scores' is \[1, None\]"),
        (candidates(1, reference_scores="5"), "field 'reference_scores' is '5'"),
        (candidates(None, reference_scores=1), "response 1: 'score' is None; 'relabel shape' needs the score of every"),
        (
            {"prompt": "q", "responses": [{"text": "t", "score": 1, "raw_score": "x"}], "reference_scores": 1},
            "field 'raw_score' is 'x'; a number is needed, the score before shaping",
        ),
        (candidates(1.7e308, reference_scores=-1.7e308), "a shaped score is infinite; the scores are too large"),
    ],
)
def test_a_record_that_cannot_be_shaped_is_named(record, complaint):
    with pytest.raises(RecordError, match=complaint):
        Shaper(Shaping.centered).shape(record)


def test_a_length_that_is_missing_is_named():
    with pytest.raises(RecordError, match="response 1 has no 'length' or 'num_tokens'; --length-penalty needs one"):
        Shaper(penalty=LengthPenalty(0.01)).read(candidates(1))


@pytest.mark.parametrize(
    ("method", "settings", "complaint"),
    [
        (Shaping.tanh, {"knobs": Knobs(k=2)}, "--k: is not an option of --method tanh; leave it out"),
        (Shaping.par, {"knobs": Knobs(ceiling=2)}, "--ceiling: is not an option of --method par; leave it out"),
        (Shaping.clip, {"knobs": Knobs(k=2)}, "--k: is not an option of --method clip"),
        (Shaping.par, {"knobs": Knobs(k=0)}, "--k 0: must be greater than 0"),
        (Shaping.par, {"knobs": Knobs(k=float("nan"))}, "--k nan: must be a finite number"),
        (Shaping.ceiling, {}, "--method ceiling: needs --ceiling, the largest score there can be"),
        (Shaping.min_max, {"references": "r"}, "--references: --method min-max reads no reference scores"),
        (Shaping.par, {"penalty": LengthPenalty(0, 100)}, "--free-length: .* without --length-penalty; give both"),
        (Shaping.par, {"penalty": LengthPenalty(-1)}, "--length-penalty -1: must be a number of at least 0"),
    ],
)
def test_settings_that_would_be_ignored_or_cannot_be_are_refused(method, settings, complaint):
    with pytest.raises(UsageError, match=complaint):
        Shaper(method, **settings)


@pytest.mark.parametrize("shape", [shape_standardize, shape_min_max])
def test_equal_scores_have_no_spread(shape):
    with pytest.raises(RealError, match="all 3 scores are 2; two different ones are needed"):
        shape(array(2, 2, 2), Statistics.of(array(2, 2, 2)))


def test_equal_scores_can_be_clipped():
    assert shape_clip(array(2, 2), Statistics.of(array(2, 2))).tolist() == [2, 2]


def test_scores_that_cannot_be_summed_are_refused():
    with pytest.raises(RealError, match="too large for a mean"):
        Statistics.of(array(1.7e308, 1.7e308))
