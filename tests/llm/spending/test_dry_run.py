"""A dry run: it sends nothing and writes nothing, and what it foretells is what a run then asks."""

import fcntl
import json
import os
import re
import struct
import subprocess
import sys
import termios

import orjson
import pytest
from typer.testing import CliRunner

from real_cli.app import app
from tests import servers
from tests.servers import fails, prefers_longer, says

PAIRS = [{"id": n, "prompt": f"q{n}", "responses": [{"text": "x" * (n % 3 + 2)}, {"text": "y"}]} for n in range(6)]
TALKS = [
    {
        "prompt": [
            {"role": "user", "content": f"Hello {n}"},
            {"role": "assistant", "content": "Hi."},
            {"role": "user", "content": "No, that is wrong."},
        ]
    }
    for n in range(3)
]
PREFERENCES = [{"prompt": f"q{n}", "chosen": "Four.", "rejected": "Five."} for n in range(4)]
COMMANDS = {
    "judge": (["relabel", "judge", "-m", "m"], PAIRS, 12),
    "rate": (["relabel", "judge", "-m", "m", "--rubric", "ultrafeedback"], PAIRS, 36),
    "bridge": (["relabel", "bridge", "-m", "m"], PREFERENCES, 4),
    "dsat": (["relabel", "dsat", "-m", "m"], TALKS, 3),
    "sample": (["sample", "-p", "m", "-n", "2"], [{"prompt": f"q{n}"} for n in range(5)], 5),
    "pool": (["sample", "-p", "m", "-p", "other"], [{"prompt": f"q{n}"} for n in range(5)], 10),
    "contrast": (["sample", "-p", "m", "--contrast", "Kind.", "Rude."], [{"prompt": f"q{n}"} for n in range(5)], 10),
}


def run(*words, records=PAIRS, status=0):
    data = b"".join(orjson.dumps(row) + b"\n" for row in records)
    result = CliRunner().invoke(app, [str(word) for word in words], input=data)
    assert result.exit_code == status, result.stderr + str(result.exception)
    return [json.loads(line) for line in result.stdout.splitlines()], result.stderr


def dry(server, tmp_path, words, records, *more):
    url = server.url if server else f"http://127.0.0.1:{servers.free_port()}/v1"
    rows, stderr = run(*words, "--endpoint", url, "--cache", tmp_path / "cache", "--dry-run", *more, records=records)
    (summary,) = rows
    assert summary.pop("dry_run") is True
    return summary, stderr


def answers(request):
    """A server that any of these questions is content with."""
    if "Response A" in request.words:
        return prefers_longer(request)
    label = json.dumps({"reason": "It says so.", "label": "dissatisfied"})
    return says(label if "dissatisfied" in request.words else "An answer.")


@pytest.mark.parametrize("kind", COMMANDS)
def test_nothing_is_sent_or_made_and_no_key_is_needed(kind, tmp_path, monkeypatch):
    monkeypatch.setenv("REAL_CACHE", str(tmp_path / "real"))
    monkeypatch.setenv("REAL_API_KEY", "no key\nat all")
    words, records, num_calls = COMMANDS[kind]
    with servers.Server(lambda request: fails(500)) as server:
        summary, stderr = dry(server, tmp_path, words, records, "-o", tmp_path / "out", "--rejects", tmp_path / "no")
        rows, _ = run(*words, "--endpoint", server.url, "--dry-run", records=records)
    assert server.requests == []
    assert os.listdir(tmp_path) == []
    assert len(rows) == 1
    assert summary["num_calls"] == summary["num_questions"] == num_calls
    assert summary["num_known"] == 0
    assert summary["num_records"] == len(records)
    assert stderr.startswith(f"real: nothing was sent: {len(records)} records, ")


@pytest.mark.parametrize("kind", sorted(set(COMMANDS) - {"rate"}))
def test_a_run_asks_what_was_foretold_and_the_next_dry_run_finds_it_paid_for(kind, tmp_path):
    words, records, _ = COMMANDS[kind]
    with servers.Server(answers) as server:
        before, _ = dry(server, tmp_path, words, records)
        run(*words, "--endpoint", server.url, "--cache", tmp_path / "cache", records=records)
        num_asked = len(server.requests)
        after, stderr = dry(server, tmp_path, words, records)
    assert num_asked == len(server.requests)
    assert before["num_calls"] <= num_asked <= before["most_calls"]
    assert after["num_calls"] == after["most_calls"] == after["input_tokens"] == after["output_tokens"] == 0
    assert after["num_known"] == after["num_questions"]
    assert f", {after['num_known']} answered by the cache; 0 calls, " in stderr


def test_known_answers_tell_how_long_the_others_may_be(tmp_path):
    """Each known answer has 3 tokens; 6 of 12 questions are left: 18 tokens, between 6 and their limits twice."""
    words, records, _ = COMMANDS["judge"]
    with servers.Server(answers) as server:
        unknown, _ = dry(server, tmp_path, words, records)
        run(*words, "--endpoint", server.url, "--cache", tmp_path / "cache", records=records[:3])
        summary, _ = dry(server, tmp_path, words, records, "--price", "5e5,1e6")
    assert unknown["output_tokens"] is None
    assert (summary["num_known"], summary["num_calls"]) == (6, 6)
    assert (summary["output_tokens_low"], summary["output_tokens"]) == (6, 18)
    assert summary["dollars"] == summary["input_tokens"] / 2 + 18
    assert summary["dollars_low"] == summary["input_tokens_low"] / 2 + 6
    assert summary["dollars_high"] == summary["input_tokens_high"] / 2 + summary["output_tokens_high"]
    assert summary["output_tokens_high"] == unknown["output_tokens_high"] / 2


def test_without_a_price_nothing_is_said_of_dollars_and_with_one_both_bounds(tmp_path):
    words, records, _ = COMMANDS["sample"]
    summary, stderr = dry(None, tmp_path, words, records)
    assert not [name for name in summary if "dollar" in name]
    assert "$" not in stderr
    summary, stderr = dry(None, tmp_path, words, records, "--price", "0,2", "--max-tokens", "50")
    assert summary["dollars"] is None
    assert (summary["dollars_low"], summary["dollars_high"]) == (5 * 2 / 1e6, 5 * 2 * 50 * 2 / 1e6)
    assert stderr.rstrip().endswith("$0.00001 to $0.0010")


def test_equal_questions_count_once(tmp_path):
    summary, _ = dry(None, tmp_path, COMMANDS["judge"][0], PAIRS + PAIRS)
    assert (summary["num_records"], summary["num_questions"]) == (12, 12)


def test_a_rubric_that_may_ask_again_says_so(tmp_path):
    summary, _ = dry(None, tmp_path, COMMANDS["rate"][0], PAIRS[:1])
    assert summary["most_calls"] > 2 * summary["num_calls"]
    assert "an answer may lead to a further question" in summary["notes"]


def test_a_question_that_may_be_asked_again_may_be_read_twice(tmp_path):
    """A batch asks once."""
    summary, _ = dry(None, tmp_path, COMMANDS["judge"][0], PAIRS[:1])
    words = [*COMMANDS["judge"][0], "--emit-requests", tmp_path / "requests.jsonl", "--dry-run"]
    ((once,), _) = run(*words, records=PAIRS[:1])
    assert (summary["most_calls"], once["most_calls"]) == (2 * once["num_calls"], once["num_calls"])
    assert summary["input_tokens_high"] == pytest.approx(2 * once["input_tokens_high"])


def test_a_bad_record_ends_a_dry_run_as_it_would_a_run_or_is_counted(tmp_path):
    words = [*COMMANDS["judge"][0], "--endpoint", "http://127.0.0.1:9/v1", "--dry-run"]
    rows, stderr = run(*words, records=[{"id": 1}], status=1)
    assert rows == []
    assert stderr.startswith("real: <stdin>:1: ")
    (summary,), _ = run(*words, "--on-error", "skip", records=[{"id": 1}, *PAIRS], status=3)
    assert summary["num_calls"] == 12


def test_a_batch_is_estimated_too_and_no_file_of_requests_is_made(tmp_path):
    words = ["relabel", "judge", "-m", "gpt-4o-mini", "--emit-requests", tmp_path / "asked.jsonl", "--dry-run"]
    (summary,), _ = run(*words, "--price", "1,1", "--cache", tmp_path / "cache")
    assert summary["num_calls"] == summary["most_calls"] == 12
    assert summary["dollars_high"] > 0
    assert os.listdir(tmp_path) == []


def test_where_nobody_is_asked_a_dry_run_is_refused():
    for words in (["bridge", "--from", "edit"], ["dsat", "--lexical"], ["judge", "-m", "m", "--apply-results", "x"]):
        _, stderr = run("relabel", *words, "--dry-run", status=2)
        assert "--dry-run: not read where " in stderr


def test_what_a_run_would_refuse_a_dry_one_refuses():
    for url in ("localhost", "http://me:secret@localhost/v1"):
        rows, stderr = run("relabel", "judge", "-m", "m", "--endpoint", url, "--dry-run", status=2)
        assert rows == []
        assert stderr.startswith("real: --endpoint")


def test_what_a_resumed_file_holds_is_not_counted_and_the_file_stays_as_it_is(tmp_path):
    words, records, _ = COMMANDS["sample"]
    file = tmp_path / "samples.jsonl"
    with servers.Server(answers) as server:
        run(*words, "--endpoint", server.url, "--resume", file, "--no-cache", records=records[:2])
        torn = file.read_bytes() + b'{"prompt": "q2", "resp'
        file.write_bytes(torn)
        summary, _ = dry(server, tmp_path, words, records, "--resume", file)
    assert summary["num_records"] == 3
    assert file.read_bytes() == torn


def test_a_model_at_hand_counts_by_its_own_tokenizer_and_loads_no_weights(make_tiny_policy, tmp_path):
    folder = make_tiny_policy(seed=7)
    (folder / "model.safetensors").unlink()
    (summary,), stderr = run(
        "sample", "-p", folder, "--max-tokens", "4", "--dry-run", records=[{"prompt": "the cat sat"}]
    )
    assert summary["input_tokens"] == summary["input_tokens_low"] == summary["input_tokens_high"] == 3
    assert "1 call, 3 input tokens, 1 to 4 output tokens" in stderr


@pytest.mark.parametrize("columns", [40, 60, 80, 100, 200])
def test_at_a_terminal_a_table_takes_the_place_of_the_record(columns, tmp_path):
    (tmp_path / "in.jsonl").write_bytes(b"".join(orjson.dumps(row) + b"\n" for row in PAIRS))
    ours, theirs = os.openpty()
    fcntl.ioctl(theirs, termios.TIOCSWINSZ, struct.pack("HHHH", 50, columns, 0, 0))
    words = [*COMMANDS["judge"][0], "--endpoint", "http://127.0.0.1:9/v1", "--dry-run", "--price", "15,75", "in.jsonl"]
    environment = {name: value for name, value in os.environ.items() if name != "COLUMNS"}  # the terminal says it
    with subprocess.Popen(
        [sys.executable, "-m", "real_cli", *words], cwd=tmp_path, stdin=theirs, stdout=theirs, stderr=subprocess.PIPE,
        env=environment | {"TERM": "xterm", "REAL_CACHE": str(tmp_path / "cache")},
    ) as process:  # fmt: skip
        os.close(theirs)
        stderr = process.stderr.read()
        shown = b""
        while True:
            try:
                part = os.read(ours, 1 << 16)
            except OSError:  # the last writer has gone
                break
            if not part:
                break
            shown += part
    os.close(ours)
    lines = re.sub(r"\x1b\[[0-9;?]*[a-zA-Z]", "", shown.decode()).replace("\r", "").split("\n")
    assert process.returncode == 0, stderr
    assert "{" not in shown.decode()
    assert max(map(len, lines)) <= columns
    rows = {line[:13].strip(): line[13:].split() for line in lines}
    assert rows["questions"] == ["12"]
    assert rows["calls"] == ["12", "12", "24"]
    assert rows["output tokens"] == ["unknown", "12", "9,600"]
    assert rows["dollars"][0] == "unknown"
    assert "an answer that cannot be read is asked for once more" in " ".join(line.strip() for line in lines)
