"""Probabilities of verdicts from a server's log-probabilities, as tokenizers cut them and as servers break them."""

import math

import pytest

from real_cli.records.word_odds import chance_of, read_odds, word_of


def step(token, **odds):
    return {"token": token, "top_logprobs": [{"token": name, "logprob": math.log(odds[name])} for name in odds]}


@pytest.mark.parametrize(
    ("token", "word"),
    [
        *[(form, "A") for form in ("A", " A", '"A', ' "A"', "[[A", "**A**", "\u2581A", "\u0120A", "A\n")],
        *[(form, "tie") for form in ("tie", " tie", "t", "ti")],
        *[(form, None) for form in ("a", "An", "AB", "", " ", '"', "T", "C", "ties")],
    ],
)
def test_a_token_names_a_verdict_whatever_stands_around_it(token, word):
    assert word_of(token) == word


def test_forms_of_one_word_are_added_and_others_are_left_out():
    (odds,) = read_odds({"content": [step("A", **{"A": 0.4, " A": 0.2, '"B': 0.2, "The": 0.1})]})
    assert odds.odds == pytest.approx({"A": 0.6, "B": 0.2, "tie": 0.0})
    assert chance_of("A", (odds,)) == pytest.approx(0.75)


def test_the_last_token_that_is_the_verdict_counts():
    """ "A" begins a sentence first; B is mentioned, and A is the verdict."""
    content = [step("A", A=0.9, B=0.1), step("B", B=1.0), step(" A", A=0.5, B=0.25, tie=0.25), step(" So", A=1.0)]
    assert chance_of("A", read_odds({"content": content})) == pytest.approx(0.625)
    assert chance_of("B", read_odds({"content": content})) == 0.0
    assert chance_of("tie", read_odds({"content": content})) is None


@pytest.mark.parametrize(
    "logprobs",
    [
        None,
        [],
        {},
        {"content": None},
        {"content": "A"},
        {"content": [None, 1, {}, {"token": 1}, {"token": "A"}, {"token": "A", "top_logprobs": None}]},
        {"content": [{"token": "A", "top_logprobs": [None, {}, {"token": "A"}, {"token": "A", "logprob": "x"}]}]},
        {"content": [{"token": "A", "top_logprobs": [{"token": "A", "logprob": 5.0}]}]},
        {"content": [{"token": "A", "top_logprobs": [{"token": "A", "logprob": float("nan")}]}]},
        {"content": [{"token": "A", "top_logprobs": [{"token": "A", "logprob": 0.0}, {"token": "B", "logprob": 0.0}]}]},
        {"content": [step("A", A=0.1, An=0.9)]},
    ],
)
def test_what_is_no_probability_of_a_verdict_is_left_out(logprobs):
    assert read_odds(logprobs) == ()


def test_a_token_that_cannot_be_has_no_probability():
    """OpenAI writes -9999 for it."""
    (odds,) = read_odds(
        {
            "content": [
                {"token": "A", "top_logprobs": [{"token": "A", "logprob": 0.0}, {"token": "B", "logprob": -9999.0}]}
            ]
        }
    )
    assert odds.odds == {"A": 1.0, "B": 0.0, "tie": 0.0}
