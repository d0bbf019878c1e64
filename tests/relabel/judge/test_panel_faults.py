"""A panel of which one member is slow, wrong, cut or refuses: no record is lost, and nothing is paid for twice."""

import json
import signal
import subprocess
import sys
import time

import pytest

from tests import servers
from tests.relabel.judge.panels import PAIRS, lines, panel, prompt_of, rows
from tests.servers import Reply, fails, prefers_longer, says

BAD = {
    "slow": (says("A", seconds=1.5), "no answer within 0.5 seconds (2 attempts)"),
    "wrong": (says("It depends."), "the answer names no verdict (A, B or tie): 'It depends.'"),
    "429": (fails(429, "slow down"), "the server answered 429 (2 attempts): slow down"),
    "500": (fails(500, "oh"), "the server answered 500 (2 attempts): oh"),
    "cut before": (Reply(b"", cut="before"), "the connection was cut (2 attempts): "),
    "cut within": (says("A", cut="within"), "the connection was cut (2 attempts): "),
    "broken JSON": (Reply(b'{"choices": ['), "the server's answer is not JSON: "),
}


@pytest.fixture
def two():
    """Two good servers; the second may be spoiled."""
    with servers.Server(prefers_longer) as first, servers.Server(prefers_longer) as second:
        yield first, second


def members(two):
    """Two judges on the first server, one on the second."""
    first, second = two
    words = ["-m", f"a@{first.url}", "-m", f"b@{second.url}", "-m", f"c@{first.url}", "--ties", "keep"]
    return [*words, "--retries", "1", "--timeout", "30"]


def questions(server):
    return [(request.body["model"], request.words) for request in server.requests]


@pytest.mark.parametrize("fault", BAD)
def test_one_judges_failure_costs_its_record_or_under_a_quorum_nothing(tmp_path, two, fault):
    """Without --quorum the record waits in --rejects, with what the others said in the cache."""
    reply, reason = BAD[fault]
    first, second = two
    second.script = lambda request: reply if prompt_of(request) == "q2" else prefers_longer(request)
    words = [*members(two)[:-1], "0.5" if fault == "slow" else "30"]
    labeled, stderr = panel(tmp_path, *words, "--rejects", tmp_path / "rejects", status=3)
    assert [row["id"] for row in labeled] == [0, 1, 3, 4, 5]
    (reject,) = rows(tmp_path / "rejects")
    assert (reject["place"], reject["record"]) == ("<stdin>:3", PAIRS[2])
    assert reject["reason"].startswith(f"b: {reason}")
    assert reject["reason"].endswith("; 2 of 3 judges answered, and 3 are needed")
    assert "b has no answer to 1 record" in stderr
    assert len(set(questions(first))) == 24
    first.requests.clear()
    # Two answers are enough.
    whole, stderr = panel(tmp_path, *words, "--quorum", "2")
    assert [row["id"] for row in whole] == list(range(6))
    assert [row for row in whole if row["id"] != 2] == labeled
    assert whole[2]["chosen"] == "xxx"
    assert whole[2]["verdicts"][1]["model"] == "b"
    assert whole[2]["verdicts"][1]["problem"].startswith(reason)
    assert whole[2]["agreement"] == 1.0
    assert "b has no answer to 1 record" in stderr
    assert first.requests == []
    # The server mended, only what is missing is asked.
    second.script = prefers_longer
    second.requests.clear()
    mended, stderr = panel(tmp_path, *words, "--quorum", "2")
    assert [each.get("verdict") for each in mended[2]["verdicts"]] == ["A", "A", "A"]
    assert {prompt_of(request) for request in second.requests} == {"q2"}
    assert len(second.requests) == 2
    assert "has no answer" not in stderr


def test_what_passes_costs_nothing(tmp_path, two):
    first, second = two
    second.script = servers.in_turn(fails(429), fails(500), says("It depends."), prefers_longer)
    labeled, _ = panel(tmp_path, *members(two)[:-4], "--concurrency", "1")
    assert len(labeled) == 6
    assert len(first.requests) == 24


def test_a_key_goes_to_the_server_that_it_is_for(tmp_path, two):
    first, second = two
    words = ["-m", f"a@{first.url}", "-m", f"b@{second.url}#B_KEY"]
    environment = {"REAL_API_KEY": "sk-common-0123456789", "B_KEY": "sk-of-b-0123456789"}
    panel(tmp_path, *words, environment=environment)
    assert {request.headers["authorization"] for request in first.requests} == {"Bearer none"}
    assert {request.headers["authorization"] for request in second.requests} == {"Bearer sk-of-b-0123456789"}
    # One server for all has the common key.
    first.requests.clear()
    panel(tmp_path, "-m", f"c@{first.url}", "-m", f"d@{first.url}", environment=environment)
    assert {request.headers["authorization"] for request in first.requests} == {"Bearer sk-common-0123456789"}


def test_a_server_that_refuses_the_key_ends_the_run_and_what_was_answered_is_kept(tmp_path, two):
    first, second = two
    second.script = lambda request: fails(401)
    _, stderr = panel(tmp_path, *members(two), "--quorum", "1", status=1)
    assert stderr == f"real: {second.url}: 401 no; check the key\n"
    second.script = prefers_longer
    panel(tmp_path, *members(two))
    assert len(set(questions(first))) == 24


def test_no_more_questions_are_in_flight_than_each_server_may_have(tmp_path, two):
    for server in two:
        server.script = lambda request: prefers_longer(request)._replace(seconds=0.02)
    panel(tmp_path, *members(two), "--concurrency", "2", records=PAIRS * 2)
    # Two judges are on the first server.
    assert two[0].most_at_once <= 4
    assert 1 <= two[1].most_at_once <= 2


def wait_until(true, seconds=15):
    deadline = time.monotonic() + seconds
    while not true():
        assert time.monotonic() < deadline
        time.sleep(0.01)


def test_killed_half_way_and_run_again_it_writes_the_same_and_pays_for_nothing_twice(tmp_path, two):
    for server in two:
        server.script = lambda request: prefers_longer(request)._replace(seconds=0.03)
    (tmp_path / "in.jsonl").write_bytes(lines(PAIRS))
    words = [sys.executable, "-m", "real_cli", "relabel", "judge", *members(two)]
    words += ["--concurrency", "2", "--cache", "cache", "in.jsonl"]
    process = subprocess.Popen(words, cwd=tmp_path, stdout=subprocess.PIPE, stderr=subprocess.PIPE)
    try:
        wait_until(lambda: len(two[0].requests) >= 8)
        process.send_signal(signal.SIGKILL)
    finally:
        process.kill()
        process.communicate()
    wait_until(lambda: not any(server.num_at_once for server in two))
    asked = [question for server in two for question in questions(server)]
    done = subprocess.run(words, cwd=tmp_path, capture_output=True, timeout=60)
    assert done.returncode == 0
    everything = [question for server in two for question in questions(server)]
    assert 8 <= len(asked) < 36
    assert len(set(everything)) == 36
    # What was on its way when the process died is asked for again, and nothing else: two questions a judge.
    assert len(everything) - 36 <= 6
    whole, _ = panel(tmp_path / "another", *members(two))
    assert [json.loads(line) for line in done.stdout.splitlines()] == whole
