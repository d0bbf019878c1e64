"""What `eval winrate` reports."""

import json
import math
import random

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from statsmodels.stats.proportion import proportion_confint

from real_cli.errors import RecordError, UsageError
from real_cli.evaluate.evaluation import Exclusion, Fate
from real_cli.evaluate.winrate.matches import Contest
from real_cli.evaluate.winrate.tally import MOST_MODELS, WinrateTally
from real_cli.records.categories import MOST_CATEGORIES
from real_cli.records.verdicts import Judgment
from real_cli.stats.numeric import rounded
from tests.evaluate.winrate.contests import record_of

POINTS = {"win": 2, "tie": 1, "loss": 0}


def contest(first, second, outcome, gap=0, verdicts=None):
    texts = ("x" * (1 + max(gap, 0)), "y" * (1 + max(-gap, 0)))
    return Contest((first, second), texts, POINTS[outcome], (Judgment(verdicts, ("", "")),) if verdicts else ())


def summed(rows, *, model=None, by=None):
    """Summary of rows (prompt, contest) or (prompt, contest, category)."""
    tally = WinrateTally(model, by)
    for prompt, item, *category in rows:
        tally.add(record_of(prompt, item, **({by: category[0]} if by and category else {})))
    return rounded(tally.summary())


def alike(count, *args, **options):
    return [(f"{args} {number}", contest(*args, **options)) for number in range(count)]


def random_rows(seed, count=200, models=("a", "b"), prompts=None):
    draws = np.random.default_rng(seed)
    rows = []
    for number in range(count):
        first, second = draws.choice(models, 2, replace=False)
        gap = int(draws.integers(-50, 51))
        outcome = "tie" if draws.random() < 0.1 else "win" if draws.random() < 1 / (1 + math.exp(-gap / 30)) else "loss"
        verdicts = (str(draws.choice(["A", "B", "tie"])), str(draws.choice(["A", "B", "tie"])))
        rows.append(
            (str(number % (prompts or count)), contest(str(first), str(second), outcome, gap, verdicts), number % 3)
        )
    return rows


# By hand


def test_wins_ties_and_losses_of_the_model_that_is_first_by_name():
    """new 5, ties 2, old 3 of 10: (5 + 1) / 10 = .6. The pairs stand either way round."""
    rows = alike(3, "new", "old", "win") + alike(2, "old", "new", "loss")
    rows += alike(1, "new", "old", "tie") + alike(1, "old", "new", "tie") + alike(3, "old", "new", "win")
    summary = summed(rows)
    assert (summary["model"], summary["against"]) == ("new", "old")
    assert (summary["num_wins"], summary["num_ties"], summary["num_losses"]) == (5, 2, 3)
    assert (summary["win_rate"], summary["share_wins"], summary["share_ties"]) == (0.6, 0.5, 0.2)
    assert summary["win_rate_low"] < 0.6 < summary["win_rate_high"]
    turned = summed(rows, model="old")
    assert (turned["model"], turned["against"], turned["num_wins"], turned["win_rate"]) == ("old", "new", 3, 0.4)
    assert (turned["by_pair"][0]["model"], turned["by_pair"][0]["num_wins"]) == ("old", 3)


def test_a_share_has_wilson_s_interval():
    summary = summed(alike(8, "a", "b", "win") + alike(12, "a", "b", "loss"))
    low, high = proportion_confint(8, 20, method="wilson")
    assert (summary["share_wins_low"], summary["share_wins_high"]) == pytest.approx((low, high), abs=1e-8)


def test_all_wins_have_wilson_s_interval_not_one_without_width():
    summary = summed(alike(20, "a", "b", "win"))
    low, _ = proportion_confint(20, 20, method="wilson")
    assert (summary["win_rate"], summary["win_rate_low"], summary["win_rate_high"]) == pytest.approx(
        (1, low, 1), abs=1e-8
    )


def test_all_ties_are_even_with_an_interval_and_no_length_control():
    summary = summed(alike(40, "a", "b", "tie", 3))
    low, high = proportion_confint(20, 40, method="wilson")
    assert low < summary["win_rate_low"] < 0.5 < summary["win_rate_high"] < high
    assert summary["lc_win_rate"] is None
    assert summary["length_note"].startswith("0 decided")
    assert (summary["share_longer_won"], summary["winner_length_difference"]) == (None, None)


def test_comparisons_of_one_prompt_that_agree_count_once():
    """48 comparisons of 12 prompts, each prompt of one mind: 12, and of 9 prompts no interval."""
    rows = [(str(number % 12), contest("a", "b", "win" if number % 3 else "loss")) for number in range(48)]
    summary = summed(rows)
    low, high = proportion_confint(8, 12, method="wilson")
    assert summary["share_wins_low"] == summary["win_rate_low"] == pytest.approx(low, abs=1e-8)
    assert summary["share_wins_high"] == pytest.approx(high, abs=1e-8)
    assert any(note.startswith("48 comparisons are about 12 prompts") for note in summary["notes"])
    few = summed([(str(int(prompt) % 9), item) for prompt, item in rows])
    assert (few["win_rate_low"], few["share_wins_high"]) == (None, None)
    assert "9 prompts: a share over several comparisons of one needs 10 for an interval" in few["notes"]


def test_without_ties_the_win_rate_is_the_share_of_wins_with_its_interval():
    """49 of 50, no ties: [.895, .996] and not [.94, 1]."""
    summary = summed([*alike(49, "a", "b", "win"), ("another", contest("a", "b", "loss"))])
    for end in ("", "_low", "_high"):
        assert summary[f"win_rate{end}"] == summary[f"share_wins{end}"]
    wilson = proportion_confint(49, 50, method="wilson")
    assert (summary["win_rate_low"], summary["win_rate_high"]) == pytest.approx(wilson, abs=1e-8)


def test_flips_and_the_place_a_judge_favors():
    """Four in both orders: AA and AA flipped to A, BB to B, AB not. Of 8 verdicts for a place A has 2 + 2 + 0 + 1."""
    verdicts = [("A", "A"), ("A", "A"), ("B", "B"), ("A", "B"), ("tie", "tie"), None]
    rows = [(str(n), contest("a", "b", "tie", verdicts=messages)) for n, messages in enumerate(verdicts)]
    summary = summed(rows)
    assert (summary["num_both_orders"], summary["num_flips"], summary["flip_rate"]) == (5, 3, 0.6)
    assert (summary["num_flips_to_first"], summary["num_flips_to_second"]) == (2, 1)
    assert (summary["num_place_verdicts"], summary["share_first_place"]) == (8, 5 / 8)
    low, high = proportion_confint(3, 5, method="wilson")
    assert (summary["flip_rate_low"], summary["flip_rate_high"]) == pytest.approx((low, high), abs=1e-8)
    # Turning the models round does not turn the judge's places.
    turned = [(prompt, Contest(item.models[::-1], item.texts, item.points, item.comparisons)) for prompt, item in rows]
    assert summed(turned)["share_first_place"] == 5 / 8


def test_without_a_tie_judged_in_both_orders_the_flips_may_have_been_left_out():
    summary = summed(alike(3, "a", "b", "win", verdicts=("A", "B")))
    assert summary["notes"][0].startswith("no ties: flipped verdicts are ties")
    assert not any(note.startswith("no ties") for note in summed(alike(3, "a", "b", "win"))["notes"])


def test_who_won_by_length():
    """Winners are 3, 3, 7, -2 and 0 longer: 3 of 4 that differ. A tie has no winner."""
    rows = alike(1, "a", "b", "win", 3) + alike(1, "a", "b", "loss", -3) + alike(1, "b", "a", "win", -2)
    rows += alike(1, "a", "b", "loss", -7) + alike(1, "a", "b", "win", 0) + alike(1, "a", "b", "tie", 40)
    summary = summed(rows)
    assert (summary["num_longer_won"], summary["num_unequal_lengths"]) == (3, 4)
    assert summary["share_longer_won"] == 0.75
    assert sum(summary["winner_length_difference"]["counts"]) == 5


def test_the_histogram_of_winners_lengths():
    """Winners 1, 1 and 4 longer: a bin a character. Then 0 to 65, cut to 1 to 64: 63 // 30 + 1 = 3 characters a bin."""
    rows = alike(2, "a", "b", "win", 1) + alike(1, "b", "a", "loss", -4)
    assert summed(rows)["winner_length_difference"] == {"edges": [0.5, 1.5, 2.5, 3.5, 4.5], "counts": [2, 0, 0, 1]}
    wide = summed([(str(gap), contest("a", "b", "win", gap)) for gap in range(66)])["winner_length_difference"]
    assert wide["edges"][:2] == [0.5, 3.5]  # the 1st percentile is 1, and 0 is counted with it
    assert wide["counts"][:2] == [4, 3]
    assert sum(wide["counts"]) == 66


def test_the_outer_bins_hold_what_is_far_out():
    rows = alike(199, "a", "b", "win", 5) + alike(1, "b", "a", "loss", -90_000)
    assert summed(rows)["winner_length_difference"] == {"edges": [4.5, 5.5], "counts": [200]}


# More models


def test_more_than_two_models_have_a_row_each_two_and_a_ranking():
    rows = random_rows(1, 300, ("a", "b", "c", "d"))
    summary = summed(rows)
    assert summary["model"] is None
    assert summary["win_rate"] is None
    assert [(row["model"], row["against"]) for row in summary["by_pair"]] == [
        ("a", "b"), ("a", "c"), ("a", "d"), ("b", "c"), ("b", "d"), ("c", "d")
    ]  # fmt: skip
    assert sum(row["num_comparisons"] for row in summary["by_pair"]) == summary["num_all_comparisons"] == 300
    assert [row["rank"] for row in summary["ranking"]] == [1, 2, 3, 4]
    assert sum(row["strength"] for row in summary["ranking"]) == pytest.approx(0, abs=1e-8)
    assert all(row["strength_low"] < row["strength"] < row["strength_high"] for row in summary["ranking"])
    assert sum(row["num_comparisons"] for row in summary["ranking"]) == 600


def test_one_model_against_all_others_is_the_sum_of_its_rows():
    summary = summed(random_rows(2, 300, ("a", "b", "c", "d")), model="c")
    assert (summary["model"], summary["against"]) == ("c", "all others")
    mine = [row for row in summary["by_pair"] if row["model"] == "c"]
    assert [row["against"] for row in mine] == ["a", "b", "d"]
    for field in ("num_comparisons", "num_wins", "num_ties", "num_losses"):
        assert summary[field] == sum(row[field] for row in mine)


def test_whom_nobody_beat_prevents_a_ranking_and_is_named():
    summary = summed(alike(5, "a", "b", "win") + alike(5, "a", "c", "win") + alike(5, "b", "c", "tie"))
    assert summary["ranking"] == []
    assert any("between the groups a | b, c wins and ties" in note for note in summary["notes"])


def test_equal_models_share_a_rank():
    rows = (
        alike(20, "a", "b", "tie") + alike(20, "a", "c", "win") + alike(20, "b", "c", "win") + alike(2, "c", "a", "tie")
    )
    summary = summed(rows + alike(2, "c", "b", "tie"))
    assert [(row["rank"], row["model"]) for row in summary["ranking"]] == [(1, "a"), (1, "b"), (3, "c")]


def test_a_model_against_itself_is_counted_apart():
    tally = WinrateTally()
    alone = record_of("q", contest("a", "a", "win"))
    assert tally.add(alone, "in:1") == (Exclusion("in:1", alone, "one model on both sides", Fate.counted),)
    responses = [{"text": text, "model": model} for text, model in ("xa", "ya", "zb")]
    matrix = [[0.5, 1, 1], [0, 0.5, 1], [0, 0, 0.5]]
    assert tally.add({"prompt": "q", "responses": responses, "preferences": matrix}) == ()
    summary = tally.summary()
    assert (summary["num_records"], summary["num_same_model"], summary["num_all_comparisons"]) == (2, 2, 2)
    assert tally.sentence(summary).startswith("2 comparisons of 2 models; 2 of a model with itself left out")


# Categories


def test_each_category_has_its_own_numbers_and_none_is_null():
    rows = [(str(n), contest("a", "b", "win" if n < 3 else "loss"), ["x", "y", None, 2, True][n]) for n in range(5)]
    summary = summed(rows, by="task")
    assert [(row["category"], row["num_wins"]) for row in summary["by_category"]] == [
        (2, 0), (True, 0), ("x", 1), ("y", 1), (None, 1)
    ]  # fmt: skip
    assert summary["by"] == "task"


def test_categories_of_more_models_have_a_row_each_two():
    rows = [(str(n), contest("a", "bc"[n % 2], "win"), "xy"[n // 2]) for n in range(4)]
    result = summed(rows, by="task")["by_category"]
    assert [(row["category"], row["model"], row["against"]) for row in result] == [
        ("x", "a", "b"), ("x", "a", "c"), ("y", "a", "b"), ("y", "a", "c")
    ]  # fmt: skip


@pytest.mark.parametrize("value", [["x"], {"a": 1}])
def test_a_category_that_is_no_plain_value_is_refused(value):
    with pytest.raises(RecordError, match=r"^field 'task' is .*; a category is a text, a number, true or false$"):
        WinrateTally(by="task").add(record_of("q", contest("a", "b", "win"), task=value))


def test_a_field_of_too_many_values_is_refused():
    tally = WinrateTally(by="id")
    for number in range(MOST_CATEGORIES):
        tally.add(record_of("q", contest("a", "b", "win"), id=number))
    with pytest.raises(RecordError, match="^field 'id' is 1000, one more than 1,000 categories; choose another$"):
        tally.add(record_of("q", contest("a", "b", "win"), id=1000))
    tally = WinrateTally()
    for number in range(1, MOST_MODELS):
        tally.add(record_of("q", contest("m0", f"m{number}", "win")))
    with pytest.raises(RecordError, match="^model 'more' is one more than 200; --model-field names their field$"):
        tally.add(record_of("q", contest("m0", "more", "win")))
    assert len(tally.models) == MOST_MODELS


# Any data


def test_a_field_that_no_record_has_is_told():
    """A slip in its name would else look like data of one category."""
    messages = "no record has a value in field 'task': there is one category, null"
    assert messages in summed(alike(3, "new", "old", "win"), by="task")["notes"]
    one_has = [*alike(3, "new", "old", "win"), ("p", contest("new", "old", "win"), "math")]
    assert messages not in summed(one_has, by="task")["notes"]
    assert messages not in summed([], by="task")["notes"]


def test_names_that_are_empty_are_not_taken_for_none():
    with pytest.raises(UsageError, match="--by '': name a field"):
        WinrateTally(by="")
    with pytest.raises(UsageError, match="--model '': no response is by it"):
        summed(alike(3, "new", "old", "win"), model="")


def test_a_model_that_is_not_there_is_a_mistake_of_the_command_line():
    with pytest.raises(UsageError, match="^--model 'x': no response is by it; there are 'a, b'$"):
        summed(alike(1, "a", "b", "win"), model="x")


def test_nothing_gives_none_and_says_so():
    summary = WinrateTally().summary()
    assert summary["notes"] == ["no comparison of two models"]
    assert (summary["win_rate"], summary["flip_rate"], summary["by_pair"], summary["ranking"]) == (None, None, [], [])


@pytest.mark.parametrize("models", [("a", "b"), ("a", "b", "c", "d")])
def test_the_order_of_the_records_changes_nothing(models):
    rows = random_rows(5, 300, models, prompts=120)
    shuffled = random.Random(1).sample(rows, len(rows))
    assert json.dumps(summed(rows, by="task")) == json.dumps(summed(shuffled, by="task"))


def test_which_side_a_response_stands_on_changes_nothing():
    rows = random_rows(6)
    turned = [
        (prompt, Contest(item.models[::-1], item.texts[::-1], 2 - item.points, item.comparisons), task)
        for prompt, item, task in rows
    ]
    assert summed(rows, by="task") == summed(turned, by="task")


def finite(value):
    if isinstance(value, dict):
        return all(map(finite, value.values()))
    if isinstance(value, list):
        return all(map(finite, value))
    return not isinstance(value, float) or math.isfinite(value)


@given(
    st.lists(
        st.tuples(
            st.sampled_from("pqrs"),
            st.sampled_from(["ab", "ba", "ac", "cb", "aa"]),
            st.sampled_from(sorted(POINTS)),
            st.integers(-3, 3),
        ),
        max_size=60,
    )
)
@settings(max_examples=60, deadline=None)
def test_every_number_is_finite_and_inside_its_interval(drawn):
    rows = [(prompt, contest(*models, outcome, gap)) for prompt, models, outcome, gap in drawn]
    summary = summed(rows)
    assert finite(summary)
    for table in ([summary], summary["by_pair"]):
        for row in table:
            for name in ("win_rate", "share_wins", "share_ties", "share_losses", "lc_win_rate"):
                if row[name] is not None and row[f"{name}_low"] is not None:
                    assert 0 <= row[f"{name}_low"] <= row[name] <= row[f"{name}_high"] <= 1
    assert summary["num_same_model"] == sum(models == "aa" for _, models, *_ in drawn)
