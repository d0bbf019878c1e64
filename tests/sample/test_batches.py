"""`real sample --emit-requests` and `--apply-results`: what a batch gives in every way of sampling, or lacks."""

import json

import orjson
import pytest
from typer.testing import CliRunner

from real_cli.app import app
from tests.servers import Reply, Server, completion

PROMPTS = [{"id": n, "prompt": f"q{n}"} for n in range(4)]
SCORED = [{"id": n, "prompt": f"q{n}", "responses": [{"text": "a", "score": n}]} for n in range(4)]
COMPLAINT = {
    "prompt": [{"role": "user", "content": "q"}],
    "rejected": "r",
    "user_preference": {"role": "user", "content": "no"},
}
KIND = '{"name": "kind", "text": "Be kind.", "weight": 1}\n{"name": "short", "text": "Be short.", "weight": 1}\n'


def lines(records):
    return b"".join(orjson.dumps(record) + b"\n" for record in records)


def sample(*words, records=PROMPTS, status=0):
    """Run the command; returns its output, and what it said."""
    result = CliRunner().invoke(app, ["sample", "-p", "m", *map(str, words)], input=lines(records), prog_name="real")
    assert result.exit_code == status, result.stderr + str(result.exception)
    return result.stdout, result.stderr


def answer(body):
    """What a model says, by the words and the seed that it is given: as many choices as are asked for."""
    words = "|".join(message["content"] for message in body["messages"])
    choices = [completion(f"{words}|{body.get('seed')}|{n}", index=n)["choices"][0] for n in range(body.get("n", 1))]
    return {"choices": choices}


def serve(request):
    return Reply(json.dumps(answer(request.body)).encode())


def do_batch(asked, answered, failing=()):
    """Do what a batch tier does: answer each line of a file in OpenAI's format, in another order."""
    with answered.open("wb") as file:
        for number, line in reversed([*enumerate(map(json.loads, asked.read_bytes().splitlines()))]):
            assert (line["method"], line["url"]) == ("POST", "/v1/chat/completions")
            response = {"status_code": 200, "body": answer(line["body"])}
            if number in failing:
                response = {"status_code": 500, "body": {"error": {"message": "no"}}}
            file.write(orjson.dumps({"custom_id": line["custom_id"], "response": response, "error": None}) + b"\n")


WAYS = {
    "responses": (["-n", 3], PROMPTS),
    "append": (["-n", 2, "--append"], SCORED),
    "contrast": (["--contrast", "Be kind.", "Be rude."], PROMPTS),
    "reference": (["--per-row-reference"], PROMPTS),
    "principles": (["-n", 3, "--principles", "KIND"], PROMPTS),
    "lowest": (["--lowest-score", "50%"], SCORED),
    "improve": (["--improve"], [COMPLAINT]),
}


@pytest.mark.parametrize(("words", "records"), WAYS.values(), ids=WAYS)
def test_a_batch_gives_the_bytes_that_a_server_gives(tmp_path, words, records):
    (tmp_path / "kind.jsonl").write_text(KIND)
    words = [tmp_path / "kind.jsonl" if word == "KIND" else word for word in words]
    with Server(serve) as server:
        live, _ = sample("--endpoint", server.url, "--no-cache", *words, records=records)
    asked, done, cache = tmp_path / "asked", tmp_path / "done", ["--cache", tmp_path / "cache"]
    written, stderr = sample(*cache, *words, "--emit-requests", asked, records=records)
    assert "waiting for answers" in stderr
    assert set(written.splitlines()) < set(live.splitlines())  # those that --lowest-score passes on
    do_batch(asked, done)
    assert sample(*cache, *words, "--apply-results", done, records=records)[0] == live
    # What was paid for is kept: nothing is left to ask, and a server is not needed any more.
    whole, stderr = sample(*cache, *words, "--emit-requests", asked, records=records)
    assert whole == live
    assert "; 0 requests written" in stderr
    assert len(live.splitlines()) == len(records)


def test_what_a_batch_failed_to_answer_is_written_again_and_joins_a_resumed_file(tmp_path):
    (tmp_path / "in.jsonl").write_bytes(lines(PROMPTS))
    asked, done = tmp_path / "asked", tmp_path / "done"
    words = ["--cache", tmp_path / "cache", "-n", 2]
    resumed = ["--resume", tmp_path / "out", tmp_path / "in.jsonl"]
    sample(*words, "--emit-requests", asked)
    do_batch(asked, done, failing=(1,))
    _, stderr = sample(*words, "--apply-results", done, *resumed, status=3)
    assert "in.jsonl:2: the batch was answered 500: " in stderr
    sample(*words, "--emit-requests", asked)
    assert len(asked.read_bytes().splitlines()) == 1
    do_batch(asked, done)
    sample(*words, "--apply-results", done, *resumed)
    written = [json.loads(line) for line in (tmp_path / "out").read_bytes().splitlines()]
    assert [record["id"] for record in written] == [0, 2, 3, 1]
    assert all(len(record["responses"]) == 2 for record in written)
