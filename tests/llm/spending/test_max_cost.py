"""--max-cost against scripted servers: what they are owed never passes it, and no answer is paid for twice."""

import json
import os
import random
import re
import signal
import subprocess
import sys
import time

import orjson
import pytest
from typer.testing import CliRunner

from real_cli.app import app
from tests import servers
from tests.servers import Reply, fails, prefers_longer, says

PAIRS = [{"id": n, "prompt": f"q{n}", "responses": [{"text": "xx" + "x" * (n % 3)}, {"text": "y"}]} for n in range(12)]
JUDGE = ["relabel", "judge", "-m", "m", "--retries", "1"]
# A dollar a token read, and one a token written: 7 + 3 tokens cost $10.
PRICE = ["--price", "1e6,1e6"]
RUBRIC = """
name = "short"
max_tokens = 8
[[question]]
asks = "pair"
text = "{prompt}\\n\\n# Response A\\n\\n{response_a}\\n\\n# Response B\\n\\n{response_b}\\n\\n# Your answer\\n"
"""


def lines(rows):
    return b"".join(orjson.dumps(row) + b"\n" for row in rows)


def run(tmp_path, server, limit, *words, status=0, command=JUDGE, rows=PAIRS, **streams):
    (tmp_path / "in.jsonl").write_bytes(lines(rows))
    words = [*command, "--endpoint", server.url, "--cache", tmp_path / "cache", *PRICE, *words]
    words += ["--max-cost", limit] if limit else []
    words += [] if streams else [tmp_path / "in.jsonl"]
    result = CliRunner().invoke(app, [str(word) for word in words], **streams)
    assert result.exit_code == status, result.stderr + str(result.exception)
    return [json.loads(line) for line in result.stdout.splitlines()], result.stderr


@pytest.fixture
def short(tmp_path):
    """A rubric whose answers have few tokens: the worst of a call is some 900 dollars."""
    (tmp_path / "short.toml").write_text(RUBRIC)
    return ["--rubric", tmp_path / "short.toml"]


def worst_of(stderr):
    return float(re.search(r"may cost \$([\d,.]+\d)", stderr)[1].replace(",", ""))


def owed(server):
    """What the scripted server charges: $10 an answer."""
    return 10 * len(server.requests)


@pytest.mark.parametrize("at_once", [1, 4])
def test_a_run_stops_before_the_limit_says_what_is_left_and_the_same_command_goes_on(tmp_path, short, at_once):
    with servers.Server(lambda request: prefers_longer(request)._replace(seconds=0.005)) as server:
        words = [*short, "--concurrency", at_once]
        _, stderr = run(tmp_path, server, 1, *words, status=1)
        assert "; the answers are cached; a call needs --max-cost " in stderr
        assert server.requests == []
        limit = worst_of(stderr) + 45
        runs, rows = 0, []
        while len(rows) < len(PAIRS):
            before = owed(server)
            runs += 1
            left = len(PAIRS) - len(rows)
            result = CliRunner().invoke(
                app,
                [str(word) for word in [*JUDGE, "--endpoint", server.url, "--cache", tmp_path / "cache", *PRICE, *words,
                                        "--max-cost", limit, tmp_path / "in.jsonl"]],
            )  # fmt: skip
            rows = [json.loads(line) for line in result.stdout.splitlines()]
            assert 0 < owed(server) - before <= limit
            assert result.exit_code == (0 if len(rows) == len(PAIRS) else 1), result.stderr
            if result.exit_code:
                assert f", {len(PAIRS) - len(rows)} records left; " in result.stderr
                assert "run the same command again to go on" in result.stderr
            assert runs < 20
            assert len(PAIRS) - len(rows) <= left
    assert len({json.dumps(request.body) for request in server.requests}) == len(server.requests) == 2 * len(PAIRS)
    assert runs > 2


def test_a_file_that_was_asked_for_appears_only_when_all_is_done(tmp_path, short):
    with servers.Server(prefers_longer) as server:
        words = [*short, "-o", tmp_path / "out.jsonl"]
        run(tmp_path, server, 1000, *words, status=1)
        assert not (tmp_path / "out.jsonl").exists()
        run(tmp_path, server, 100_000, *words)
    assert len((tmp_path / "out.jsonl").read_bytes().splitlines()) == 12
    assert len(server.requests) == 24


def test_what_the_cache_holds_costs_nothing(tmp_path, short):
    with servers.Server(prefers_longer) as server:
        run(tmp_path, server, None, *short)
        rows, stderr = run(tmp_path, server, 0.001, *short)
    assert len(rows) == 12
    assert "0 calls (24 answers known), 0 + 0 tokens, $0.0000" in stderr


def test_the_rest_of_a_pipe_is_not_waited_for(tmp_path, short):
    with servers.Server(prefers_longer) as server:
        _, stderr = run(tmp_path, server, 1000, *short, status=1, input=lines(PAIRS))
    assert "records left" not in stderr
    assert "the answers are cached; run the same command again to go on" in stderr


def test_answers_without_a_count_are_held_at_their_worst_and_that_is_told(tmp_path, short):
    def script(request):
        reply = json.loads(prefers_longer(request).body)
        del reply["usage"]
        return Reply(json.dumps(reply).encode())

    with servers.Server(script) as server:
        _, stderr = run(tmp_path, server, 4000, *short, status=1)
        assert 0 < len(server.requests) * worst_of(stderr) <= 4000
        _, stderr = run(tmp_path, server, None, *short, rows=PAIRS[:3])
    assert re.search(r"\$0\.0000 and at most \$[\d,.]+ for 2 calls whose tokens were not counted", stderr)


def test_a_lost_answer_counts_and_one_that_was_refused_does_not(tmp_path, short):
    """A cut connection may have to be paid for; a 500 or a 429 is not."""
    fates = iter([fails(429), fails(500), Reply(b"", cut="before")])
    with servers.Server(lambda request: next(fates, None) or prefers_longer(request)) as server:
        rows, stderr = run(tmp_path, server, None, *short, "--retries", "3", rows=PAIRS[:2], status=0)
    assert len(rows) == 2
    assert len(server.requests) == 7
    assert re.search(r"4 calls .*, \$40\.0000 and at most \$[\d,.]+ for 1 call whose tokens were not counted", stderr)


def test_several_policies_share_the_limit(tmp_path):
    sample = ["sample", "--retries", "0", "-p", "a", "-p", "b", "--max-tokens", "5"]
    rows = [{"prompt": f"q{n}"} for n in range(8)]
    with servers.Server(lambda request: says("ok", seconds=0.002)) as server:
        _, stderr = run(tmp_path, server, 1, command=sample, rows=rows, status=1)
        limit = worst_of(stderr) + 60
        written, stderr = run(tmp_path, server, limit, command=sample, rows=rows, status=1)
        assert 0 < owed(server) <= limit
        assert f", {8 - len(written)} records left; " in stderr
        written, _ = run(tmp_path, server, 10_000, command=sample, rows=rows)
    assert len(written) == 8
    assert len(server.requests) == 16


@pytest.mark.parametrize("seed", range(6))
def test_whatever_a_server_does_it_is_owed_no_more_than_the_limit(tmp_path, short, seed):
    """Answers cost up to their worst, with a count or without; calls fail, are cut, and overlap."""
    chance = random.Random(seed)
    charges = []

    def script(request):
        fate = chance.choice(["counted"] * 6 + ["uncounted", "cut", "refused", "unreadable"])
        if fate == "refused":
            return fails(500)
        read = chance.randint(1, len(json.dumps(request.body)))
        written = chance.randint(1, request.body["max_tokens"])
        charges.append(read + written)
        reply = json.loads(prefers_longer(request).body)
        reply["usage"] = {"prompt_tokens": read, "completion_tokens": written} if fate == "counted" else None
        body = b"no JSON" if fate == "unreadable" else json.dumps(reply).encode()
        return Reply(body, seconds=chance.random() / 100, cut="within" if fate == "cut" else "")

    limit = chance.randint(1_000, 12_000)
    with servers.Server(script) as server:
        words = ["--endpoint", server.url, "--cache", tmp_path / "cache", *PRICE, *short, "--max-cost", limit]
        words += ["--concurrency", chance.randint(1, 6), "--rejects", tmp_path / "rejects.jsonl"]
        result = CliRunner().invoke(app, [str(word) for word in [*JUDGE, *words]], input=lines(PAIRS))
    assert result.exit_code in (0, 1, 3), result.stderr + str(result.exception)
    assert charges
    assert sum(charges) <= limit


def test_a_run_that_was_killed_goes_on_and_pays_for_no_answer_twice(tmp_path, short):
    with servers.Server(lambda request: prefers_longer(request)._replace(seconds=0.02)) as server:
        (tmp_path / "in.jsonl").write_bytes(lines(PAIRS))
        words = [*JUDGE, "--endpoint", server.url, "--cache", tmp_path / "cache", *PRICE, *short, "--concurrency", "1"]
        words = [str(word) for word in [*words, "--max-cost", "100000", tmp_path / "in.jsonl"]]
        process = subprocess.Popen([sys.executable, "-m", "real_cli", *words], stdout=subprocess.DEVNULL)
        deadline = time.monotonic() + 30
        while len(server.requests) < 7:
            assert time.monotonic() < deadline
            time.sleep(0.005)
        os.kill(process.pid, signal.SIGKILL)
        process.wait()
        time.sleep(0.1)
        run(tmp_path, server, 100_000, *short)
    # The call that was in flight is asked again.
    assert 24 <= len(server.requests) <= 25


@pytest.mark.parametrize(
    ("words", "complaint"),
    [
        (["--max-cost", "5"], "--max-cost 5: no price is known; give --price IN,OUT, dollars a million tokens"),
        (["--max-cost", "nan", *PRICE], "--max-cost nan: dollars above 0 are needed, up to 1,000,000,000"),
        (["--max-cost", "0", *PRICE], "--max-cost 0: dollars above 0 are needed, up to 1,000,000,000"),
        (["--max-cost", "inf", *PRICE], "--max-cost inf: dollars above 0 are needed, up to 1,000,000,000"),
        (
            ["--max-cost", "5", *PRICE, "--no-cache"],
            "--max-cost: answers that were paid for would be lost where it stops; leave out --no-cache",
        ),
    ],
)
def test_a_limit_that_nothing_could_hold_is_refused(words, complaint):
    words = [*JUDGE, "--endpoint", "http://127.0.0.1:9/v1", *words]
    result = CliRunner().invoke(app, words, input=b"")
    assert result.exit_code == 2
    assert result.stderr == f"real: {complaint}\n"


@pytest.mark.parametrize("limit", ["nan", "inf", "0", "-1"])
def test_such_a_limit_is_refused_where_several_models_share_it(limit):
    words = ["sample", "--policy", "m", "--endpoint", "http://127.0.0.1:9/v1", *PRICE, "--max-cost", limit]
    result = CliRunner().invoke(app, words, input=b"")
    assert result.exit_code == 2
    assert result.stderr == f"real: --max-cost {limit}: dollars above 0 are needed, up to 1,000,000,000\n"


def test_where_no_server_is_asked_a_limit_is_refused():
    result = CliRunner().invoke(app, ["relabel", "judge", "-m", "smollm2", "--max-cost", "5", *PRICE], input=b"")
    assert result.exit_code == 2
    assert result.stderr.startswith("real: --max-cost: not read where a model on this machine answers")
