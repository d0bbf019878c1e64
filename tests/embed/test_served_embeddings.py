"""`real embed --endpoint` against scripted servers: what is sent, written and paid for, and what may go wrong."""

import json
import os
import re
import signal
import subprocess
import sys
import time
from pathlib import Path

import numpy as np
import pytest
from typer.testing import CliRunner

from real_cli.app import app
from real_cli.llm.served import batched_endpoint
from tests.served import WIDTH, embeds, in_base64, vector_of
from tests.servers import Reply, Server, drips, fails, in_turn

RECORDS = [
    {"id": n, "prompt": f"q{n}", "responses": [{"text": f"a{n}", "score": n}, {"text": f"b{n}", "score": 0}]}
    for n in range(12)
]


@pytest.fixture(autouse=True)
def patient(monkeypatch):
    """A busy machine reads records slowly; the 24 texts of a test fill a request none the less."""
    monkeypatch.setattr(batched_endpoint, "LINGER_SECONDS", 0.3)


def lines(records):
    return "".join(json.dumps(record) + "\n" for record in records).encode()


def words_of(server, tmp_path, *words):
    address = ["--endpoint", server.url, "-m", "m", "--cache", tmp_path / "cache"]
    return ["embed", *address, "--retries", "1", "--per-request", "24", *words]


def run(server, tmp_path, *words, records=RECORDS, status=0):
    """Embed records; returns what was written and what was said."""
    words = [str(word) for word in words_of(server, tmp_path, *words)]
    result = CliRunner().invoke(app, words, input=lines(records), prog_name="real")
    assert result.exit_code == status, f"{result.exit_code}: {result.stderr}{result.exception}"
    return result.stdout, result.stderr


def expected(records=RECORDS, width=WIDTH):
    return [
        record
        | {
            "responses": [
                response | {"embedding": [float(number) for number in vector_of(response["text"], width)]}
                for response in record["responses"]
            ]
        }
        for record in records
    ]


def read(stdout):
    return [json.loads(line) for line in stdout.splitlines()]


def same(stdout, records=RECORDS, width=WIDTH):
    """Whether these records, in order, were written with their own vectors."""
    written = read(stdout)
    rounded = [
        record
        | {
            "responses": [
                response | {"embedding": [float(np.float32(number)) for number in response["embedding"]]}
                for response in record["responses"]
            ]
        }
        for record in written
    ]
    return bool(records) and rounded == expected(records, width)


def texts(server):
    """Every text that a server was sent."""
    return [text for request in server.requests for text in request.body["input"]]


def test_texts_go_out_together_and_vectors_come_back_by_their_index(tmp_path):
    with Server(embeds) as server:
        stdout, stderr = run(server, tmp_path, "--price", 2)
        (request,) = server.requests
    assert same(stdout)
    assert request.path == "/v1/embeddings"
    assert request.body == {"model": "m", "input": texts(server), "encoding_format": "base64"}
    assert len(texts(server)) == len(set(texts(server))) == 24
    assert stderr == "real: 24 texts embedded; 1 request (0 answers known), 52 tokens, $0.0001\n"


def test_the_bytes_are_those_of_each_encoding_and_field(tmp_path):
    with Server(embeds) as server:
        stdout, _ = run(server, tmp_path, "--encoding", "base64")
        assert set(read(stdout)[0]["responses"][0]) == {"text", "score", "embedding"}
        assert read(stdout)[0]["responses"][0]["embedding"] == in_base64(vector_of("a0"))
        prompts, _ = run(server, tmp_path, "--field", "prompt")
    assert np.allclose(read(prompts)[3]["embedding"], vector_of("q3"))


def test_a_server_that_sends_numbers_gives_the_same_bytes(tmp_path):
    with Server(embeds) as server:
        packed, _ = run(server, tmp_path / "a")
        server.script = lambda request: embeds(request, encode=lambda vector: [float(number) for number in vector])
        plain, _ = run(server, tmp_path / "b")
    assert packed == plain
    assert same(packed)


def test_what_was_paid_for_is_not_asked_again(tmp_path):
    with Server(embeds) as server:
        first, _ = run(server, tmp_path)
        num_requests = len(server.requests)
        again, stderr = run(server, tmp_path)
        assert len(server.requests) == num_requests
        run(server, tmp_path, "--no-cache", "--cache", tmp_path, status=2)
    assert first == again
    assert "0 requests (24 answers known), 0 tokens" in stderr


def test_dimensions_are_asked_for_and_belong_to_the_question(tmp_path):
    with Server(embeds) as server:
        run(server, tmp_path)
        stdout, _ = run(server, tmp_path, "--dimensions", 4)
        assert server.requests[-1].body["dimensions"] == 4
        assert same(stdout, width=4)
        server.script = lambda request: embeds(request._replace(body=request.body | {"dimensions": 5}))
        _, stderr = run(server, tmp_path, "--dimensions", 3, status=3)
    assert "has 5 numbers where 3 are expected" in stderr


@pytest.mark.parametrize(
    "first", [fails(429), fails(500), fails(503), Reply(b"", cut="before"), Reply(b"{}" * 50, cut="within")]
)
def test_what_may_pass_is_asked_again_and_no_record_is_lost(tmp_path, first):
    with Server(in_turn(first, embeds)) as server:
        stdout, _ = run(server, tmp_path)
    assert same(stdout)
    assert len(server.requests) == 2


def swapped(request):
    """One vector too few, the wrong places, or the like, in requests of several texts."""
    return embeds(request, change=lambda entries: entries[1:] if len(entries) > 1 else entries)


def doubled(request):
    return embeds(request, change=lambda entries: [entry | {"index": 0} for entry in entries])


def nameless(request):
    return embeds(request, change=lambda entries: [{"embedding": entry["embedding"]} for entry in entries[1:]])


@pytest.mark.parametrize("script", [swapped, doubled], ids=["too few", "one index"])
def test_a_reply_that_does_not_fit_its_questions_is_asked_for_once_more_a_text_a_request(tmp_path, script):
    with Server(script) as server:
        stdout, _ = run(server, tmp_path)
    assert same(stdout)
    assert len(server.requests) == 1 + 24


def test_a_server_that_never_fits_costs_its_records_and_no_more_than_twice_their_price(tmp_path):
    with Server(nameless) as server:
        stdout, stderr = run(server, tmp_path, "--rejects", tmp_path / "rejects", status=3)
    assert (stdout, len(server.requests)) == ("", 25)
    rejected = read((tmp_path / "rejects").read_text())
    assert [line["record"]["id"] for line in rejected] == list(range(12))
    assert rejected[0]["place"] == "<stdin>:1"
    assert rejected[0]["reason"] == "the server's answer has 0 results for 1 questions"
    assert stderr.endswith("12 rejected\n")


def poisoned(bad, word):
    """A server one of whose texts has a bad vector."""

    def script(request):
        reply = json.loads(embeds(request).body)
        for entry, text in zip(reply["data"], request.body["input"][::-1], strict=True):
            if text == word:
                entry["embedding"] = bad
        return Reply(json.dumps(reply).encode())

    return script


BAD = {
    "not finite": "AADAfwAAwH8AAMB/AADAfwAAwH8AAMB/AADAfwAAwH8=",
    "null": [None] * WIDTH,
    "another width": [0.5] * 3,
    "empty": [],
    "words": "no vector!",
    "nested": [[0.5] * WIDTH],
    "infinite": [1e300] * WIDTH,
}


@pytest.mark.parametrize("bad", BAD.values(), ids=BAD)
def test_a_bad_vector_costs_its_own_record_alone(tmp_path, bad):
    with Server(poisoned(bad, "b7")) as server:
        stdout, stderr = run(server, tmp_path, status=3)
        others = [record for record in RECORDS if record["id"] != 7]
        assert same(stdout, others)
        assert texts(server).count("b7") == 2  # asked for once more
        assert len(texts(server)) == 25
        assert "<stdin>:8: the server's vector" in stderr
        server.script = embeds
        whole, _ = run(server, tmp_path)
        assert same(whole)
        assert len(texts(server)) == 26  # a bad one is not kept


def short(limit, status):
    """A server with a limit of texts in a request, and one text that it never takes."""

    def script(request):
        if len(request.body["input"]) > limit or "b7" in request.body["input"]:
            return fails(status, "too much")
        return embeds(request)

    return script


@pytest.mark.parametrize("status", [400, 413, 422, 424, 500])
def test_a_refused_request_is_asked_in_halves_and_one_text_costs_its_own_record(tmp_path, status):
    with Server(short(32, status)) as server:
        stdout, stderr = run(server, tmp_path, "--retries", 0, status=3)
    assert same(stdout, [record for record in RECORDS if record["id"] != 7])
    assert f"<stdin>:8: the server answered {status}: too much" in stderr
    assert "texts in a request" not in stderr


def test_a_servers_own_limit_is_kept_once_it_is_met_and_that_is_told(tmp_path):
    records = [{"id": n, "prompt": "q", "responses": [{"text": f"t{n}"}]} for n in range(100)]

    def script(request):
        return embeds(request) if len(request.body["input"]) <= 8 else fails(413, "batch size > 8")

    with Server(script) as server:
        stdout, stderr = run(server, tmp_path, "--concurrency", 1, records=records)
        sizes = [len(request.body["input"]) for request in server.requests]
    assert same(stdout, records)
    kept = [int(number) for number in re.findall(r"takes no \d+ texts in a request: (\d+) are sent at a time", stderr)]
    assert kept == sorted(kept, reverse=True)
    assert 4 <= kept[-1] <= 8
    assert max(sizes[-6:]) <= kept[-1]
    assert sum(size for size in sizes if size > 8) < 100


def test_a_server_that_takes_no_encoding_format_is_asked_without_and_that_is_told_once(tmp_path):
    def script(request):
        if "encoding_format" in request.body:
            return fails(422, "encoding_format: extra inputs are not permitted")
        return embeds(request, encode=lambda vector: [float(number) for number in vector])

    with Server(script) as server:
        stdout, stderr = run(server, tmp_path, "--per-request", 4)
    assert same(stdout)
    assert stderr.count("takes no 'encoding_format'") == 1


def test_requests_are_bounded_in_size_and_in_number_in_flight(tmp_path):
    with Server(lambda request: embeds(request, seconds=0.05)) as server:
        stdout, _ = run(server, tmp_path, "--per-request", 3, "--concurrency", 2)
    assert same(stdout)
    assert {len(request.body["input"]) for request in server.requests} == {3}
    assert server.most_at_once == 2


def test_a_server_that_trickles_is_left_after_the_timeout(tmp_path):
    with Server(lambda request: drips("no vectors", seconds=0.1)) as server:
        _, stderr = run(server, tmp_path, "--timeout", 0.3, "--retries", 0, records=RECORDS[:1], status=3)
    assert "no answer within 0.3 seconds" in stderr


@pytest.mark.parametrize(("status", "hint"), [(401, "check the key"), (404, "check the address and the model's name")])
def test_a_fault_of_every_question_ends_the_run(tmp_path, status, hint):
    with Server(in_turn(fails(status, "no"))) as server:
        _, stderr = run(server, tmp_path, status=1)
    assert stderr == f"real: {server.url}: {status} no; {hint}\n"


def test_a_limit_on_the_cost_is_kept_and_the_same_command_goes_on(tmp_path):
    records = [{"id": n, "prompt": "q", "responses": [{"text": f"{n:03} " * 50}]} for n in range(20)]
    words = ["--price", 1e6, "--concurrency", 1, "--per-request", 2]
    with Server(embeds) as server:
        _, stderr = run(server, tmp_path, *words, "--max-cost", 3000, records=records, status=1)
        spent = sum(map(len, texts(server)))
        assert 0 < spent <= 3000
        assert "the answers are cached; run the same command again to go on" in stderr
        assert len(server.requests) < 10
        stdout, _ = run(server, tmp_path, *words, "--max-cost", 3000, records=records)
        assert sorted(texts(server)) == sorted(record["responses"][0]["text"] for record in records)
    assert same(stdout, records)


def test_killed_half_way_and_resumed_the_file_is_the_same_and_nothing_is_paid_for_twice(tmp_path):
    (tmp_path / "in.jsonl").write_bytes(lines(RECORDS))
    with Server(lambda request: embeds(request, seconds=0.05)) as server:
        words = words_of(server, tmp_path, "--per-request", 2, "--concurrency", 1, tmp_path / "in.jsonl")
        words = [sys.executable, "-m", "real_cli", *map(str, words), "--resume"]
        process = subprocess.Popen([*words, tmp_path / "out"], stderr=subprocess.DEVNULL)
        deadline = time.monotonic() + 30
        while len(server.requests) < 5:
            assert time.monotonic() < deadline
            time.sleep(0.005)
        assert b"libtorch" not in Path(f"/proc/{process.pid}/maps").read_bytes()
        os.kill(process.pid, signal.SIGKILL)
        process.wait()
        held = (tmp_path / "out").read_bytes().count(b"\n")
        server.script = embeds
        subprocess.run([*words, tmp_path / "out"], check=True)
        # What was in flight is asked again.
        assert 24 <= len(texts(server)) <= 26
        subprocess.run([*words, tmp_path / "whole"], check=True)
        assert len(texts(server)) <= 26
    assert 1 <= held < 12
    assert (tmp_path / "out").read_bytes() == (tmp_path / "whole").read_bytes()
    assert same((tmp_path / "out").read_text())


def test_what_failed_comes_last_in_a_resumed_file(tmp_path):
    (tmp_path / "in.jsonl").write_bytes(lines(RECORDS))
    resumed = ["--resume", tmp_path / "out", tmp_path / "in.jsonl"]
    with Server(poisoned([None], "b7")) as server:
        run(server, tmp_path, *resumed, status=3)
        server.script = embeds
        run(server, tmp_path, *resumed)
        _, stderr = run(server, tmp_path, *resumed)
    order = [*range(7), *range(8, 12), 7]
    assert same((tmp_path / "out").read_text(), [RECORDS[number] for number in order])
    assert stderr == "real: 0 texts embedded; 0 requests (0 answers known), 0 tokens\n"


def test_a_file_of_another_models_vectors_is_not_continued(tmp_path):
    (tmp_path / "in.jsonl").write_bytes(lines(RECORDS[:3]))
    resumed = ["--resume", tmp_path / "out"]
    with Server(embeds) as server:
        run(server, tmp_path, *resumed, tmp_path / "in.jsonl")
        (tmp_path / "in.jsonl").write_bytes(lines(RECORDS))
        _, stderr = run(server, tmp_path, *resumed, "--dimensions", 4, tmp_path / "in.jsonl", status=1)
        assert "the file has vectors of another model" in stderr
        _, stderr = run(server, tmp_path, *resumed, "--encoding", "base64", tmp_path / "in.jsonl", status=1)
    assert "has embeddings in another --encoding" in stderr


@pytest.mark.parametrize(
    "words",
    [
        ("--pooling", "last"),
        ("--layer", "3"),
        ("--max-length", "9"),
        ("--backend", "openvino"),
        ("--device", "cpu"),
        ("--dtype", "float32"),
        ("--batch-tokens", "9"),
        ("--base", "b"),
        ("--devices", "2"),
        ("--on", "ray"),
    ],
)
def test_options_of_a_model_at_hand_are_refused_by_name(tmp_path, words):
    with Server(embeds) as server:
        _, stderr = run(server, tmp_path, *words, status=2)
        assert not server.requests
    assert stderr == f"real: {words[0]}: not read where a server answers; leave it out\n"


@pytest.mark.parametrize(
    ("words", "complaint"),
    [
        (["--timeout", "120"], "--timeout: not read where a model on this machine answers; leave it out"),
        (["--dimensions", "3"], "--dimensions: not read where a model on this machine answers; leave it out"),
        (["--endpoint", "http://h/v1"], "--endpoint: the model's name on the server is needed; give it with --model"),
        (
            ["--endpoint", "nowhere", "-m", "m"],
            "--endpoint 'nowhere': an address is needed, as http://localhost:8000/v1",
        ),
        (["--endpoint", "http://h", "-m", "m", "--price", "nan"], "--price nan: a number from 0 to 1,000,000"),
        (["--endpoint", "http://h", "-m", "m", "--max-cost", "3"], "--max-cost 3: no price is known; give --price IN"),
    ],
)
def test_a_command_line_that_nobody_could_mean_is_refused(words, complaint):
    result = CliRunner().invoke(app, ["embed", *words], input=lines(RECORDS), prog_name="real")
    assert (result.exit_code, result.stderr.startswith(f"real: {complaint}")) == (2, True), result.stderr
