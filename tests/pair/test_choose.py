"""From the responses of a prompt to pairs, triples and rankings."""

import random
from itertools import combinations

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy.stats import rankdata

from real_cli.errors import RecordError
from real_cli.pair.choices import Emit, Orient, Strategy
from real_cli.pair.choose import TOO_FEW, Settings
from real_cli.pair.strategies import STRATEGIES
from real_cli.pair.write import EQUAL_SCORES, widest_first
from real_cli.text.phrases import EQUAL_TEXTS
from tests.pair.choosing import choose_pairs

BY_SIMILARITY = [Strategy.easy, Strategy.hard, Strategy.centroid, Strategy.random, Strategy.aepo]
ASK = [{"role": "user", "content": "Hi"}]


def candidates(*responses: dict, **fields: object) -> dict:
    return {"prompt": "q", "responses": list(responses), **fields}


def scored(*scores: float | None) -> dict:
    """Responses a, b, c, ... with these scores."""
    return candidates(*({"text": text, "score": score} for text, score in zip("abcdefgh", scores, strict=False)))


def ranked(*ranks: int) -> dict:
    return candidates(*({"text": text, "rank": rank} for text, rank in zip("abcdefgh", ranks, strict=False)))


def embedded(seed: int, n: int) -> dict:
    """n responses with random embeddings and different scores, all as unsure."""
    rng = np.random.default_rng(seed)
    scores = rng.permutation(n).tolist()
    vectors = rng.normal(size=(n, 4)).tolist()
    ours = ({"score": scores[i], "score_std": 0.5, "embedding": vectors[i]} for i in range(n))
    return candidates(*({"text": f"t{i}", **fields} for i, fields in enumerate(ours)))


def texts_of(record: dict) -> tuple[str, str]:
    return record["chosen"], record["rejected"]


def pairs(record: dict, strategy: Strategy = Strategy.easy, **others: object) -> list[dict]:
    return choose_pairs(record, Settings(strategy, **others)).records


# By hand


def test_the_example_of_the_manual():
    """Methods 1(f): A (1, 0) scored 7, B (.96, .28) scored 5, D (0, 1) scored 9. Similarities AB .96, AD 0, BD .28:
    easy is AD, and D is better. Three responses make 3 * 2 / 2 = 3 pairs."""
    record = {
        "id": "q1",
        "prompt": "..",
        "responses": [
            {"text": "A", "score": 7, "embedding": [1, 0]},
            {"text": "B", "score": 5, "embedding": [0.96, 0.28]},
            {"text": "D", "score": 9, "embedding": [0, 1]},
        ],
    }
    outcome = choose_pairs(record, Settings(Strategy.easy))
    assert outcome.records == [
        {
            "id": "q1",
            "prompt": "..",
            "chosen": "D",
            "rejected": "A",
            "score_chosen": 9,
            "score_rejected": 7,
            "similarity": 0.0,
            "strategy": "easy",
            "num_responses": 3,
        }
    ]
    assert (outcome.possible, outcome.dropped) == (3, [])


def test_curriculum_numbers_the_gaps_of_the_manual():
    """Methods 19(f): scores 5, 4, 3, 2 -> gaps 3, 2, 1 in stages 1, 2, 3; the best is always chosen."""
    result = pairs(scored(5, 4, 3, 2), Strategy.best_vs_rest, curriculum=True)
    assert [(*texts_of(pair), pair["score_chosen"] - pair["score_rejected"], pair["stage"]) for pair in result] == [
        ("a", "d", 3, 1),
        ("a", "c", 2, 2),
        ("a", "b", 1, 3),
    ]


def test_curriculum_of_two_responses_is_one_pair():
    """Methods 19(f): K=2 -> plain DPO."""
    assert [
        (*texts_of(pair), pair["stage"]) for pair in pairs(scored(1, 2), Strategy.best_vs_rest, curriculum=True)
    ] == [("b", "a", 1)]


def test_curriculum_over_all_pairs_sorts_them_by_gap():
    """Scores 1, 2, 4: gaps ab 1, ac 3, bc 2."""
    result = pairs(scored(1, 2, 4), Strategy.all, curriculum=True)
    assert [(*texts_of(pair), pair["stage"]) for pair in result] == [("c", "a", 1), ("c", "b", 2), ("b", "a", 3)]


def test_curriculum_by_rank_goes_from_the_worst_rank_to_the_best():
    """Ranks 2, 1, 3: b against c (gap 2), then b against a (gap 1)."""
    result = pairs(ranked(2, 1, 3), Strategy.best_vs_rest, curriculum=True)
    assert [(*texts_of(pair), pair["stage"]) for pair in result] == [("b", "c", 1), ("b", "a", 2)]


def test_curriculum_by_rank_stands_scores_that_are_null():
    record = candidates(*({"text": text, "rank": rank, "score": None} for text, rank in (("a", 1), ("b", 2), ("c", 3))))
    result = pairs(record, Strategy.best_vs_rest, curriculum=True)
    assert [(*texts_of(pair), pair["stage"]) for pair in result] == [("a", "c", 1), ("a", "b", 2)]


def test_curriculum_oriented_by_rank_does_not_look_at_scores():
    """Ranks 1, 2, 3 against scores 1, 2, 9: the widest gap in rank is a against c."""
    record = candidates(
        {"text": "a", "rank": 1, "score": 1}, {"text": "b", "rank": 2, "score": 2}, {"text": "c", "rank": 3, "score": 9}
    )
    result = pairs(record, Strategy.best_vs_rest, orient=Orient.rank, curriculum=True)
    assert [(*texts_of(pair), pair["stage"]) for pair in result] == [("a", "c", 1), ("a", "b", 2)]


def test_equal_gaps_keep_their_order():
    assert widest_first([2.0, 3.0, 2.0, 2.0]) == [1, 0, 2, 3]


def test_triples_are_best_second_and_worst():
    """Methods 14(a): reference = best, chosen = second best, rejected = worst."""
    (triple,) = pairs(scored(2, 4, 3, 1), Strategy.best_worst, emit=Emit.triples)
    assert (triple["reference"], triple["chosen"], triple["rejected"]) == ("b", "c", "d")
    assert triple["num_responses"] == 4


def test_triples_choose_among_the_responses_that_are_left():
    """Without the best, d, the least similar two of a (1, 0), b (0, 1), c (.8, .6) are a and b."""
    vectors = {"a": [1, 0], "b": [0, 1], "c": [0.8, 0.6], "d": [-1, 0]}
    record = candidates(
        *({"text": t, "score": s, "embedding": vectors[t]} for t, s in (("a", 1), ("b", 2), ("c", 3), ("d", 4)))
    )
    (triple,) = pairs(record, Strategy.easy, emit=Emit.triples)
    assert (triple["reference"], *texts_of(triple), triple["similarity"]) == ("d", "b", "a", 0.0)


def test_triples_need_three_responses():
    outcome = choose_pairs(scored(1, 2), Settings(Strategy.best_worst, emit=Emit.triples))
    assert (outcome.records, outcome.dropped) == ([], [TOO_FEW])


def test_a_ranking_is_sorted_best_first_and_ties_share_the_better_rank():
    """Methods 25: scores 1, 3, 3, 2 -> b 1, c 1, d 3, a 4."""
    (ranking,) = pairs(scored(1, 3, 3, 2), emit=Emit.ranking)
    assert [(response["text"], response["rank"]) for response in ranking["responses"]] == [
        ("b", 1),
        ("c", 1),
        ("d", 3),
        ("a", 4),
    ]


def test_a_ranking_of_equal_scores_is_dropped():
    outcome = choose_pairs(scored(3, 3, 3), Settings(emit=Emit.ranking))
    assert (outcome.records, outcome.dropped, outcome.possible) == ([], [EQUAL_SCORES], 3)


def test_a_ranking_leaves_embeddings_behind():
    (ranking,) = pairs(embedded(0, 3), emit=Emit.ranking)
    assert all(set(response) == {"text", "score", "score_std", "rank"} for response in ranking["responses"])


# Who is preferred


def test_orient_none_leaves_two_responses_without_label_and_without_embedding():
    (pair,) = pairs(embedded(0, 4) | {"id": 7}, orient=Orient.none)
    assert list(pair) == ["prompt", "responses", "id", "similarity", "strategy", "num_responses"]
    assert [set(response) for response in pair["responses"]] == [{"text", "score", "score_std"}] * 2


JUDGED = {
    "prompt": "q",
    "responses": [{"text": "a", "score": 1}, {"text": "b", "score": 3}, {"text": "c", "score": 2}],
    "preferences": [[0.5, 0.1, 0.2], [0.9, 0.5, 0.7], [0.8, 0.3, 0.5]],
}


def test_a_matrix_over_the_responses_follows_them_into_an_unlabeled_pair():
    """b is best, a is worst: b beats a at .9, whichever stands first."""
    (result,) = choose_pairs(JUDGED, Settings(Strategy.best_worst, Orient.none)).records
    texts = [response["text"] for response in result["responses"]]
    assert sorted(texts) == ["a", "b"]
    assert result["preferences"][texts.index("b")][texts.index("a")] == 0.9


def test_a_matrix_over_the_responses_follows_them_into_a_ranking():
    (result,) = choose_pairs(JUDGED, Settings(Strategy.best_worst, emit=Emit.ranking)).records
    assert [response["text"] for response in result["responses"]] == ["b", "c", "a"]
    assert result["preferences"] == [[0.5, 0.7, 0.9], [0.3, 0.5, 0.8], [0.1, 0.2, 0.5]]


def test_a_labeled_pair_has_no_matrix_as_its_label_may_be_turned():
    (result,) = choose_pairs(JUDGED, Settings(Strategy.best_worst)).records
    assert "preferences" not in result


def test_without_scores_or_ranks_the_pair_stays_unlabeled():
    (pair,) = pairs(candidates({"text": "a"}, {"text": "b"}), Strategy.random)
    assert [response["text"] for response in pair["responses"]] == ["a", "b"]


def test_orient_rank_goes_against_the_scores():
    record = candidates({"text": "a", "rank": 1, "score": 2}, {"text": "b", "rank": 2, "score": 9})
    assert texts_of(pairs(record, Strategy.random, orient=Orient.rank)[0]) == ("a", "b")
    assert texts_of(pairs(record, Strategy.random, orient=Orient.score)[0]) == ("b", "a")
    assert texts_of(pairs(record, Strategy.random, orient=Orient.auto)[0]) == ("a", "b")


def test_a_label_that_is_there_is_not_turned_by_scores():
    """What `relabel goal` swapped stays swapped; only --orient score asks the scores."""
    goal = {"prompt": "q", "chosen": "b", "rejected": "a", "score_chosen": 1, "score_rejected": 9, "goal": 1}
    assert texts_of(pairs(goal, Strategy.random)[0]) == ("b", "a")
    assert texts_of(pairs(goal, Strategy.random, orient=Orient.score)[0]) == ("a", "b")


def test_a_labeled_pair_with_equal_scores_is_a_tie():
    tie = {"prompt": "q", "chosen": "a", "rejected": "b", "score_chosen": 5, "score_rejected": 5}
    outcome = choose_pairs(tie, Settings(Strategy.random))
    assert (outcome.records, outcome.dropped) == ([], [EQUAL_SCORES])


def test_choice_and_label_look_at_the_same_numbers():
    """One response without a score: all pairs of the prompt go by rank, also those that have two scores."""
    record = candidates(
        {"text": "a", "score": 1, "rank": 1}, {"text": "b", "score": 5, "rank": 2}, {"text": "c", "rank": 3}
    )
    assert [texts_of(pair) for pair in pairs(record, Strategy.all)] == [("a", "b"), ("a", "c"), ("b", "c")]


def test_a_labeled_pair_without_scores_keeps_its_label():
    pair = {"prompt": "q", "chosen": "a", "rejected": "b"}
    assert pairs(pair, Strategy.random) == [pair | {"strategy": "random", "num_responses": 2}]


# A pair that is filtered again


def test_filtering_a_pair_again_keeps_the_number_of_responses_it_was_chosen_from():
    pair = {"prompt": "q", "chosen": "a", "rejected": "b", "similarity": 0.5, "num_responses": 4}
    (again,) = pairs(pair, Strategy.hard)
    assert (again["num_responses"], again["similarity"], again["strategy"]) == (4, 0.5, "hard")


def test_filtering_an_unlabeled_pair_again_keeps_the_number_of_responses_it_was_chosen_from():
    (pair,) = pairs(embedded(0, 4), orient=Orient.none)
    assert pair["num_responses"] == 4
    assert pairs(pair, orient=Orient.none) == [pair]


@given(seed=st.integers(0, 2**32 - 1), n=st.integers(2, 6))
@settings(max_examples=25)
def test_choosing_from_a_chosen_pair_changes_nothing(seed, n):
    (pair,) = pairs(embedded(seed, n))
    assert pairs(pair) == [pair]


def test_the_similarity_of_a_pair_stands_for_its_embeddings():
    (pair,) = pairs(candidates({"text": "a"}, {"text": "b"}, similarity=-0.25))
    assert pair["similarity"] == -0.25


def test_a_similarity_is_written_to_seven_digits():
    """(1, 2) . (2, 1) / 5 = .8 and (1, 1) . (1, 0) / sqrt(2) = .70710678..."""
    vectors = ([1, 2], [2, 1]), ([1, 1], [1, 0])
    written = [pairs(candidates({"text": "a", "embedding": v}, {"text": "b", "embedding": w}))[0] for v, w in vectors]
    assert [pair["similarity"] for pair in written] == [0.8, 0.7071068]


def test_embeddings_go_before_a_similarity_that_is_there():
    record = candidates({"text": "a", "embedding": [1, 0]}, {"text": "b", "embedding": [0.6, 0.8]}, similarity=0.1)
    assert pairs(record)[0]["similarity"] == pytest.approx(0.6)


def test_the_embeddings_of_a_labeled_pair_are_read_and_left_behind():
    """(3, 4) / 5 . (1, 0) = .6."""
    pair = {"prompt": "q", "chosen": "a", "rejected": "b", "embedding_chosen": [3, 4], "embedding_rejected": [1, 0]}
    (chosen,) = pairs(pair)
    assert list(chosen) == ["prompt", "chosen", "rejected", "similarity", "strategy", "num_responses"]
    assert chosen["similarity"] == pytest.approx(0.6)


# Conversations


def test_after_a_conversation_a_string_response_becomes_an_assistant_message():
    record = scored(1, 2) | {"prompt": ASK}
    (pair,) = pairs(record, Strategy.best_worst)
    assert texts_of(pair) == ([{"role": "assistant", "content": "b"}], [{"role": "assistant", "content": "a"}])


def test_after_a_conversation_the_reference_of_a_triple_becomes_an_assistant_message():
    (triple,) = pairs(scored(1, 2, 3) | {"prompt": ASK}, Strategy.best_worst, emit=Emit.triples)
    assert triple["reference"] == [{"role": "assistant", "content": "c"}]


def test_the_same_message_with_its_keys_in_another_order_is_the_same_text():
    first, second = [{"role": "assistant", "content": "a"}], [{"content": "a", "role": "assistant"}]
    outcome = choose_pairs(
        candidates({"text": first, "score": 1}, {"text": second, "score": 2}), Settings(Strategy.best_worst)
    )
    assert (outcome.records, outcome.dropped) == ([], [EQUAL_TEXTS, TOO_FEW])


def test_a_string_and_the_assistant_message_it_becomes_are_the_same_text():
    """After a conversation both are written alike: chosen would equal rejected."""
    responses = [{"text": "a", "score": 1}, {"text": [{"role": "assistant", "content": "a"}], "score": 2}]
    outcome = choose_pairs({"prompt": ASK, "responses": responses}, Settings(Strategy.best_worst))
    assert (outcome.records, outcome.dropped) == ([], [EQUAL_TEXTS, TOO_FEW])


# Properties


@pytest.mark.parametrize("strategy", list(Strategy))
@given(seed=st.integers(0, 2**32 - 1), n=st.integers(2, 7))
@settings(max_examples=15)
def test_every_strategy_makes_pairs_of_two_responses_with_the_better_one_chosen(strategy, seed, n):
    result = pairs(embedded(seed, n), strategy)
    assert result
    assert len(result) == 1 or STRATEGIES[strategy].several_pairs
    for pair in result:
        assert pair["chosen"] != pair["rejected"]
        assert pair["score_chosen"] > pair["score_rejected"]
        assert (pair["strategy"], pair["num_responses"]) == (strategy.value, n)


@given(seed=st.integers(0, 2**32 - 1))
@settings(max_examples=15)
def test_of_two_responses_all_strategies_make_the_same_pair(seed):
    """Methods 1(f): with K=2 all strategies return the same pair."""
    record = embedded(seed, 2)
    (first,) = pairs(record)
    assert all(pairs(record, strategy) == [first | {"strategy": strategy.value}] for strategy in Strategy)


@pytest.mark.parametrize("strategy", [Strategy.easy, Strategy.hard, Strategy.aepo, Strategy.best_worst])
@given(seed=st.integers(0, 2**32 - 1), n=st.integers(2, 7))
@settings(max_examples=15)
def test_the_order_of_the_responses_does_not_matter(strategy, seed, n):
    record = embedded(seed, n)
    shuffled = record | {"responses": random.Random(seed).sample(record["responses"], n)}
    assert texts_of(pairs(record, strategy)[0]) == texts_of(pairs(shuffled, strategy)[0])


@pytest.mark.parametrize("strategy", BY_SIMILARITY)
@given(seed=st.integers(0, 2**32 - 1), scale=st.floats(1e-3, 1e3))
@settings(max_examples=15)
def test_scaling_an_embedding_does_not_matter(strategy, seed, scale):
    record = embedded(seed, 5)
    first, *others = record["responses"]
    larger = first | {"embedding": [scale * number for number in first["embedding"]]}
    before, after = pairs(record, strategy)[0], pairs(record | {"responses": [larger, *others]}, strategy)[0]
    assert texts_of(before) == texts_of(after)


@pytest.mark.parametrize("strategy", BY_SIMILARITY)
@given(seed=st.integers(0, 2**32 - 1), n=st.integers(2, 7))
@settings(max_examples=15)
def test_the_labels_do_not_sway_the_choice(strategy, seed, n):
    record = embedded(seed, n)
    bare = [{"text": item["text"], "embedding": item["embedding"]} for item in record["responses"]]
    (labeled,), (unlabeled,) = pairs(record, strategy), pairs(candidates(*bare), strategy)
    assert set(texts_of(labeled)) == {response["text"] for response in unlabeled["responses"]}


@given(scores=st.lists(st.integers(1, 4), min_size=2, max_size=6))
@settings(max_examples=50)
def test_the_gaps_fall_from_stage_to_stage(scores):
    """Methods 19(f): gap(stage 1) >= gap(stage 2) >= ..."""
    for strategy in (Strategy.best_vs_rest, Strategy.all):
        result = pairs(scored(*scores), strategy, curriculum=True)
        gaps = [pair["score_chosen"] - pair["score_rejected"] for pair in result]
        assert gaps == sorted(gaps, reverse=True)
        assert [pair["stage"] for pair in result] == list(range(1, len(result) + 1))
        assert all(gap > 0 for gap in gaps)


@given(scores=st.lists(st.integers(1, 4), min_size=2, max_size=6))
@settings(max_examples=50)
def test_the_ranks_are_those_of_scipy(scores):
    """scipy 1.17.1."""
    result = pairs(scored(*scores), emit=Emit.ranking)
    ranks = {response["text"]: response["rank"] for item in result for response in item["responses"]}
    expected = dict(zip("abcdef", rankdata([-score for score in scores], method="min").tolist(), strict=False))
    assert ranks == (expected if len(set(scores)) > 1 else {})


# The random draw


def draw(prompt: str, seed: int, n: int = 4) -> tuple[str, ...]:
    record = {"prompt": prompt, "responses": [{"text": f"t{i}"} for i in range(n)]}
    (pair,) = pairs(record, Strategy.random, seed=seed)
    return tuple(response["text"] for response in pair["responses"])


def test_fault_random_of_four_draws_all_six_pairs_about_equally_often():
    """Methods 1(g), fault 2: the paper's baseline is always the 2nd and 3rd response. 600 / 6 = 100, give or take 9."""
    drawn = [draw(f"prompt {number}", 0) for number in range(600)]
    counts = {pair: drawn.count(pair) for pair in combinations(("t0", "t1", "t2", "t3"), 2)}
    assert sum(counts.values()) == 600
    assert all(65 < count < 135 for count in counts.values()), counts


@pytest.mark.parametrize("n", [2, 3, 4, 5])
def test_every_pair_can_be_drawn_for_one_prompt(n):
    expected = set(combinations([f"t{i}" for i in range(n)], 2))
    assert {draw("q", seed, n) for seed in range(150)} == expected


def test_the_draw_depends_on_seed_and_prompt_and_never_on_position():
    prompts = [f"prompt {number}" for number in range(40)]
    forward = {prompt: draw(prompt, 3) for prompt in prompts}
    backward = {prompt: draw(prompt, 3) for prompt in reversed(prompts)}
    assert forward == backward
    assert forward != {prompt: draw(prompt, 4) for prompt in prompts}
    assert len(set(forward.values())) == 6


def test_the_largest_seed_the_command_line_takes_is_a_seed():
    assert draw("q", 2**63 - 1) == draw("q", 2**63 - 1)


def test_best_random_draws_by_seed_and_prompt_too():
    drawn = [texts_of(pairs(scored(9, 1, 2, 3), Strategy.best_random, seed=seed)[0]) for seed in range(40)]
    assert set(drawn) == {("a", "b"), ("a", "c"), ("a", "d")}
    assert drawn == [texts_of(pairs(scored(9, 1, 2, 3), Strategy.best_random, seed=seed)[0]) for seed in range(40)]


# The faults of the paper's code, Methods 1(g)


@pytest.mark.parametrize("strategy", list(Strategy))
def test_fault_the_label_is_not_the_insertion_order(strategy):
    """Methods 1(g), fault 1: chosen has the higher score after selection, whatever came first."""
    for seed in range(10):
        assert all(pair["score_chosen"] > pair["score_rejected"] for pair in pairs(embedded(seed, 4), strategy))


@pytest.mark.parametrize("strategy", list(Strategy))
def test_fault_ties_are_dropped(strategy):
    """Methods 1(g), fault 1: equal scores give an arbitrary label."""
    tied = {"score": 3, "score_std": 0.5}
    record = candidates({"text": "a", **tied, "embedding": [1, 0]}, {"text": "b", **tied, "embedding": [0, 1]})
    outcome = choose_pairs(record, Settings(strategy))
    assert (outcome.records, outcome.dropped, outcome.possible) == ([], [EQUAL_SCORES], 1)


@pytest.mark.parametrize("strategy", BY_SIMILARITY)
def test_fault_identical_embeddings_never_give_the_same_response_twice(strategy):
    """Methods 1(g), fault 3: easy fails and centroid says (0, 0)."""
    record = candidates(*({"text": text, "score": ord(text), "embedding": [0.6, 0.8]} for text in "abcd"))
    (pair,) = pairs(record, strategy)
    assert pair["chosen"] > pair["rejected"]
    assert pair["similarity"] == pytest.approx(1)


@pytest.mark.parametrize("strategy", list(Strategy))
@pytest.mark.parametrize("responses", [[], [{"text": "a", "score": 1, "embedding": [1.0]}]])
def test_fault_one_response_is_skipped(strategy, responses):
    """Methods 1(g), fault 3: one response is a ValueError of KMeans."""
    outcome = choose_pairs(candidates(*responses), Settings(strategy))
    assert (outcome.records, outcome.dropped, outcome.possible) == ([], [TOO_FEW], 0)


@pytest.mark.parametrize("strategy", list(Strategy))
def test_fault_texts_that_collapse_to_one_are_skipped(strategy):
    """Methods 1(g), faults 3 and 4."""
    responses = [{"text": "a", "score": score, "embedding": [score, 1]} for score in (1, 2, 3)]
    outcome = choose_pairs(candidates(*responses), Settings(strategy))
    assert (outcome.records, outcome.dropped, outcome.possible) == ([], [EQUAL_TEXTS, EQUAL_TEXTS, TOO_FEW], 0)


def test_fault_of_duplicate_texts_the_first_stays():
    """Methods 1(g), fault 4: responses keyed by text. The second a, scored 9, does not count."""
    record = candidates({"text": "a", "score": 1}, {"text": "b", "score": 5}, {"text": "a", "score": 9})
    outcome = choose_pairs(record, Settings(Strategy.best_worst))
    assert [texts_of(pair) for pair in outcome.records] == [("b", "a")]
    assert (outcome.possible, outcome.dropped, outcome.records[0]["num_responses"]) == (1, [EQUAL_TEXTS], 2)


@pytest.mark.parametrize("number", [1, 3, 15, 16, 17, 33])
def test_fault_the_last_incomplete_batch_is_not_lost(number):
    """Methods 1(g), fault 5: n prompts in, n pairs out."""
    assert sum(len(pairs(embedded(seed, 4))) for seed in range(number)) == number


# Errors


def test_a_missing_embedding_is_named_with_its_response():
    record = candidates({"text": "a", "embedding": [1, 0]}, {"text": "b"}, {"text": "c", "embedding": [1, 0]})
    with pytest.raises(RecordError, match="^response 2 has no 'embedding'"):
        choose_pairs(record, Settings())


def test_the_number_of_a_response_counts_equal_texts_too():
    record = candidates({"text": "a", "embedding": [1, 0]}, {"text": "a", "embedding": [1, 0]}, {"text": "b"})
    with pytest.raises(RecordError, match="^response 3 has no 'embedding'"):
        choose_pairs(record, Settings())


def test_the_number_of_a_response_counts_the_reference_of_a_triple_too():
    vectors = {"a": {}, "b": {"embedding": [1, 0]}, "c": {"embedding": [0, 0]}}
    record = candidates(*({"text": t, "score": s} | vectors[t] for t, s in (("a", 9), ("b", 2), ("c", 1))))
    with pytest.raises(RecordError, match="^response 3: 'embedding' is all zeros"):
        choose_pairs(record, Settings(emit=Emit.triples))


@pytest.mark.parametrize("strategy", [Strategy.best_worst, Strategy.best_random, Strategy.best_vs_rest])
def test_a_score_strategy_says_what_it_needs(strategy):
    with pytest.raises(RecordError, match=f"^strategy {strategy.value} needs a 'score' or a 'rank' on every response"):
        choose_pairs(scored(1, None), Settings(strategy))


@pytest.mark.parametrize("emit", [Emit.triples, Emit.ranking])
def test_triples_and_rankings_say_what_they_need(emit):
    with pytest.raises(RecordError, match=f"^{emit.value} needs a 'score' or a 'rank' on every response"):
        choose_pairs(candidates({"text": "a"}, {"text": "b"}, {"text": "c"}), Settings(Strategy.random, emit=emit))


@pytest.mark.parametrize("strategy", [Strategy.random, Strategy.all])
def test_a_strategy_that_needs_nothing_works_on_texts_alone(strategy):
    assert "similarity" not in pairs(candidates({"text": "a"}, {"text": "b"}), strategy)[0]
