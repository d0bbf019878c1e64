"""What `eval pairs` reports."""

import math
from statistics import quantiles

import numpy as np
import pytest
from hypothesis import assume, given, settings
from hypothesis import strategies as st
from scipy.stats import binomtest, bootstrap, spearmanr

from real_cli.errors import RecordError
from real_cli.evaluate.pairs.health import PairHealth
from real_cli.evaluate.pairs.pool_count import PoolCount
from real_cli.stats.describe import correlate_ranks, describe, rank_correlation
from real_cli.stats.numeric import rounded

few_numbers = st.integers(-3, 3).map(float)  # with ties
maybe_numbers = st.none() | st.integers(-9, 9)
records = st.builds(
    lambda prompt, texts, scores, similarity: pair(
        prompt, *texts, score_chosen=scores[0], score_rejected=scores[1], similarity=similarity
    ),
    st.sampled_from("pq"),
    st.tuples(st.sampled_from(["a", "bb", "ccc"]), st.sampled_from(["a", "bb", "ccc"])),
    st.tuples(maybe_numbers, maybe_numbers),
    st.none() | st.floats(-1, 1),
)


def pair(prompt: str, chosen: str, rejected: str, **fields: object) -> dict:
    return {"prompt": prompt, "chosen": chosen, "rejected": rejected, **fields}


def unlabeled(first: str, second: str, *scores: float) -> dict:
    responses = [{"text": first}, {"text": second}]
    for response, score in zip(responses, scores, strict=False):
        response["score"] = score
    return {"prompt": "q", "responses": responses}


def summary_of(*pairs: dict, pool: PoolCount | None = None) -> dict:
    health = PairHealth(pool=pool)
    for record in pairs:
        health.add(record)
    return rounded(health.summary())


# By hand


def test_counts_of_five_pairs():
    """Scores 5 > 2 and 7 > 6 as labeled, 1 < 4 against, 3 = 3 a tie, one pair without. Chosen longer: aaa against b, aa
    against b; shorter: c against dd; as long: e against f, gg against hh. Share 2 of 3 unequal."""
    summary = summary_of(
        pair("p", "aaa", "b", score_chosen=5, score_rejected=2),
        pair("q", "c", "dd", score_chosen=1, score_rejected=4),
        pair("q", "e", "f", score_chosen=3, score_rejected=3),
        pair("r", "aa", "b"),
        pair("s", "gg", "hh", score_chosen=7, score_rejected=6),
    )
    counts = ("num_pairs", "num_labeled", "num_prompts", "num_repeats", "num_against_scores", "num_equal_scores")
    assert [summary[name] for name in counts] == [5, 5, 4, 0, 1, 1]
    assert summary["share_chosen_longer"] == pytest.approx(2 / 3)
    assert summary["length_gap_characters"]["mean"] == pytest.approx((2 - 1 + 0 + 1 + 0) / 5)
    assert summary["score_gap"]["mean"] == pytest.approx((3 - 3 + 0 + 1) / 4)


def test_an_unlabeled_pair_has_a_gap_without_sign_and_no_length_bias():
    """|2 - 5| = 3."""
    summary = summary_of(unlabeled("a", "bbb", 2, 5))
    assert (summary["num_pairs"], summary["num_labeled"], summary["num_against_scores"]) == (1, 0, 0)
    assert summary["score_gap"]["mean"] == 3
    assert (summary["length_gap_characters"], summary["share_chosen_longer"]) == (None, None)


def test_equal_texts_and_repeats_are_counted():
    """The same prompt and texts again is a repeat, whatever else is on the record; swapped labels are not."""
    summary = summary_of(
        pair("q", "a", "a"), pair("q", "a", "b"), pair("q", "a", "b", id=2), pair("q", "b", "a"), pair("p", "a", "b")
    )
    assert (summary["num_equal_texts"], summary["num_repeats"], summary["num_prompts"]) == (1, 1, 2)


def test_strategies_are_counted_in_the_order_of_their_names():
    summary = summary_of(
        *(pair("q", "a", "b", strategy=name) for name in ("hard", "easy", "hard")), pair("q", "a", "b")
    )
    assert list(summary["strategies"].items()) == [("easy", 1), ("hard", 2)]


def test_the_length_of_a_conversation_is_that_of_its_words():
    """ "Hello" has 5 letters, "Hi" 2: a gap of 3, though the JSON around both is long."""
    chosen, rejected = ([{"role": "assistant", "content": text}] for text in ("Hello", "Hi"))
    summary = summary_of(pair([{"role": "user", "content": "Q"}], chosen, rejected))
    assert summary["length_gap_characters"]["mean"] == 3


def test_quantiles_of_three_numbers():
    """1, 2, 6: mean 3, halfway from 1 to 2 is 1.5, halfway from 2 to 6 is 4."""
    assert describe(np.array([6.0, math.nan, 1.0, 2.0])) == {
        "count": 3,
        "mean": 3.0,
        "min": 1.0,
        "p25": 1.5,
        "median": 2.0,
        "p75": 4.0,
        "max": 6.0,
    }


def test_rank_correlation_of_three_numbers():
    """Ranks 1 2 3 against 1 3 2: 1 - 6 * (0 + 1 + 1) / (3 * 8) = .5."""
    assert rank_correlation(np.array([0.1, 0.2, 0.9]), np.array([5.0, 70.0, 6.0])) == pytest.approx(0.5)


def test_the_correlation_is_of_similarity_and_the_gap_without_sign():
    """Methods 22(e). Similarities .1 .5 .9, gaps 9, -4, 1: |9| > |-4| > |1|, so -1."""
    gaps = zip((0.1, 0.5, 0.9), (9, -4, 1), strict=True)
    summary = summary_of(*(pair("q", "a", f"b{s}", similarity=s, score_chosen=g, score_rejected=0) for s, g in gaps))
    assert summary["similarity_score_gap_correlation"] == -1


def test_nothing_to_report_is_none_and_no_division():
    summary = summary_of()
    assert (summary["num_pairs"], summary["num_possible_pairs"], summary["strategies"]) == (0, 0, {})
    names = ("similarity", "score_gap", "share_chosen_longer", "share_chosen_longer_low", "saved_of_possible_pairs")
    assert {summary[name] for name in names} == {None}


# Labels saved


def test_saved_against_the_responses_each_pair_was_chosen_from():
    """Methods 1(e): K=4 and K=3 make 6 + 3 = 9 pairs; 1 - 2/9."""
    summary = summary_of(pair("p", "a", "b", num_responses=4), pair("q", "a", "b", num_responses=3))
    assert (summary["num_possible_pairs"], summary["num_input_pairs"]) == (9, None)
    assert summary["saved_of_possible_pairs"] == pytest.approx(7 / 9)


def test_stages_of_one_prompt_count_its_responses_once():
    """Curry-DPO takes 3 of 6 pairs: 1 - 3/6."""
    summary = summary_of(*(pair("q", "a", text, num_responses=4) for text in "bcd"))
    assert summary["saved_of_possible_pairs"] == pytest.approx(0.5)


def test_saved_against_the_pool():
    """Pool: 4 distinct texts make 6 pairs, a pair makes 1, a pair of equal texts 0; 7 in all; not all were pairs."""
    pool = PoolCount()
    pool.add({"prompt": "p", "responses": [{"text": text} for text in "abcda"]})
    pool.add(pair("q", "a", "b"))
    pool.add(pair("r", "a", "a"))
    assert (pool.num_prompts, pool.num_possible, pool.num_given) == (3, 7, None)
    summary = summary_of(pair("p", "a", "b"), pool=pool)
    assert summary["saved_of_possible_pairs"] == pytest.approx(6 / 7)
    assert summary["saved_of_input_pairs"] is None


def test_saved_against_an_input_of_pairs():
    """One of two pairs stays: half of the input's labels are saved."""
    pool = PoolCount()
    pool.add(pair("q", "a", "b"))
    pool.add(pair("r", "a", "a"))
    assert summary_of(pair("q", "a", "b"), pool=pool)["saved_of_input_pairs"] == pytest.approx(1 / 2)


@pytest.mark.parametrize("num_pairs", [1, 2, 40])
def test_more_pairs_than_the_pool_allows_save_nothing_that_can_be_said(num_pairs):
    """One pair is possible: another pool's 40 pairs saved -39 of it."""
    pool = PoolCount()
    pool.add(pair("q", "a", "b"))
    summary = summary_of(*(pair(f"p{number}", "a", "b") for number in range(num_pairs)), pool=pool)
    saved = summary["saved_of_possible_pairs"], summary["saved_of_input_pairs"]
    messages = f"{num_pairs} pairs, and the responses of --from form 1: not their source, or equal texts"
    assert (saved, messages in summary["notes"]) == (((0, 0), False) if num_pairs == 1 else ((None, None), True))


def test_numbers_that_are_none_are_told():
    """A score that is a text, a null, a similarity that is neither; pairs without any say nothing of it."""
    bad = [{"score_chosen": "9", "score_rejected": 1}, {"score_rejected": None}, {"similarity": "near"}]
    pairs = [pair("p", "a", "b", **fields) for fields in (*bad, {}, {"score_chosen": 1, "similarity": 0.5})]
    summary = summary_of(*pairs, unlabeled("a", "b", "x"))
    assert summary["notes"][-1] == "4 pairs with a score, rank or similarity that is no number: it counts as not given"
    assert not any("no number" in note for note in summary_of(*pairs[3:])["notes"])


def test_numbers_have_ten_digits_at_most():
    """What comes after them is of the processor."""
    summary = summary_of(*(pair("p", "a", "b", similarity=value) for value in (0.1, 0.2, 0.7)))
    assert (summary["similarity"]["mean"], summary["similarity"]["p75"]) == (0.3333333333, 0.45)


def test_several_pairs_of_one_prompt_never_save_less_than_nothing():
    """Preference data often holds a prompt more than once; two pairs of it cannot save -100 %."""
    saved = summary_of(pair("q", "a", "b"), pair("q", "a", "c"))["saved_of_possible_pairs"]
    assert saved is None or 0 <= saved <= 1


def test_a_number_of_responses_that_makes_no_sense_breaks_nothing():
    assert summary_of(pair("q", "a", "b", num_responses=-1))["num_pairs"] == 1


# Repeats, ties and contradictions


def test_near_texts_are_told_apart_from_equal_ones():
    """Ten words make 8 grams. One more at the end: 8 of 9 shared, .89; another word in the middle: 5 of 11, .45."""
    ten = "a b c d e f g h i j"
    summary = summary_of(
        pair("q", ten, ten),
        pair("q", ten, f"{ten} k"),
        pair("q", ten, ten.upper()),
        pair("q", ten, ten.replace("e", "x")),
    )
    assert (summary["num_equal_texts"], summary["num_near_equal_texts"]) == (1, 2)
    assert summary["share_near_equal_texts"] == 0.5
    assert summary["share_near_equal_texts_low"] is None  # four pairs of one prompt


def test_prompts_and_pairs_repeat_once_normalized():
    """Prompts: 'Who?' twice, 'who' once, 'Where?' once: three distinct, two once normalized, two of four pairs repeat.
    Pairs: the third is the first in another case and order."""
    summary = summary_of(
        pair("Who?", "Ann.", "Bob."), pair("Who?", "Ann.", "Cid."), pair("who", "bob", "ann"), pair("Where?", "a", "b")
    )
    names = ("num_prompts", "num_near_prompts", "num_repeated_prompts", "num_near_repeats", "num_repeats")
    assert [summary[name] for name in names] == [3, 1, 2, 1, 0]
    assert summary["share_repeated_prompts"] == 0.5


def test_prompts_without_words_are_told_apart_by_their_signs():
    assert summary_of(pair("?", "a", "b"), pair("!", "a", "b"))["num_repeated_prompts"] == 0


def test_two_texts_labeled_both_ways_contradict_however_often():
    """a > b three times and b > a twice is one contradiction; c > d twice is none; b > a of another prompt is none."""
    summary = summary_of(
        *[pair("q", "a", "b")] * 3, *[pair("q", "b", "a")] * 2, *[pair("q", "c", "d")] * 2, pair("p", "b", "a")
    )
    assert summary["num_contradictions"] == 1


@given(st.lists(st.tuples(st.sampled_from("pq"), st.sampled_from("abc"), st.sampled_from("abc")), max_size=20))
@settings(max_examples=50)
def test_contradictions_are_those_of_a_plain_search(rows):
    both = {
        (prompt, frozenset(texts)) for prompt, *texts in rows if (prompt, *texts[::-1]) in rows and len({*texts}) == 2
    }
    assert summary_of(*(pair(*row) for row in rows))["num_contradictions"] == len(both)


def test_unlabeled_texts_cannot_contradict():
    summary = summary_of(unlabeled("a", "b"), unlabeled("b", "a"))
    assert (summary["num_contradictions"], summary["num_repeats"], summary["num_near_repeats"]) == (0, 0, 1)


def test_equal_ranks_of_an_unlabeled_pair_are_a_tie():
    tied = {"prompt": "q", "responses": [{"text": "a", "rank": 1}, {"text": "b", "rank": 1}]}
    assert summary_of(tied, unlabeled("a", "b"), pair("q", "a", "b"))["num_equal_ranks"] == 1


def test_a_gap_beyond_floats_is_no_gap():
    summary = summary_of(pair("q", "a", "b", score_chosen=1e308, score_rejected=-1e308))
    assert (summary["score_gap"], summary["score_gap_histogram"]) == (None, None)


def test_one_pair_has_numbers_without_intervals_and_no_warning():
    summary = summary_of(pair("q", "a", "bb", score_chosen=1, score_rejected=0, similarity=0.5))
    assert (summary["length_effect"], summary["similarity_score_gap_correlation"]) == (None, None)
    assert summary["gap_by_similarity"] == [
        {
            "similarity_low": 0.5,
            "similarity_high": 0.5,
            "num_pairs": 1,
            "gap_mean": 1.0,
            "gap_mean_low": None,
            "gap_mean_high": None,
        }
    ]


def test_the_mean_gap_of_each_tenth():
    """Twenty pairs, similarity i / 20, gap i: the first tenth holds 0 and 1, the last 18 and 19."""
    rows = summary_of(
        *(pair(f"p{i}", "a", "b", similarity=i / 20, score_chosen=0, score_rejected=i) for i in range(20))
    )["gap_by_similarity"]
    assert [row["gap_mean"] for row in rows] == [2 * i + 0.5 for i in range(10)]
    assert {row["num_pairs"] for row in rows} == {2}


def test_pairs_of_one_prompt_are_no_trials():
    """Two of one prompt: no interval. Four each of twelve, alike in each: twelve trials, nine of them longer."""
    summary = summary_of(pair("q", "aa", "b"), pair("q", "aaa", "b"))
    assert (summary["share_chosen_longer"], summary["share_chosen_longer_low"]) == (1, None)
    notes = summary["notes"]
    assert [note for note in notes if note.startswith("2 pairs of 1 prompt are not independent")]
    many = summary_of(*(pair(f"q{i % 12}", "a" if i % 12 < 3 else "aaa", "bb") for i in range(48)))
    expected = binomtest(9, 12).proportion_ci(method="wilson")
    low, high = many["share_chosen_longer_low"], many["share_chosen_longer_high"]
    assert (low, high) == pytest.approx((expected.low, expected.high), abs=1e-9)
    assert not [note for note in summary_of(pair("q", "aa", "b"))["notes"] if "independent" in note]


def test_fewer_than_ten_prompts_have_a_note_and_ten_an_interval():
    for number, has_interval in ((9, False), (10, True)):
        scores = {"similarity": 0.1, "score_rejected": 0}
        rows = (pair(f"p{i}", "a" * (i + 1), "b" * 3, score_chosen=i, **scores) for i in range(number))
        summary = summary_of(*rows)
        assert (summary["length_effect_low"] is not None) is has_interval
        assert (summary["gap_by_similarity"][0]["gap_mean_low"] is not None) is has_interval
        assert bool([note for note in summary["notes"] if "fewer than 10" in note]) is not has_interval


def test_gaps_that_are_all_the_same_have_a_mean_a_note_and_no_interval():
    rows = (pair(f"p{i}", "a" * (i + 1), "b", similarity=0.5, score_chosen=1, score_rejected=0) for i in range(30))
    summary = summary_of(*rows)
    (row,) = summary["gap_by_similarity"]
    assert (row["gap_mean"], row["gap_mean_low"], row["gap_mean_high"]) == (1, None, None)
    assert [note for note in summary["notes"] if note.startswith("no interval of gap_mean in 1 of 1 row")]


# Against independent implementations


@given(st.lists(st.tuples(few_numbers, few_numbers), min_size=3, max_size=20))
@settings(max_examples=100)
def test_the_rank_correlation_is_that_of_scipy(points):
    first, second = np.array(points).T
    assume(np.ptp(first) and np.ptp(second))
    assert rank_correlation(first, second) == pytest.approx(spearmanr(first, second).statistic)  # scipy 1.17.1


@pytest.mark.parametrize(("slope", "digits"), [(0.0, 3), (0.7, 3), (-1.2, 3), (0.7, 0), (None, 3)])
def test_the_interval_of_a_rank_correlation_is_near_scipys_bootstrap(slope, digits):
    """Of 300 pairs, on Fisher's scale. With no digits there are many ties; without a slope most ranks are those of the
    other number and some are not, so that a pair moves the correlation mostly by moving others' ranks."""
    draws = np.random.default_rng(4)
    first = draws.normal(size=300).round(digits)
    second = first * first * np.sign(first) * np.where(draws.random(300) < 0.3, 1, 0.1)
    if slope is not None:
        second = (slope * first + draws.normal(size=300)).round(digits)
    result = correlate_ranks(first, second, np.arange(300))
    drawn = bootstrap(
        (first, second),
        lambda single, other: np.arctanh(spearmanr(single, other).statistic),
        paired=True,
        vectorized=False,
        n_resamples=600,
        rng=np.random.default_rng(1),
    ).standard_error
    half = (np.arctanh(result.high) - np.arctanh(result.low)) / 2
    assert half / 1.968 == pytest.approx(drawn, rel=0.12)  # Student's t of 299
    assert np.arctanh(result.low) + half == pytest.approx(np.arctanh(result.value))


def test_each_pair_twice_over_correlates_no_more_surely():
    draws = np.random.default_rng(4)
    first, second = draws.normal(size=(2, 60))
    once = correlate_ranks(first, second, np.arange(60))
    again = correlate_ranks(np.repeat(first, 2), np.repeat(second, 2), np.repeat(np.arange(60), 2))
    assert (again.low, again.high) == pytest.approx((once.low, once.high), abs=1e-6)
    assert correlate_ranks(first[:9], second[:9], np.arange(9)).low is None
    assert correlate_ranks(first, first, np.arange(60)) == (1, None, None, 60)


@given(st.lists(st.floats(-100, 100), min_size=2, max_size=30))
@settings(max_examples=50)
def test_the_quartiles_are_those_of_the_standard_library(values):
    described = describe(np.array(values))
    expected = quantiles(values, n=4, method="inclusive")  # Python 3.11
    assert [described[name] for name in ("p25", "median", "p75")] == pytest.approx(expected, abs=1e-9)
    assert (described["min"], described["max"], described["count"]) == (min(values), max(values), len(values))


@given(longer=st.integers(0, 8), shorter=st.integers(0, 8))
@settings(max_examples=25)
def test_the_interval_of_the_length_bias_is_that_of_scipy(longer, shorter):
    assume(longer + shorter)
    rows = [("aa", "b")] * longer + [("a", "bb")] * shorter + [("a", "b")]
    summary = summary_of(*(pair(f"q{number}", *row) for number, row in enumerate(rows)))
    expected = binomtest(longer, longer + shorter).proportion_ci(method="wilson")  # scipy 1.17.1
    low, high = summary["share_chosen_longer_low"], summary["share_chosen_longer_high"]
    assert (low, high) == pytest.approx((expected.low, expected.high), abs=1e-9)


# Properties


@pytest.mark.parametrize("values", [([1, 2], [1, 2]), ([1, 1, 1], [1, 2, 3]), ([1, 2, math.nan], [1, 2, 3])])
def test_too_few_or_constant_numbers_have_no_correlation(values):
    assert rank_correlation(*(np.array(item, dtype=float) for item in values)) is None


@given(st.lists(records, max_size=12), st.randoms())
@settings(max_examples=50)
def test_the_order_of_the_pairs_does_not_matter(pairs, draw):
    shuffled = draw.sample(pairs, len(pairs))
    # Of two that repeat each other the first stays, whatever else was found in it.
    by_place = {"mend": None, "num_left": None}
    assert summary_of(*shuffled) | by_place == summary_of(*pairs) | by_place


@given(records)
@settings(max_examples=50)
def test_swapping_the_label_turns_gap_and_length_bias_round(record):
    back = record | {
        "chosen": record["rejected"],
        "rejected": record["chosen"],
        "score_chosen": record["score_rejected"],
        "score_rejected": record["score_chosen"],
    }
    first, other = summary_of(record), summary_of(back)
    assert other["num_equal_scores"] == first["num_equal_scores"]
    if first["score_gap"]:
        assert other["score_gap"]["mean"] == -first["score_gap"]["mean"]
    if first["share_chosen_longer"] is not None:
        assert other["share_chosen_longer"] == 1 - first["share_chosen_longer"]
    assert first["num_against_scores"] + other["num_against_scores"] + first["num_equal_scores"] <= 1


# Errors


@pytest.mark.parametrize("number", [0, 1, 3])
def test_a_pair_has_two_responses(number):
    with pytest.raises(RecordError, match=f"^{number} responses; a pair has two"):
        PairHealth().add({"prompt": "q", "responses": [{"text": str(i)} for i in range(number)]})


def test_labeled_and_unlabeled_pairs_are_pairs():
    assert summary_of(pair("q", "a", "b"), unlabeled("a", "b"))["num_pairs"] == 2
