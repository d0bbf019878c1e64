"""Questions, answers, and the inquiries that ask and read them."""

import pytest

from real_cli.errors import RecordError
from real_cli.llm.chat import read_completion, request_body, request_key
from real_cli.records.questions import Answer, Completion, Question, Sampling, advance, read_answer

HELLO = Question([{"role": "user", "content": "Hi"}], str)
SCHEMA = {"type": "object"}


def test_a_schema_is_asked_for_strictly_where_it_may_be():
    body = request_body("m", HELLO._replace(schema=SCHEMA))
    assert body["response_format"] == {
        "type": "json_schema",
        "json_schema": {"name": "answer", "strict": True, "schema": SCHEMA},
    }
    assert "response_format" not in request_body("m", HELLO._replace(schema=SCHEMA), constrained=False)


@pytest.mark.parametrize(
    "other",
    [
        HELLO._replace(messages=[{"role": "user", "content": "Ho"}]),
        HELLO._replace(messages=[{"role": "system", "content": "Hi"}]),
        HELLO._replace(sampling=Sampling(8)),
        HELLO._replace(sampling=Sampling(temperature=0.1)),
        HELLO._replace(sampling=Sampling(top_p=0.9)),
        HELLO._replace(schema=SCHEMA),
    ],
)
def test_whatever_changes_the_answer_changes_the_name(other):
    assert request_key("m", other) != request_key("m", HELLO)


def test_how_an_answer_is_read_and_the_order_of_keys_do_not_change_the_name():
    swapped = HELLO._replace(messages=[{"content": "Hi", "role": "user"}], read=int)
    assert request_key("m", swapped) == request_key("m", HELLO)


def test_the_name_is_the_same_tomorrow():
    """Caches and batches of another day are found by it."""
    assert request_key("judge", HELLO) == "b9188d147643ae9010db01eae31c62da"


@pytest.mark.parametrize(
    "body",
    [
        None,
        [],
        "x",
        {},
        {"choices": []},
        {"choices": None},
        {"choices": [None]},
        {"choices": ["x"]},
        {"choices": [{"message": None}]},
        {"choices": [{"message": {}}]},
        {"choices": [{"message": {"content": "A"}}], "usage": [1]},
        {"choices": [{"message": {"content": "A"}}], "usage": {"prompt_tokens": "many"}},
        {"choices": [{"message": {"content": "A"}}], "usage": {"prompt_tokens": float("inf")}},
    ],
)
def test_what_is_no_chat_completion_is_refused(body):
    with pytest.raises(RecordError, match="the server's answer is not a chat completion: "):
        read_completion(body)


@pytest.mark.parametrize("content", [None, 3, ["A"]])
def test_a_completion_without_text_is_refused(content):
    with pytest.raises(RecordError, match="the server's answer holds no text: "):
        read_completion({"choices": [{"message": {"content": content}}]})


@pytest.mark.parametrize(("reason", "is_cut"), [("length", True), ("stop", False), (None, False)])
def test_a_completion_says_what_it_cost_and_whether_it_was_cut(reason, is_cut):
    body = {
        "choices": [{"message": {"content": "A"}, "finish_reason": reason}],
        "usage": {"prompt_tokens": 7, "completion_tokens": 3},
    }
    assert read_completion(body) == Completion("A", is_cut, 7, 3)


def refuse(text):
    raise RecordError(f"unreadable: {text}")


def test_an_unreadable_answer_says_whether_the_limit_cut_it():
    question = HELLO._replace(read=refuse, sampling=Sampling(5))
    with pytest.raises(RecordError, match=r"^unreadable: A \(cut at 5 tokens\)$"):
        read_answer(question, Completion("A", is_cut=True))
    with pytest.raises(RecordError, match=r"^unreadable: A$"):
        read_answer(question, Completion("A"))


def test_a_cut_answer_that_can_be_read_is_an_answer():
    assert read_answer(HELLO, Completion("A", is_cut=True)) == Answer("A", "A", is_cut=True)


def test_an_inquiry_may_ask_again_after_it_has_seen_answers():
    def twice():
        first = yield [HELLO]
        second = yield [HELLO, HELLO]
        return [answer.value for answer in first + second]

    inquiry = twice()
    assert advance(inquiry, None) == ([HELLO], [])
    assert advance(inquiry, [Answer("", 1)]) == ([HELLO, HELLO], [])
    assert advance(inquiry, [Answer("", 2), Answer("", 3)]) == ([], [[1, 2, 3]])
