"""Limits on the numbers of a summary."""

import pytest

from real_cli.errors import UsageError
from real_cli.evaluate.limits import Limit, check_limits, passed_limits, read_limit
from real_cli.evaluate.pairs.health import PairHealth, gate_of

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
    assert passed_limits(rows) == [f"{name} is not known, not {sign}0"]


def test_a_passed_limit_is_one_line():
    rows = check_limits(SUMMARY, [Limit("share", "<=", 0.6), Limit("share", "<=", 0.8)])
    assert passed_limits(rows) == ["share is 0.71, not <=0.6"]
    assert passed_limits(check_limits(SUMMARY, [Limit("share", ">=", 0.8)])) == ["share is 0.71, not >=0.8"]


@pytest.mark.parametrize("text", ["share<0.6", "share=0.6", "share<=", "<=1", "share<=x", "share<=nan", "share<=1 2"])
def test_a_limit_of_another_form_is_refused(text):
    with pytest.raises(UsageError, match="NAME<=X or NAME>=X"):
        read_limit(text, ["share"])


@pytest.mark.parametrize("value", ["1e999", "-1e999"])
def test_a_limit_that_everything_keeps_or_nothing_is_refused(value):
    with pytest.raises(UsageError, match="give a finite number"):
        read_limit(f"share<={value}", ["share"])


@pytest.mark.parametrize("name", ["easy", "best-worst", "v1.5 of mine"])
def test_strategies_have_limits_by_the_names_that_the_data_give_them(name):
    """One of which there is no pair has 0 of them: that is known."""
    (limit,) = gate_of([f"strategies.{name}>=2"], strict=False, against=False).limits
    assert limit == Limit(f"strategies.{name}", ">=", 2)
    for number, is_met in ((2, True), (1, False)):
        assert check_limits({"strategies": {name: number}}, [limit])[0]["is_met"] is is_met
    assert passed_limits(check_limits({"strategies": {}}, [limit])) == [f"strategies.{name} is 0, not >=2"]
    assert check_limits({"strategies": {}}, [Limit(f"strategies.{name}", "<=", 0)])[0]["is_met"]


def test_a_name_that_is_not_there_is_refused_with_those_close_to_it():
    with pytest.raises(UsageError, match=r"close to it: num_contradictions"):
        gate_of(["num_contradiction<=0"], strict=False, against=False)


@pytest.mark.parametrize(
    "name", ["strategies", "similarity", "scripts", "limits", "similarity_histogram.counts", "mend", "mend_note"]
)
def test_what_is_no_number_has_no_limit(name):
    with pytest.raises(UsageError):
        gate_of([f"{name}<=1"], strict=False, against=True)


@pytest.mark.parametrize("module", ["judge", "pairs", "reward"])
def test_what_a_shell_offers_for_a_limit_are_numbers_alone(module):
    """Also where the summary that names them has no text to tell them by: null stands for either."""
    from importlib import import_module

    names = import_module(f"real_cli.evaluate.{module}.command").limit_names()
    assert "num_pairs" in names
    assert not {"by", "mend", "mend_note", "length_note", "equal_length_note"} & set(names)


def test_leaks_have_a_limit_where_another_file_is_looked_at():
    assert gate_of(["num_leaked_prompts<=0"], strict=False, against=True).limits
    with pytest.raises(UsageError):
        gate_of(["num_leaked_prompts<=0"], strict=False, against=False)


def test_strict_has_limits_of_its_own_unless_the_user_names_some():
    names = ["num_pairs", "num_equal_texts", "num_contradictions", "num_against_scores"]
    assert [limit.name for limit in gate_of([], strict=True, against=False).limits] == names
    assert [limit.name for limit in gate_of([], strict=True, against=True).limits] == [*names, "num_leaked_prompts"]
    assert gate_of([], strict=False, against=True).limits == []
    assert gate_of(["num_pairs>=1"], strict=True, against=True).limits == [Limit("num_pairs", ">=", 1)]
    assert gate_of(["num_pairs<=9"], strict=False, against=True).limits == [Limit("num_pairs", "<=", 9)]


def test_a_strict_gate_without_a_pair_is_shut():
    """The step before it wrote nothing; no limit on what is bad would notice."""
    for texts in ([], ["num_equal_texts<=0"]):
        limits = gate_of(texts, strict=True, against=False).limits
        assert passed_limits(check_limits(PairHealth().summary(), limits)) == ["num_pairs is 0, not >=1"]
