"""Questions to a server: what it may answer, what it costs, what it is told, and what it must never be told."""

import asyncio
import json

import pytest

from real_cli.errors import RealError, RecordError, UsageError
from real_cli.llm.endpoint import Endpoint, Server
from real_cli.records.questions import Completion, Question, Sampling
from tests import servers
from tests.servers import Reply, fails, in_turn, says

HELLO = Question([{"role": "user", "content": "Hi"}], str)
HELD = HELLO._replace(schema={"type": "object"})
KEY = "sk-a-secret-of-mine"
GOOD = Completion("A", False, 7, 3)


def ask(url, *questions, notes=None, **changes):
    """Ask one question after the other; returns completions and errors."""
    server = Server(url, "m", "REAL_API_KEY", 1, 5.0)._replace(**changes)
    endpoint = Endpoint(server, (notes if notes is not None else []).append)

    async def run():
        await endpoint.open()
        completions = []
        for question in questions:
            try:
                completions.append(await endpoint.ask(question))
            except RealError as error:
                completions.append(error)
        await endpoint.close()
        return completions

    return asyncio.run(run())


def answer(script, question=HELLO, **changes):
    """Ask one question of a server that follows a script; returns what came of it, and the requests."""
    with servers.Server(script) as server:
        (outcome,) = ask(server.url, question, **changes)
    return outcome, server.requests


def test_an_answer_comes_with_what_it_cost():
    outcome, (request,) = answer(in_turn(says("A")))
    assert outcome == GOOD
    assert request.path == "/v1/chat/completions"
    assert request.body == {
        "model": "m",
        "messages": HELLO.messages,
        "max_tokens": 512,
        "temperature": 0.0,
        "top_p": 1.0,
    }


@pytest.mark.parametrize(
    "first", [fails(429), fails(500), fails(503), fails(408), fails(409), Reply(b"", cut="before")]
)
def test_what_may_pass_is_asked_again(first):
    outcome, requests = answer(in_turn(first, says("A")))
    assert outcome == GOOD
    assert len(requests) == 2


def test_an_answer_cut_within_its_body_is_asked_again_or_costs_its_record():
    outcome, requests = answer(in_turn(says("A", cut="within")))
    assert isinstance(outcome, RecordError)
    assert str(outcome).startswith("the connection was cut (2 attempts): ")
    assert len(requests) == 2


@pytest.mark.parametrize("num_retries", [0, 1, 3])
def test_retries_are_counted(num_retries):
    outcome, requests = answer(in_turn(fails(429, "slow down")), num_retries=num_retries)
    attempts = f" ({num_retries + 1} attempts)" if num_retries else ""
    assert str(outcome) == f"the server answered 429{attempts}: slow down"
    assert type(outcome) is RecordError
    assert len(requests) == num_retries + 1


@pytest.mark.parametrize(
    ("reply", "reason"),
    [
        (Reply(b'{"choices": [{"mess'), "the server's answer is not JSON: '{\"choices\": [{\"mess'"),
        (Reply(b"<html>Bad gateway</html>"), "the server's answer is not JSON: '<html>Bad gateway</html>'"),
        (Reply(b""), "the server's answer is not JSON: ''"),
        (Reply(b"\xff\xfe"), "the server's answer is not JSON: "),
        (Reply(b"[" * 100_000), "the server's answer is not JSON: "),
        (Reply(b'{"choices": [{"message": {"content": "\\ud800"}}]}'), "the server's answer is not JSON: "),
        (Reply(b'{"choices": []}'), "the server's answer is not a chat completion: {'choices': []}"),
        (Reply(b"null"), "the server's answer is not a chat completion: None"),
        (
            Reply(b'{"choices": [{"message": {"content": null}}]}'),
            "the server's answer holds no text: {'message': {'content': None}}",
        ),
        (fails(400, "too long"), "the server answered 400: too long"),
        (Reply(b"<html>\n\n no </html>", 400), "the server answered 400: <html> no </html>"),
        (Reply(b"", 418), "the server answered 418: I'm a Teapot"),
        (Reply(b'{"detail": "sorry"}', 422), "the server answered 422: sorry"),
        (Reply(b'{"error": "plain"}', 400), "the server answered 400: plain"),
        (Reply(b'{"error": {"message": 7}}', 400), "the server answered 400: 7"),
        (fails(500, "\n".join(["lines"] * 100)), "the server answered 500 (2 attempts): lines lines"),
    ],
)
def test_a_wrong_answer_costs_its_record_and_names_its_reason(reply, reason):
    outcome, requests = answer(in_turn(reply))
    assert type(outcome) is RecordError
    assert str(outcome).startswith(reason)
    assert "\n" not in str(outcome)
    assert len(str(outcome)) < 300
    assert len(requests) == (2 if reply.status >= 500 else 1)


def test_a_slow_answer_costs_its_record():
    outcome, requests = answer(in_turn(says("A", seconds=0.5)), timeout_seconds=0.1, num_retries=0)
    assert type(outcome) is RecordError
    assert str(outcome) == "no answer within 0.1 seconds"
    assert len(requests) == 1


@pytest.mark.parametrize(
    ("status", "hint"),
    [(401, "check the key"), (403, "check the key"), (404, "check the address and the model's name")],
)
def test_a_fault_of_every_question_ends_the_run(status, hint):
    outcome, requests = answer(in_turn(fails(status, "no")))
    assert isinstance(outcome, RealError)
    assert not isinstance(outcome, RecordError)
    assert str(outcome).endswith(f"/v1: {status} no; {hint}")
    assert len(requests) == 1


def test_nobody_who_listens_ends_the_run():
    (outcome,) = ask(f"http://127.0.0.1:{servers.free_port()}/v1", HELLO, num_retries=0)
    assert not isinstance(outcome, RecordError)
    assert str(outcome).endswith("; is the server running?")
    assert ": cannot be reached: " in str(outcome)


# Schemas


def refuses_schemas(request):
    return fails(400, "unknown field") if "response_format" in request.body else says("A")


def test_a_server_that_takes_no_schema_is_asked_without_and_that_is_told_once():
    notes = []
    with servers.Server(refuses_schemas) as server:
        assert ask(server.url, HELD, HELD, HELD, notes=notes) == [GOOD] * 3
    assert ["response_format" in request.body for request in server.requests] == [True, False, False, False]
    assert notes == ["the server takes no JSON schema: answers are read as they come"]


def test_a_question_that_is_refused_for_itself_leaves_the_schema_to_the_others():
    def script(request):
        return fails(400, "too long") if "long" in request.words else says("A")

    notes = []
    long = HELD._replace(messages=[{"role": "user", "content": "long"}])
    with servers.Server(script) as server:
        refused, good = ask(server.url, long, HELD, notes=notes)
    assert str(refused) == "the server answered 400: too long"
    assert good == GOOD
    assert ["response_format" in request.body for request in server.requests] == [True, False, True]
    assert notes == []


# Several answers


def refuses_several(request):
    return fails(422, "n must be 1") if "n" in request.body else says("A")


SEVERAL = HELLO._replace(sampling=Sampling(num_choices=3))


def test_a_server_that_takes_no_n_is_asked_one_by_one_and_that_is_told_once():
    notes = []
    with servers.Server(refuses_several) as server:
        assert ask(server.url, SEVERAL, SEVERAL, HELLO, notes=notes) == [GOOD] * 3
    assert [request.body.get("n") for request in server.requests] == [3, None, None, None]
    assert notes == ["the server takes no 'n' above 1: responses are asked for one by one"]


def test_a_question_that_is_refused_for_itself_leaves_n_to_the_others():
    def script(request):
        return fails(400, "too long") if "long" in request.words else says("A")

    notes = []
    long = SEVERAL._replace(messages=[{"role": "user", "content": "long"}])
    with servers.Server(script) as server:
        refused, good = ask(server.url, long, SEVERAL, notes=notes)
    assert str(refused) == "the server answered 400: too long"
    assert good == GOOD
    assert [request.body.get("n") for request in server.requests] == [3, None, 3]
    assert notes == []


def test_a_server_that_takes_neither_schema_nor_n_is_asked_without_both():
    def script(request):
        return fails(400) if {"n", "response_format"} & request.body.keys() else says("A")

    notes = []
    both = SEVERAL._replace(schema=HELD.schema)
    with servers.Server(script) as server:
        assert ask(server.url, both, both, notes=notes) == [GOOD] * 2
    assert len(notes) == 2
    assert not {"n", "response_format"} & server.requests[-1].body.keys()
    assert len(server.requests) == 5


# Keys


def test_only_the_key_that_is_meant_for_the_server_is_sent(monkeypatch):
    secrets = {
        "OPENAI_API_KEY": "sk-other",
        "OPENAI_ADMIN_KEY": "sk-admin",
        "OPENAI_ORG_ID": "org-other",
        "OPENAI_PROJECT_ID": "proj-other",
        "OPENAI_CUSTOM_HEADERS": "X-Other: custom-other\nAuthorization: Bearer custom-auth",
        "HF_TOKEN": "hf_other",
        "REAL_API_KEY": KEY,
    }
    for name, value in secrets.items():
        monkeypatch.setenv(name, value)
    _, (request,) = answer(in_turn(says("A")))
    assert request.headers["authorization"] == f"Bearer {KEY}"
    sent = json.dumps([request.headers, request.body])
    for word in ("other", "admin", "custom"):
        assert word not in sent


def test_without_a_key_none_is_sent(monkeypatch):
    monkeypatch.delenv("REAL_API_KEY", raising=False)
    monkeypatch.setenv("OPENAI_API_KEY", "sk-other")
    _, (request,) = answer(in_turn(says("A")))
    assert request.headers["authorization"] == "Bearer none"


def test_the_server_is_told_nothing_of_this_machine():
    _, (request,) = answer(in_turn(says("A")))
    assert set(request.headers) <= {
        "host",
        "accept",
        "accept-encoding",
        "connection",
        "user-agent",
        "content-type",
        "content-length",
        "authorization",
        "x-stainless-retry-count",
        "x-stainless-read-timeout",
        "x-stainless-raw-response",
        "idempotency-key",
    }
    assert request.headers["user-agent"] == "real"


@pytest.mark.parametrize(
    "reply",
    [fails(400, f"bad key {KEY}"), fails(401, f"bad key {KEY}"), Reply(f"<b>{KEY}</b>".encode()), fails(500, KEY * 20)],
)
def test_a_server_that_repeats_the_key_does_not_bring_it_into_a_message(monkeypatch, reply):
    monkeypatch.setenv("REAL_API_KEY", KEY)
    outcome, _ = answer(in_turn(reply))
    assert "***" in str(outcome)
    assert "sk-a" not in str(outcome)


def test_the_line_end_of_a_key_from_a_file_is_no_part_of_it(monkeypatch):
    monkeypatch.setenv("REAL_API_KEY", f" {KEY}\n")
    _, (request,) = answer(in_turn(says("A")))
    assert request.headers["authorization"] == f"Bearer {KEY}"


@pytest.mark.parametrize("key", ["a\nb", "schlüssel", "a\tb"])
def test_what_no_key_can_be_is_told_without_it(monkeypatch, key):
    monkeypatch.setenv("REAL_API_KEY", key)
    with pytest.raises(UsageError) as caught:
        ask("http://127.0.0.1:1/v1")
    assert (
        str(caught.value)
        == "--key-variable REAL_API_KEY: holds spaces or characters that no key has; give the key alone"
    )


# Addresses


@pytest.mark.parametrize(
    "url", ["", "localhost:8000/v1", "ftp://x/v1", "http://", "http://x:port/v1", "http://x:99999/v1", "http://:80/v1"]
)
def test_an_address_is_needed(url):
    with pytest.raises(UsageError, match="an address is needed, as http://localhost:8000/v1"):
        ask(url)


def test_a_key_in_the_address_is_refused_and_not_repeated():
    with pytest.raises(UsageError) as caught:
        ask(f"http://me:{KEY}@localhost/v1")
    assert KEY not in str(caught.value)
