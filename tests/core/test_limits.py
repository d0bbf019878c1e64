"""Limits on the numbers of a summary."""

import pytest

from real_cli.core.health import limits_of
from real_cli.core.limits import Limit, check_limits, passed_limits, read_limit
from real_cli.errors import UsageError

SUMMARY = {"share": 0.71, "similarity": {"median": 0.5}, "gap": None, "num_equal_texts": 0}


@pytest.mark.parametrize(
    ("text", "is_met"),
    [
        ("share<=0.7", False),
        ("share<=0.71", True),  # a limit may be reached
        ("share >= .71", True),
        ("share>=0.72", False),
        ("similarity.median<=5e-1", True),
        ("num_equal_texts<=0", True),
        ("num_equal_texts<=-1", False),
    ],
)
def test_limits(text, is_met):
    limit = read_limit(text, ["share", "similarity.median", "num_equal_texts"])
    assert [row["is_met"] for row in check_limits(SUMMARY, [limit])] == [is_met]


@pytest.mark.parametrize("sign", ["<=", ">="])
@pytest.mark.parametrize("name", ["gap", "gap.mean"])
def test_a_number_that_is_not_known_keeps_no_limit(name, sign):
    rows = check_limits(SUMMARY, [Limit(name, sign, 0)])
    assert passed_limits(rows) == [f"{name} is not known; the limit is 0"]


def test_a_passed_limit_is_one_line():
    rows = check_limits(SUMMARY, [Limit("share", "<=", 0.6), Limit("share", "<=", 0.8)])
    assert passed_limits(rows) == ["share is 0.71; the limit is 0.6"]


@pytest.mark.parametrize("text", ["share<0.6", "share=0.6", "share<=", "<=1", "share<=x", "share<=nan", "share<=1 2"])
def test_a_limit_of_another_form_is_refused(text):
    with pytest.raises(UsageError, match="NAME<=X or NAME>=X"):
        read_limit(text, ["share"])


def test_a_name_that_is_not_there_is_refused_with_those_close_to_it():
    with pytest.raises(UsageError, match=r"close to it: num_contradictions"):
        limits_of(["num_contradiction<=0"], strict=False, against=False)


@pytest.mark.parametrize("name", ["strategies", "similarity", "scripts", "limits", "similarity_histogram.counts"])
def test_what_is_no_number_has_no_limit(name):
    with pytest.raises(UsageError):
        limits_of([f"{name}<=1"], strict=False, against=True)


def test_leaks_have_a_limit_where_another_file_is_looked_at():
    assert limits_of(["num_leaked_prompts<=0"], strict=False, against=True)
    with pytest.raises(UsageError):
        limits_of(["num_leaked_prompts<=0"], strict=False, against=False)


def test_strict_has_limits_of_its_own_unless_the_user_names_some():
    names = ["num_equal_texts", "num_contradictions", "num_against_scores"]
    assert [limit.name for limit in limits_of([], strict=True, against=False)] == names
    assert [limit.name for limit in limits_of([], strict=True, against=True)] == [*names, "num_leaked_prompts"]
    assert limits_of([], strict=False, against=True) == []
    assert limits_of(["num_pairs>=1"], strict=True, against=True) == [Limit("num_pairs", ">=", 1)]
