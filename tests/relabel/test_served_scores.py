"""`real relabel reward --endpoint` against servers of vLLM's and TEI's kind, two of which run a real tiny model."""

import json
import os
import pickle
import signal
import subprocess
import sys
import time

import pytest
from typer.testing import CliRunner

from real_cli.app import app
from real_cli.llm.served import batched_endpoint
from real_cli.models.reward.reward_models import load_reward_model
from real_cli.models.reward.reward_texts import RewardInput
from real_cli.relabel.reward.command import RewardOptions
from tests.reward_folders import CHAT_TEMPLATE, save_reward_model
from tests.served import asked, lengths, scores
from tests.servers import Reply, Server, fails, in_turn

RECORDS = [
    {"id": 1, "prompt": "the cat", "responses": [{"text": "sat on the mat"}, {"text": "ran"}, {"text": "no"}]},
    {"id": 2, "prompt": "why", "chosen": "the dog ran", "rejected": "yes"},
    {
        "id": 3,
        "prompt": [
            {"role": "user", "content": "how"},
            {"role": "assistant", "content": "big"},
            {"role": "user", "content": "no"},
        ],
        "responses": [{"text": "the red log"}, {"text": [{"role": "assistant", "content": "it ran"}]}],
    },
]
ROUTES = ["classify", "pooling", "score", "predict"]


@pytest.fixture(autouse=True)
def patient(monkeypatch):
    """A busy machine reads records slowly; the five pairs of a test fill a request none the less."""
    monkeypatch.setattr(batched_endpoint, "LINGER_SECONDS", 0.3)


def lines(records):
    return "".join(json.dumps(record) + "\n" for record in records).encode()


def run(*words, records=RECORDS, status=0):
    """Score records; returns what was written and what was said."""
    words = ["relabel", "reward", *map(str, words)]
    result = CliRunner().invoke(app, words, input=lines(records), prog_name="real")
    assert result.exit_code == status, f"{result.exit_code}: {result.stderr}{result.exception}"
    return [json.loads(line) for line in result.stdout.splitlines()], result.stderr


def ask(server, tmp_path, *words, **settings):
    address = [
        "--endpoint",
        server.url,
        "-m",
        "m",
        "--cache",
        tmp_path / "cache",
        "--retries",
        "1",
        "--per-request",
        "5",
    ]
    return run(*address, *words, **settings)


def scores_of(records):
    """All scores, in the order of records and responses."""
    scores = []
    for record in records:
        scores += [response["score"] for response in record.get("responses", [])]
        scores += [record[name] for name in ("score_chosen", "score_rejected") if name in record]
    return scores


LENGTHS = [
    -float(len(text)) for text in ("the cat|sat on the mat", "the cat|ran", "the cat|no", "why|the dog ran", "why|yes")
]


@pytest.fixture(scope="module")
def chatty(tmp_path_factory):
    return save_reward_model(tmp_path_factory.mktemp("chatty"), chat_template=CHAT_TEMPLATE)


@pytest.fixture(scope="module")
def encoder(tmp_path_factory):
    return save_reward_model(tmp_path_factory.mktemp("encoder"), "bert", pad_token_id=0)


def served(folder):
    """A server that lays texts out as vLLM and TEI do, and scores them by a real model."""
    model = load_reward_model(str(folder), device="cpu")
    tokenizer = model.tokenizer

    def encode(body):
        if "messages" in body:
            text = tokenizer.apply_chat_template(
                body["messages"], tokenize=False, add_generation_prompt=body["add_generation_prompt"]
            )
            return [tokenizer(text, add_special_tokens=False)]
        if "input" in body:
            return [{"input_ids": ids} for ids in body["input"]]
        pairs = zip(body["text_1"], body["text_2"], strict=True) if "text_1" in body else body["inputs"]
        return [tokenizer(first, second) for first, second in pairs]

    def script(request):
        inputs = [
            RewardInput(tuple(row["input_ids"]), tuple(row.get("token_type_ids", ()))) for row in encode(request.body)
        ]
        return scores(request, [model.logits([each]) for each in inputs])

    return Server(script)


@pytest.mark.parametrize("words", [["--api", "classify"], ["--api", "pooling"], ["--tokenizer", "HERE"]])
def test_a_server_scores_a_chat_model_as_it_is_scored_here(tmp_path, chatty, words):
    here, _ = run("--model", chatty)
    with served(chatty) as server:
        there, stderr = ask(server, tmp_path, *[chatty if word == "HERE" else word for word in words])
    assert scores_of(there) == pytest.approx(scores_of(here), abs=1e-6)
    assert len(set(scores_of(there))) == 7
    assert "7 responses scored" in stderr
    assert "without their roles" not in stderr


@pytest.mark.parametrize("route", ["score", "predict"])
def test_a_server_scores_pairs_as_they_are_scored_here(tmp_path, encoder, route):
    here, local = run("--model", encoder)
    with served(encoder) as server:
        there, stderr = ask(server, tmp_path, "--api", route)
        assert {request.path for request in server.requests} == {f"/{route}"}
    assert scores_of(there) == pytest.approx(scores_of(here), abs=1e-6)
    assert "1 conversations read without their roles" in local
    assert "1 conversation read without their roles" in stderr


def test_what_is_sent_is_what_the_manual_says(tmp_path):
    record = {"prompt": "q", "chat_template_kwargs": {"x": 1}, "responses": [{"text": "a"}]}
    with Server(lengths) as server:
        for route in ROUTES:
            ask(server, tmp_path, "--api", route, records=[record])
    classify, pooling, score, predict = (request.body for request in server.requests)
    messages = [{"role": "user", "content": "q"}, {"role": "assistant", "content": "a"}]
    raw = {"model": "m", "use_activation": False}
    conversation = {"messages": messages, "add_generation_prompt": False, "chat_template_kwargs": {"x": 1}}
    assert classify == pooling == raw | conversation
    assert score == raw | {"text_1": ["q"], "text_2": ["a"]}
    assert predict == {"inputs": [["q", "a"]], "raw_scores": True, "truncate": False}


def test_a_prompt_that_begins_the_answer_is_sent_as_one_message(tmp_path):
    prompt = [{"role": "user", "content": "Hi"}, {"role": "assistant", "content": "Well, "}]
    with Server(lengths) as server:
        ask(server, tmp_path, records=[{"prompt": prompt, "responses": [{"text": "hello."}]}])
    assert server.requests[0].body["messages"][1:] == [{"role": "assistant", "content": "Well, hello."}]


def test_tools_that_a_server_would_not_see_are_refused_unless_they_are_laid_out_here(tmp_path, chatty):
    tool = {"type": "function", "function": {"name": "f", "parameters": {"type": "object", "properties": {}}}}
    record = {"prompt": "q", "tools": [tool], "responses": [{"text": "a"}]}
    with Server(lengths) as server:
        _, stderr = ask(server, tmp_path, records=[record], status=1)
        assert not server.requests
        assert "<stdin>:1: field 'tools' is" in stderr
        ask(server, tmp_path, "--tokenizer", chatty, records=[record])


def test_a_sequence_is_cut_here_as_for_a_model_at_hand(tmp_path, chatty):
    records = [{"prompt": "the cat " * 40, "responses": [{"text": "sat on the mat"}]}]
    here, local = run("--model", chatty, "--max-length", 16, records=records)
    with served(chatty) as server:
        there, stderr = ask(server, tmp_path, "--tokenizer", chatty, "--max-length", 16, records=records)
    assert len(server.requests[0].body["input"][0]) == 16
    assert scores_of(there) == pytest.approx(scores_of(here), abs=1e-6)
    assert "1 cut to 16 tokens, at the prompt's beginning" in local
    assert "1 cut to 16 tokens, at the prompt's beginning" in stderr


@pytest.mark.parametrize("route", ROUTES)
def test_pairs_go_out_together_conversations_alone_and_none_is_paid_for_twice(tmp_path, route):
    with Server(lengths) as server:
        first, stderr = ask(server, tmp_path, "--api", route, "--price", 1, records=RECORDS[:2])
        assert scores_of(first) == LENGTHS
        assert len(server.requests) == (5 if route in ("classify", "pooling") else 1)
        tokens = "" if route == "predict" else ", 50 tokens, $0.00005"
        assert tokens in stderr
        again, stderr = ask(server, tmp_path, "--api", route, records=RECORDS[:2])
        assert again == first
        assert "0 requests (5 answers known)" in stderr
        other, _ = ask(server, tmp_path, "--api", route, "--field", "score_m", records=RECORDS[:2])
        assert other[1]["score_m_chosen"] == LENGTHS[3]


@pytest.mark.parametrize("route", ROUTES)
@pytest.mark.parametrize("first", [fails(429), fails(500), Reply(b"", cut="before"), Reply(b"{}" * 9, cut="within")])
def test_what_may_pass_is_asked_again(tmp_path, route, first):
    with Server(in_turn(first, lengths)) as server:
        written, _ = ask(server, tmp_path, "--api", route, "--concurrency", 1, records=RECORDS[:2])
    assert scores_of(written) == LENGTHS


WRONG = {
    "classify": [{}, {"data": []}, {"data": [{"index": 0, "probs": ["x"]}]}, {"data": [{"index": 7, "probs": [1]}]}],
    "pooling": [{"data": [{"index": 0, "data": "AAAA"}]}, {"data": [{"index": 0, "data": [[]]}]}, [1]],
    "score": [{"data": [{"index": 0, "score": None}]}, {"data": [{"index": 0, "score": True}]}, {"data": 3}],
    "predict": [[], [[]], [[{"label": "LABEL_0"}]], [3], {"error": "?"}],
}


@pytest.mark.parametrize(("route", "body"), [(route, body) for route, bodies in WRONG.items() for body in bodies])
def test_a_wrong_answer_costs_its_own_record_alone(tmp_path, route, body):
    def script(request):
        if "the cat|no" in asked(request) and len(asked(request)) == 1:
            return Reply(json.dumps(body).encode())
        return fails(413, "one at a time") if len(asked(request)) > 1 else lengths(request)

    with Server(script) as server:
        written, stderr = ask(
            server, tmp_path, "--api", route, "--rejects", tmp_path / "r", records=RECORDS[:2], status=3
        )
        assert [record["id"] for record in written] == [2]
        rejected = json.loads((tmp_path / "r").read_text())
        assert rejected["place"] == "<stdin>:1"
        assert rejected["reason"].startswith(("the server's answer", "the server's score"))
        assert stderr.endswith("1 rejected\n")
        server.script = lengths
        whole, _ = ask(server, tmp_path, "--api", route, records=RECORDS[:2])
    assert scores_of(whole) == LENGTHS


def test_of_a_model_that_answers_for_each_token_the_last_counts(tmp_path):
    def script(request):
        return scores(request, [[[9.0], [8.0], [-3.0]]])

    with Server(script) as server:
        written, _ = ask(server, tmp_path, "--api", "pooling", records=RECORDS[:1])
    assert scores_of(written) == [-3.0] * 3


@pytest.mark.parametrize("route", ["classify", "predict"])
def test_which_label_is_the_score_is_said_and_changing_it_costs_nothing(tmp_path, route):
    with Server(lambda request: scores(request, [[0.5, -7.0, 3.0]] * len(asked(request)))) as server:
        _, stderr = ask(server, tmp_path, "--api", route, records=RECORDS[:1], status=2)
        assert stderr.startswith("real: model 'm' has several labels; say with --label which is the score: ")
        written, _ = ask(server, tmp_path, "--api", route, "--label", 1, records=RECORDS[:1])
        num_requests = len(server.requests)
        other, _ = ask(server, tmp_path, "--api", route, "--label", 2, records=RECORDS[:1])
        _, stderr = ask(server, tmp_path, "--api", route, "--label", 3, records=RECORDS[:1], status=2)
        assert len(server.requests) == num_requests
    assert (scores_of(written), scores_of(other)) == ([-7.0] * 3, [3.0] * 3)
    assert stderr.startswith("real: --label 3: is no label of the model; ")


def test_scores_that_look_like_probabilities_are_told(tmp_path):
    with Server(lambda request: scores(request, [[0.25]])) as server:
        _, stderr = ask(server, tmp_path)
    assert "all between 0 and 1: the server may have applied a sigmoid" in stderr


def test_a_route_that_is_not_there_names_the_option(tmp_path):
    with Server(in_turn(fails(404, "Not Found"))) as server:
        _, stderr = ask(server, tmp_path, status=1)
    assert stderr == f"real: {server.url}: 404 Not Found; check the address, the model's name, and --api\n"


def test_killed_half_way_and_started_again_nothing_is_paid_for_twice(tmp_path):
    records = [{"id": n, "prompt": f"q{n}", "responses": [{"text": "a" * n}]} for n in range(1, 25)]
    (tmp_path / "in.jsonl").write_bytes(lines(records))
    with Server(lambda request: lengths(request, seconds=0.05)) as server:
        words = ["relabel", "reward", "--endpoint", server.url, "-m", "m", "--cache", tmp_path / "cache"]
        words = [sys.executable, "-m", "real_cli", *map(str, words), "--concurrency", "1", tmp_path / "in.jsonl"]
        process = subprocess.Popen(words, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
        deadline = time.monotonic() + 30
        while len(server.requests) < 7:
            assert time.monotonic() < deadline
            time.sleep(0.005)
        os.kill(process.pid, signal.SIGKILL)
        process.wait()
        done = subprocess.run(words, check=True, capture_output=True)
        texts = [text for request in server.requests for text in asked(request)]
    assert 24 <= len(texts) <= 25
    assert scores_of(map(json.loads, done.stdout.splitlines())) == [
        -float(len(f"q{n}|" + "a" * n)) for n in range(1, 25)
    ]


@pytest.mark.parametrize(
    ("words", "complaint"),
    [
        (["--pairwise"], "--pairwise: not read where a server answers; leave it out"),
        (["--no-chat-template"], "--no-chat-template: not read where a server answers; leave it out"),
        (["--device", "cpu"], "--device: not read where a server answers; leave it out"),
        (["--max-length", "9"], "--max-length: the server cuts, or refuses, what is too long; give --tokenizer to cut"),
        (["--api", "score", "--tokenizer", "t"], "--tokenizer: --api score takes texts and no token ids; leave it out"),
    ],
)
def test_options_that_nobody_would_read_are_refused(tmp_path, words, complaint):
    with Server(lengths) as server:
        _, stderr = ask(server, tmp_path, *words, status=2)
        assert not server.requests
    assert stderr.startswith(f"real: {complaint}")


def test_options_of_a_server_are_refused_without_one():
    _, stderr = run("-m", "m", "--api", "score", "--tokenizer", "t", status=2)
    assert stderr == "real: --api, --tokenizer: not read where a model on this machine answers; leave it out\n"


def test_a_tokenizer_without_a_chat_template_is_refused(tmp_path, encoder):
    with Server(lengths) as server:
        _, stderr = ask(server, tmp_path, "--tokenizer", encoder, status=2)
    assert stderr == f"real: --tokenizer {encoder}: it has no chat template; leave it out, and give --api score\n"


def test_the_work_can_be_sent_to_another_process():
    work = RewardOptions(model="m", endpoint="http://h").record_filter()
    assert pickle.loads(pickle.dumps(work)).sentence() == work.sentence()
