"""Rubrics: what their files may say, and how texts come into a question."""

import copy
import tomllib

import pytest
from hypothesis import given
from hypothesis import strategies as st

from real_cli.errors import UsageError
from real_cli.llm.rubric import parse_rubric
from real_cli.llm.rubric_files import read_rubric, rubric_text
from real_cli.records.questions import Sampling

EACH = {"name": "short", "asks": "each", "text": "Rate {response} to {prompt}."}
PAIR = {"asks": "pair", "text": "{prompt}: {response_a} or {response_b}?"}


def rubric(*questions, **table):
    return parse_rubric(
        {"name": "r", "question": [dict(question) for question in questions or [EACH]]} | table, "r.toml"
    )


def faults(*questions, **table):
    with pytest.raises(UsageError) as caught:
        rubric(*questions, **table)
    assert str(caught.value).startswith("r.toml: ")
    return str(caught.value).removeprefix("r.toml: ").split("; ")


def content(question, **texts):
    filled = rubric(question)
    return filled.messages(filled.questions[0], **texts)[-1]["content"]


def test_holes_are_filled_and_other_braces_stay():
    asked = PAIR | {"text": '{prompt} {response_a} {response_b} {other} {"a": 1}'}
    assert content(asked, prompt="P", response_a="A", response_b="B") == 'P A B {other} {"a": 1}'


@pytest.mark.parametrize("text", ["{prompt}", "{response}", "\\1", "{", "}", "{}", "\\g<0>"])
def test_a_response_that_looks_like_a_hole_stays_as_it_is(text):
    assert content(EACH, prompt="P", response=text) == f"Rate {text} to P."


@given(st.text(min_size=1), st.text(min_size=1))
def test_any_text_comes_into_a_question_unchanged(prompt, response):
    asked = EACH | {"text": "<{prompt}|{response}>"}
    assert content(asked, prompt=prompt, response=response) == f"<{prompt}|{response}>"


def test_a_system_message_stands_in_front_if_there_is_one():
    strict = rubric(EACH, system="Be strict.")
    roles = [message["role"] for message in strict.messages(strict.questions[0], prompt="p", response="r")]
    assert roles == ["system", "user"]
    plain = rubric(EACH)
    assert len(plain.messages(plain.questions[0], prompt="p", response="r")) == 1


def test_a_question_answers_as_its_rubric_says_and_may_have_a_limit_of_its_own():
    limited = rubric(EACH, EACH | {"name": "b", "max_tokens": 7}, max_tokens=9, temperature=0.5, top_p=0.6)
    assert [limited.sampling(question) for question in limited.questions] == [
        Sampling(9, 0.5, 0.6),
        Sampling(7, 0.5, 0.6),
    ]


def test_the_digest_names_the_content():
    first, same, other = rubric(EACH), rubric(copy.deepcopy(EACH)), rubric(EACH | {"text": EACH["text"] + "!"})
    assert first.digest == same.digest != other.digest
    assert len(first.digest) == 12


def test_what_comes_with_the_program():
    """Methods 11: four aspects from 1 to 5, a call each, and a critique with 1 to 10; T=0, top_p .6."""
    ultrafeedback = read_rubric("ultrafeedback")
    assert [
        (question.name, question.asks, question.low, question.high, question.not_applicable, question.counts)
        for question in ultrafeedback.questions
    ] == [
        ("instruction_following", "all", 1, 5, False, True),
        ("honesty", "all", 1, 5, True, True),
        ("truthfulness", "all", 1, 5, False, True),
        ("helpfulness", "all", 1, 5, False, True),
        ("overall", "each", 1, 10, False, False),
    ]
    assert [ultrafeedback.sampling(question) for question in ultrafeedback.questions] == [
        Sampling(500, 0.0, 0.6)
    ] * 4 + [Sampling(1024, 0.0, 0.6)]
    assert [question.name for question in ultrafeedback.questions if question.repaired] == ["overall"]
    assert read_rubric("pairwise").compares
    assert tomllib.loads(rubric_text("pairwise"))["name"] == "pairwise"


# Faults


def test_every_fault_is_named_at_once():
    questions = [
        {"name": "a", "asks": "each", "text": "{prompt}", "low": 5, "high": 5, "colour": "red"},
        {"name": "a", "asks": "sing", "text": "x"},
        {"name": 3, "asks": "all", "text": "{responses}", "max_tokens": 0, "repaired": True},
    ]
    reported = faults(*questions, temperature=3, seed=1, system=5)
    for words in (
        "unknown key 'seed'",
        "system is 5",
        "question 1: unknown key 'colour'",
        "question 1: text lacks {response}",
        "question 2: asks is 'sing'",
        "question 3: name is 3",
        "question 3: text lacks {prompt}",
        "question 3: max_tokens is 0",
        "two questions are named 'a'",
        "question 'a': low is not below high",
        "question '3': repaired needs",
        "temperature is from 0 to 2",
    ):
        assert any(fault.startswith(words) for fault in reported), words


@pytest.mark.parametrize(
    ("questions", "table", "fault"),
    [
        ([EACH], {"name": ""}, "a rubric needs a name"),
        ([EACH | {"name": ""}], {}, "question 1 has an empty name"),
        ([EACH | {"low": "x"}], {}, "question 1: low is 'x'"),
        ([EACH | {"low": float("nan")}], {}, "question 1: low is nan"),
        ([EACH | {"high": float("inf")}], {}, "question 1: high is inf"),
        ([EACH | {"high": 10**30}], {}, "question 1: high is 1000"),
        ([EACH | {"low": True}], {}, "question 1: low is True"),
        ([EACH | {"low": 10}], {}, "question 'short': low is not below high"),
        ([EACH | {"max_tokens": True}], {}, "question 1: max_tokens is True"),
        ([EACH | {"max_tokens": 1.5}], {}, "question 1: max_tokens is 1.5"),
        ([EACH], {"max_tokens": 10**30}, "max_tokens is 1000"),
        ([EACH], {"temperature": -0.1}, "temperature is from 0 to 2, top_p above 0"),
        ([EACH], {"top_p": 0}, "temperature is from 0 to 2, top_p above 0"),
        ([EACH], {"top_p": 1.1}, "temperature is from 0 to 2, top_p above 0"),
        ([EACH | {"counts": False}], {}, "no question counts"),
        ([EACH | {"repaired": True}], {}, "question 'short': repaired needs"),
        ([PAIR, PAIR | {"name": "b"}], {}, "a rubric has several questions only if all of them rate"),
        ([PAIR | {"text": "{prompt} {response_a}"}], {}, "question 1: text lacks {response_b}"),
        ([{"asks": "pair"}], {}, "question 1: text lacks {prompt}, {response_a}, {response_b}"),
        ([EACH | {"asks": ["each"]}], {}, "question 1: asks is ['each']"),
    ],
)
def test_a_fault_is_named_once(questions, table, fault):
    assert sum(reported.startswith(fault) for reported in faults(*questions, **table)) == 1


@pytest.mark.parametrize("questions", [None, [], [1], "x", {}])
def test_a_rubric_has_a_question(questions):
    with pytest.raises(UsageError, match=r"a rubric needs one \[\[question\]\] or more"):
        parse_rubric({"name": "r"} | ({} if questions is None else {"question": questions}), "r.toml")


@given(
    st.dictionaries(
        st.sampled_from(["name", "asks", "text", "low", "high", "counts", "repaired", "max_tokens", "x"]),
        st.none() | st.booleans() | st.integers() | st.floats() | st.text() | st.lists(st.integers(), max_size=2),
    )
)
def test_any_question_is_a_rubric_or_a_usage_error(question):
    try:
        parsed = rubric(question)
    except UsageError:
        return
    assert parsed.questions[0].low < parsed.questions[0].high


# Files


def test_a_rubric_that_is_not_there_names_those_that_are(tmp_path):
    with pytest.raises(UsageError, match="is no file, and none of pairwise, ultrafeedback"):
        read_rubric(str(tmp_path / "none.toml"))


@pytest.mark.parametrize(("data", "reason"), [(b"name = ", "is not TOML"), (b'name = "\xff"', "is not UTF-8")])
def test_a_file_that_is_no_rubric_is_named(tmp_path, data, reason):
    path = tmp_path / "r.toml"
    path.write_bytes(data)
    with pytest.raises(UsageError, match=f"r.toml: {reason}"):
        read_rubric(str(path))
