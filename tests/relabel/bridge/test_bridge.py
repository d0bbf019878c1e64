"""relabel bridge and relabel dsat against a scripted server: no record lost, none asked twice."""

import json
import subprocess
import sys
import time

import orjson
import pytest
from typer.testing import CliRunner

from real_cli.app import app
from tests.servers import Reply, Request, Server, completion, fails, in_turn, says

PAIRS = [
    {"id": n, "prompt": f"q{n}", "chosen": f"good {n}", "rejected": f"bad {n}", "score_chosen": 2, "score_rejected": 1}
    for n in range(6)
]
TALKS = [
    {
        "id": n,
        "messages": [
            {"role": role, "content": f"{content} {n}"}
            for role, content in (
                ("user", "ask"),
                ("assistant", "bad"),
                ("user", "hm"),
                ("assistant", "good"),
                ("user", "ah"),
            )
        ],
    }
    for n in range(4)
]


def edits(request):
    """An editor that improves every response but the third pair's."""
    return says("bad 2" if "bad 2" in request.words else "edited")


def feels(request):
    """A judge who sees a complaint in "hm" and praise in "ah"."""
    return says(json.dumps({"reason": "x", "label": "satisfied" if "ah" in request.words else "dissatisfied"}))


def relabel(tmp_path, name, *words, records, status=0):
    """Run a command with a cache of its own; returns its records, and what it said."""
    words = ["relabel", name, "-m", "m", "--cache", tmp_path / "cache", "--retries", "1", *words]
    data = b"".join(orjson.dumps(row) + b"\n" for row in records)
    result = CliRunner().invoke(app, [str(word) for word in words], input=data)
    assert result.exit_code == status, result.stderr + str(result.exception)
    return [json.loads(line) for line in result.stdout.splitlines()], result.stderr


def test_edits_take_the_place_of_chosen_responses(tmp_path):
    with Server(edits) as server:
        bridged, stderr = relabel(tmp_path, "bridge", "--endpoint", server.url, records=PAIRS)
    assert [row["id"] for row in bridged] == [0, 1, 3, 4, 5]
    assert {row["chosen"] for row in bridged} == {"edited"}
    assert [row["chosen_original"] for row in bridged] == [f"good {n}" for n in (0, 1, 3, 4, 5)]
    assert stderr == (
        "real: 5 bridged; 6 calls (0 answers known), 42 + 18 tokens; left out: 1 edit that changed nothing\n"
    )
    again, stderr = relabel(tmp_path, "bridge", "--endpoint", "http://127.0.0.1:9/v1", records=PAIRS)
    assert again == bridged  # the server is gone, its answers are not
    assert "0 calls (6 answers known)" in stderr


FAULTS = {
    "slow": ((says("edited", seconds=0.3),), None),
    "429 at first": ((fails(429), says("edited")), None),
    "500 at first": ((fails(500), says("edited")), None),
    "cut at first": ((Reply(b"", cut="before"), says("edited")), None),
    "429": ((fails(429, "too many"),), "the server answered 429 (2 attempts): too many"),
    "500": ((fails(500, "oh"),), "the server answered 500 (2 attempts): oh"),
    "cut": ((Reply(b"{" * 99, cut="within"),), "the connection was cut (2 attempts): "),
    "broken JSON": ((Reply(b'{"choices": ['),), "the server's answer is not JSON: "),
    "no text": ((Reply(json.dumps(completion(None)).encode()),), "the server's answer holds no text: "),
    "wrong": ((says("  "),), "the edited response is empty"),
    "too slow": ((says("edited", seconds=2),), "no answer within 0.5 seconds (2 attempts)"),
}


@pytest.mark.parametrize(("replies", "reason"), FAULTS.values(), ids=FAULTS)
def test_a_fault_costs_its_own_record_only(tmp_path, replies, reason):
    """The server is at fault with the first pair alone; the other ones are bridged."""
    first = in_turn(*replies)

    def script(request):
        return first(request) if "good 0" in request.words else says("edited")

    rejects = tmp_path / "failed.jsonl"
    status = 3 if reason else 0
    words = ["--timeout", "0.5", "--rejects", rejects, "--concurrency", "2"]
    with Server(script) as server:
        bridged, stderr = relabel(
            tmp_path, "bridge", "--endpoint", server.url, *words, records=PAIRS[:3], status=status
        )
    failed = [json.loads(line) for line in rejects.read_text().splitlines()]
    assert [row["id"] for row in bridged] + [row["record"]["id"] for row in failed] == (
        [1, 2, 0] if reason else [0, 1, 2]
    )
    assert all(row["reason"].startswith(reason) and row["place"] == "<stdin>:1" for row in failed)
    assert ("; 1 rejected" in stderr) == bool(reason)


def test_killed_half_way_and_run_again_only_what_is_missing_is_asked(tmp_path):
    (tmp_path / "in.jsonl").write_bytes(b"".join(orjson.dumps(row) + b"\n" for row in PAIRS))
    words = [sys.executable, "-m", "real_cli", "relabel", "bridge", "-m", "m", "--cache", "cache", "--concurrency", "1"]

    def first_three_then_wait(request):
        return edits(request)._replace(seconds=0.0 if len(server.requests) <= 3 else 60.0)

    with Server(first_three_then_wait) as server:
        words += ["--endpoint", server.url, "in.jsonl"]
        process = subprocess.Popen(words, cwd=tmp_path, stdout=subprocess.PIPE, stderr=subprocess.PIPE)
        deadline = time.monotonic() + 20
        while len(server.requests) < 4 and time.monotonic() < deadline:
            time.sleep(0.02)
        process.kill()
        process.communicate()
        asked = [request.words for request in server.requests]
        server.script = edits
        done = subprocess.run(words, cwd=tmp_path, capture_output=True)
        again = [request.words for request in server.requests[len(asked) :]]
    assert done.returncode == 0, done.stderr
    assert [json.loads(line)["id"] for line in done.stdout.splitlines()] == [0, 1, 3, 4, 5]
    assert len(asked) == 4
    assert len(again) == 3  # the fourth was asked and never answered
    assert not set(again) & set(asked[:3])


def test_a_batch_gives_what_a_server_gives(tmp_path):
    with Server(edits) as server:
        live, _ = relabel(tmp_path, "bridge", "--endpoint", server.url, records=PAIRS)
    asked, done = tmp_path / "asked.jsonl", tmp_path / "done.jsonl"
    _, stderr = without_cache("--emit-requests", asked)
    assert "6 requests written" in stderr
    with done.open("w") as file:
        for line in map(json.loads, asked.read_text().splitlines()):
            reply = edits(Request("", {}, line["body"]))
            file.write(
                json.dumps({"custom_id": line["custom_id"], "response": {"body": json.loads(reply.body)}}) + "\n"
            )
    assert without_cache("--apply-results", done)[0] == live


def without_cache(*words):
    """Run bridge without a cache."""
    data = b"".join(orjson.dumps(row) + b"\n" for row in PAIRS)
    arguments = [str(word) for word in ("relabel", "bridge", "-m", "m", "--no-cache", *words)]
    result = CliRunner().invoke(app, arguments, input=data)
    return [json.loads(line) for line in result.stdout.splitlines()], result.stderr


def test_complaints_and_seeds_by_a_judge(tmp_path):
    with Server(feels) as server:
        complaints, stderr = relabel(tmp_path, "dsat", "--endpoint", server.url, records=TALKS)
        seeds, _ = relabel(tmp_path, "dsat", "--endpoint", server.url, "--seeds", records=TALKS)
        assert len(server.requests) == 8  # two turns a conversation; the seeds were known
    assert [row["rejected"][0]["content"] for row in complaints] == [f"bad {n}" for n in range(4)]
    assert [row["chosen"][0]["content"] for row in seeds] == [f"good {n}" for n in range(4)]
    assert {row["dsat"]["model"] for row in complaints} == {"m"}
    assert stderr.startswith(
        "real: 4 records from 4 conversations with 8 turns after a reply: 4 dissatisfied, 4 satisfied, 0 neither; 8 "
    )


def test_a_turn_without_an_answer_costs_its_conversation_only(tmp_path):
    def script(request):
        return fails(500) if "hm 1" in request.words else feels(request)

    with Server(script) as server:
        complaints, stderr = relabel(tmp_path, "dsat", "--endpoint", server.url, records=TALKS, status=3)
    assert [row["id"] for row in complaints] == [0, 2, 3]
    assert "real: <stdin>:2: the server answered 500 (2 attempts): no\n" in stderr
