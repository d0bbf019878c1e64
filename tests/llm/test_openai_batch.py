"""Batch files: OpenAI's format out and in."""

import io
import json

import pytest

from real_cli.errors import RealError, RecordError
from real_cli.llm.chat import request_key
from real_cli.llm.cost import Ledger
from real_cli.llm.openai_batch import BatchWriter, ResultsAlone, Waiting, read_results
from real_cli.records.questions import Completion, Question, Sampling
from tests.servers import completion

HELLO = Question([{"role": "user", "content": "Hi"}], str, Sampling(8), {"type": "object"})
OTHER = HELLO._replace(messages=[{"role": "user", "content": "Ho"}])


def result(name="k", body=None, **changes):
    body = completion("A") if body is None else body
    return {"id": "x", "custom_id": name, "response": {"status_code": 200, "body": body}, "error": None} | changes


def read(tmp_path, *lines):
    path = tmp_path / "results.jsonl"
    path.write_bytes(b"".join(line if isinstance(line, bytes) else json.dumps(line).encode() + b"\n" for line in lines))
    return read_results(path)


def test_a_question_is_a_line_of_a_batch_each_once():
    file = io.BytesIO()
    writer = BatchWriter(Ledger("m", {}), file)
    for answers in (writer([HELLO, OTHER]), writer([HELLO])):
        assert all(isinstance(answer, Waiting) for answer in answers)
    first, second = map(json.loads, file.getvalue().splitlines())
    assert (writer.num_written, first["custom_id"], second["custom_id"]) == (
        2,
        request_key("m", HELLO),
        request_key("m", OTHER),
    )
    assert {name: first[name] for name in ("method", "url")} == {"method": "POST", "url": "/v1/chat/completions"}
    assert first["body"]["messages"] == HELLO.messages
    assert first["body"]["response_format"]["json_schema"]["schema"] == {"type": "object"}


def test_answers_are_read_by_their_name_in_any_order(tmp_path):
    read_back = read(tmp_path, result("b", completion("B")), b"\n", result("a"))
    assert read_back == {"b": Completion("B", False, 7, 3), "a": Completion("A", False, 7, 3)}


@pytest.mark.parametrize(
    ("line", "reason"),
    [
        (result(error={"message": "expired"}, response=None), 'the batch has no answer: \'{"message":"expired"}\''),
        (result(response=None), "the batch has no answer: 'null'"),
        (
            result(response={"status_code": 429, "body": {"error": "slow"}}),
            'the batch was answered 429: \'{"error":"slow"}\'',
        ),
        (result(body={"choices": []}), "the server's answer is not a chat completion: {'choices': []}"),
        (result(body=completion(None)), "the server's answer holds no text: "),
    ],
)
def test_a_line_without_an_answer_says_why(tmp_path, line, reason):
    problem = read(tmp_path, line)["k"]
    assert isinstance(problem, RecordError)
    assert str(problem).startswith(reason)


@pytest.mark.parametrize("turned", [False, True])
def test_of_two_lines_the_good_one_wins(tmp_path, turned):
    lines = [result(), result(response={"status_code": 500})]
    assert read(tmp_path, *(lines[::-1] if turned else lines)) == {"k": Completion("A", False, 7, 3)}


@pytest.mark.parametrize(
    ("line", "reason"),
    [
        (b"{\n", "results.jsonl:2: a JSON object that spans lines"),
        (b"[1]\n", "results.jsonl:2: a JSON array"),
        (
            b'{"prompt": "q"}\n',
            "results.jsonl:2: is not a result of a batch: .*; 'custom_id' and 'response' are needed",
        ),
        (b'{"custom_id": 3, "response": {}}\n', "results.jsonl:2: is not a result of a batch"),
    ],
)
def test_a_line_that_is_no_result_is_named(tmp_path, line, reason):
    with pytest.raises(RealError, match=reason):
        read(tmp_path, result(), line)


def test_a_file_of_another_encoding_is_named(tmp_path):
    with pytest.raises(RealError, match="results.jsonl:1: text is UTF-16"):
        read(tmp_path, "x".encode("utf-16"))


def test_without_anybody_to_ask_the_reason_is_that_of_the_results():
    ledger = Ledger("m", {}, {request_key("m", HELLO): RecordError("expired")})
    assert ledger.known(HELLO) is ledger.known(OTHER) is None
    first, second = ResultsAlone(ledger)([HELLO, OTHER])
    assert str(first) == "expired"
    assert str(second) == "the results hold no answer to it; --emit-requests writes what is missing"
