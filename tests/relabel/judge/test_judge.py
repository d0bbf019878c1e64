"""relabel judge against a scripted server, in processes where the process matters: no record lost, none asked twice."""

import json
import os
import signal
import subprocess
import sys
import time

import orjson
import pytest
from typer.testing import CliRunner

from real_cli.app import app
from real_cli.errors import RecordError
from real_cli.llm.rubric_files import read_rubric, rubric_text
from real_cli.relabel.judge.judge import adapter_of
from tests import servers
from tests.servers import Reply, completion, fails, in_turn, prefers_longer, says

KEY = "sk-a-secret-of-mine"
RECORDS = [
    {"id": n, "prompt": f"q{n}", "responses": [{"text": "x" * (n % 3 + 1)}, {"text": "yy"}], "note": {"n": n}}
    for n in range(9)
]
EACH = """
name = "brevity"
max_tokens = 8
[[question]]
asks = "each"
high = 5
text = "Rate from 1 to 5.\\n{prompt}\\n{response}"
"""


def lines(rows):
    return b"".join(orjson.dumps(row) + b"\n" for row in rows)


def rows(path):
    return [json.loads(line) for line in path.read_bytes().splitlines()]


def judge(tmp_path, *words, records=RECORDS, status=0, environment=None):
    """Run the command with a cache of its own; returns its records, and what it said."""
    words = [*words, "--retries", "1"] if "--endpoint" in words else words
    models = [] if "-m" in words else ["-m", "m"]
    words = ["relabel", "judge", *models, "--cache", tmp_path / "cache", *words]
    result = CliRunner().invoke(app, [str(word) for word in words], input=lines(records), env=environment)
    assert result.exit_code == status, result.stderr + str(result.exception)
    assert "Traceback" not in result.stderr
    return [json.loads(line) for line in result.stdout.splitlines()], result.stderr


@pytest.fixture
def serve():
    """Start scripted servers; they stop with the test."""
    started = []

    def start(script):
        started.append(servers.Server(script))
        return started[-1].__enter__()

    yield start
    for server in started:
        server.__exit__()


@pytest.fixture
def start(tmp_path):
    """Start the command in a process of its own."""
    started = []

    def of(*words, records=RECORDS, **streams):
        (tmp_path / "in.jsonl").write_bytes(lines(records))
        words = ["relabel", "judge", "-m", "m", "--cache", "cache", "--retries", "1", *words, "in.jsonl"]
        process = subprocess.Popen(
            [sys.executable, "-m", "real_cli", *words],
            cwd=tmp_path,
            stdout=streams.get("stdout", subprocess.PIPE),
            stderr=subprocess.PIPE,
        )
        started.append(process)
        return process

    yield of
    for process in started:
        process.kill()
        process.communicate()


def wait_until(true, seconds=15):
    deadline = time.monotonic() + seconds
    while not true():
        assert time.monotonic() < deadline
        time.sleep(0.01)


# A good server


def test_pairs_are_labeled_ties_are_told_and_the_order_is_kept(tmp_path, serve):
    """Lengths 1, 2, 3 against 2: lost, tied, won. Twelve of 18 questions name a winner."""
    server = serve(lambda request: prefers_longer(request)._replace(seconds=0.01 * (len(server.requests) % 3)))
    labeled, stderr = judge(tmp_path, "--endpoint", server.url, "--concurrency", "4")
    assert [(row["id"], row["chosen"]) for row in labeled] == [
        (n, "yy" if n % 3 == 0 else "xxx") for n in range(9) if n % 3 != 1
    ]
    assert [row["note"] for row in labeled] == [{"n": row["id"]} for row in labeled]
    assert len(server.requests) == 18
    assert 1 < server.most_at_once <= 4
    assert stderr == (
        "real: 9 judged; 0 of 9 verdicts flipped with the order (0.0%), 0 a tie in one order only; "
        "18 calls (0 answers known), 126 + 54 tokens; left out: 3 tie\n"
    )


def test_a_second_run_asks_nothing_and_says_the_same(tmp_path, serve):
    server = serve(prefers_longer)
    first, _ = judge(tmp_path, "--endpoint", server.url)
    second, stderr = judge(tmp_path, "--endpoint", server.url)
    assert second == first
    assert len(server.requests) == 18
    assert "; 0 calls (18 answers known), 0 + 0 tokens;" in stderr
    judge(tmp_path, "--endpoint", server.url, "-m", "another")
    assert len(server.requests) == 36


def test_ties_can_be_kept_and_judged_pairs_judged_again(tmp_path, serve):
    server = serve(prefers_longer)
    kept, stderr = judge(tmp_path, "--endpoint", server.url, "--ties", "keep")
    assert [("chosen" in row, row["judge"]["verdict"]) for row in kept[:3]] == [
        (True, "chosen"),
        (False, "tie"),
        (True, "chosen"),
    ]
    assert "left out" not in stderr
    again, stderr = judge(tmp_path, "--endpoint", server.url, "--ties", "keep", records=kept)
    assert again == kept
    assert "6 of 6 agree with the label that was there" in stderr


def test_what_it_cost_is_told_when_the_price_is(tmp_path, serve):
    """126 and 54 tokens at 1,000 and 2,000 dollars a million: 0.126 + 0.108."""
    _, stderr = judge(tmp_path, "--endpoint", serve(prefers_longer).url, "--price", "1000,2000")
    assert "126 + 54 tokens, $0.2340" in stderr


def test_three_responses_become_a_matrix_for_winprob(tmp_path, serve):
    record = {"prompt": "q", "responses": [{"text": "aaa"}, {"text": "b"}, {"text": "cc"}]}
    (matrix_record,), _ = judge(tmp_path, "--endpoint", serve(prefers_longer).url, records=[record])
    result = CliRunner().invoke(app, ["relabel", "winprob", "--from", "preferences"], input=lines([matrix_record]))
    assert [response["prob"] for response in json.loads(result.stdout)["responses"]] == pytest.approx(
        [2.5 / 3, 0.5 / 3, 0.5]
    )


def test_a_rubric_of_ones_own_rates(tmp_path, serve):
    (tmp_path / "own.toml").write_text(EACH)
    server = serve(lambda request: says(json.dumps({"feedback": "f", "score": len(request.words.split("\n")[-1])})))
    rated, _ = judge(tmp_path, "--endpoint", server.url, "--rubric", tmp_path / "own.toml", records=RECORDS[:1])
    assert [response["score"] for response in rated[0]["responses"]] == [1, 2]
    assert rated[0]["responses"][0]["ratings"] == {"brevity": 1}
    assert server.requests[0].body["max_tokens"] == 8


def tags_by_schema(request):
    """A judge that gives each field the first value there is; q1 is said to have none of the 12 categories."""
    properties = request.body["response_format"]["json_schema"]["schema"]["properties"]
    tags = {name: schema.get("enum", ["words"])[0] for name, schema in properties.items()}
    return says(json.dumps(tags | ({"task_category": "Cooking"} if "\n\nq1\n" in request.words else {})))


def test_prompts_alone_are_tagged_one_bad_tag_costs_its_record_and_nothing_is_asked_twice(tmp_path, serve):
    """Three questions a prompt; the one answer that cannot be read is asked for once more."""
    server = serve(tags_by_schema)
    words = ["--endpoint", server.url, "--rubric", "magpie", "--rejects", tmp_path / "rejects"]
    prompts = [{"id": n, "prompt": f"q{n}"} for n in range(3)]
    tagged, _ = judge(tmp_path, *words, records=prompts, status=3)
    assert [(row["id"], row["input_quality"], row["difficulty"], row["task_category"]) for row in tagged] == [
        (n, "very poor", "very easy", "Information seeking") for n in (0, 2)
    ]
    (reject,) = rows(tmp_path / "rejects")
    assert reject["record"] == prompts[1]
    assert reject["reason"].startswith("the answer's 'task_category' is 'Cooking'; one of Information seeking, ")
    assert len(server.requests) == 10
    again, stderr = judge(tmp_path, *words, records=[prompts[0], prompts[2]])
    assert again == tagged
    assert len(server.requests) == 10
    assert stderr == "real: 2 judged; 0 calls (6 answers known), 0 + 0 tokens\n"
    # Responses that came since are no part of the question.
    sampled = [row | {"responses": [{"text": "a"}]} for row in tagged]
    tagged, _ = judge(tmp_path, *words, records=sampled)
    assert tagged == sampled
    assert len(server.requests) == 10


# A bad one: q4 is answered badly, whatever else

TIE = '{"reasons": "", "verdict": "tie"}'
BAD = {
    "slow": (says(TIE, seconds=1.0), "no answer within 0.3 seconds (2 attempts)"),
    "no verdict": (says("It depends."), "the answer names no verdict (A, B or tie): 'It depends.'"),
    "empty": (says(""), "the answer names no verdict (A, B or tie): ''"),
    "cut off": (
        Reply(json.dumps(completion('{"reasons": "I', finish_reason="length")).encode()),
        'the answer names no verdict (A, B or tie): \'{"reasons": "I\' (cut at 400 tokens)',
    ),
    "429": (fails(429, "slow down"), "the server answered 429 (2 attempts): slow down"),
    "500": (fails(500, "oh"), "the server answered 500 (2 attempts): oh"),
    "cut before": (Reply(b"", cut="before"), "the connection was cut (2 attempts): "),
    "cut within": (says(TIE, cut="within"), "the connection was cut (2 attempts): "),
    "broken JSON": (Reply(b'{"choices": ['), "the server's answer is not JSON: '{\"choices\": ['"),
    "HTML": (Reply(b"<html>"), "the server's answer is not JSON: '<html>'"),
    "no choices": (Reply(b'{"choices": []}'), "the server's answer is not a chat completion: {'choices': []}"),
    "null": (says(None), "the server's answer holds no text: "),
    "too long": (fails(400, "too long"), "the server answered 400: too long"),
}


@pytest.mark.parametrize("fault", BAD)
def test_no_record_is_lost_and_each_that_failed_names_its_reason(tmp_path, serve, fault):
    """Input = output + rejects; ties are kept here. Run again, the server mended: only what is missing is asked."""
    reply, reason = BAD[fault]
    server = serve(lambda request: reply if "q4" in request.words else prefers_longer(request))
    words = ["--endpoint", server.url, "--ties", "keep", "--timeout", "0.3"]
    labeled, stderr = judge(tmp_path, *words, "--rejects", tmp_path / "rejects.jsonl", status=3)
    (reject,) = rows(tmp_path / "rejects.jsonl")
    assert [row["id"] for row in labeled] == [0, 1, 2, 3, 5, 6, 7, 8]
    assert (reject["place"], reject["record"]) == ("<stdin>:5", RECORDS[4])
    assert reject["reason"].startswith(reason)
    assert stderr.endswith("; 1 rejected\n")
    assert stderr.count("\n") == 1
    server.requests.clear()
    server.script = prefers_longer
    whole, _ = judge(tmp_path, *words)
    assert [row["id"] for row in whole] == list(range(9))
    assert [row for row in whole if row["id"] != 4] == labeled
    assert len(server.requests) == 2
    assert all("q4" in request.words for request in server.requests)


@pytest.mark.parametrize("first", [fails(429), fails(500), Reply(b"<html>"), says("It depends.")])
def test_what_passes_costs_nothing(tmp_path, serve, first):
    """Broken bodies are not asked for again by the client: they cost the record. All others pass."""
    server = serve(in_turn(first, prefers_longer))
    status = 3 if first.body == b"<html>" else 0
    labeled, _ = judge(tmp_path, "--endpoint", server.url, "--ties", "keep", "--concurrency", "1", status=status)
    assert len(labeled) == (8 if status else 9)


def test_without_a_file_for_rejects_each_reason_is_told(tmp_path, serve):
    server = serve(lambda request: fails(400, "no") if "q4" in request.words else prefers_longer(request))
    _, stderr = judge(tmp_path, "--endpoint", server.url, status=3)
    assert stderr.splitlines()[0] == "real: <stdin>:5: the server answered 400: no"
    assert len(stderr.splitlines()) == 2
    assert judge(tmp_path, "--endpoint", server.url, "--quiet", status=3)[1] == ""


@pytest.mark.parametrize(("status", "hint"), [(401, "check the key"), (404, "check the address and the model's name")])
def test_a_fault_of_the_run_is_one_line_and_what_was_answered_is_kept(tmp_path, serve, status, hint):
    server = serve(lambda request: fails(status, "no") if "q4" in request.words else prefers_longer(request))
    words = ["--endpoint", server.url, "--concurrency", "1", "--ties", "keep"]
    _, stderr = judge(tmp_path, *words, status=1)
    assert stderr == f"real: {server.url}: {status} no; {hint}\n"
    num_answered = sum("q4" not in request.words for request in server.requests)
    assert num_answered >= 8
    server.script = prefers_longer
    server.requests.clear()
    judge(tmp_path, *words)
    # The one that was on its way when the run ended may be asked for again.
    assert 18 - num_answered <= len(server.requests) <= 19 - num_answered


def test_a_server_that_is_not_there_is_one_line(tmp_path):
    url = f"http://127.0.0.1:{servers.free_port()}/v1"
    labeled, stderr = judge(tmp_path, "--endpoint", url, status=1)
    assert labeled == []
    assert stderr.startswith(f"real: {url}: cannot be reached: ")
    assert stderr.endswith("; is the server running?\n")
    assert stderr.count("\n") == 1


def test_a_server_without_schemas_is_told_once(tmp_path, serve):
    server = serve(lambda request: fails(400) if "response_format" in request.body else prefers_longer(request))
    _, stderr = judge(tmp_path, "--endpoint", server.url, "--concurrency", "8")
    assert stderr.count("the server takes no JSON schema") == 1


def test_the_key_is_sent_and_stands_nowhere(tmp_path, serve):
    def script(request):
        return fails(400, f"key {KEY}") if "q4" in request.words else prefers_longer(request)

    server = serve(script)
    words = ["--endpoint", server.url, "--key-variable", "MY_KEY", "--rejects", tmp_path / "rejects", "-o"]
    environment = {"MY_KEY": KEY, "OPENAI_API_KEY": "sk-other", "OPENAI_ORG_ID": "org-other", "HF_TOKEN": "hf_other"}
    _, stderr = judge(tmp_path, *words, tmp_path / "out", status=3, environment=environment)
    assert all(request.headers["authorization"] == f"Bearer {KEY}" for request in server.requests)
    assert "other" not in str(server.requests)
    written = [path.read_bytes() for path in tmp_path.rglob("*") if path.is_file()]
    assert len(written) >= 3
    assert all(KEY.encode() not in data for data in [stderr.encode(), *written])


# Processes


def test_killed_half_way_and_run_again_only_what_is_missing_is_asked(tmp_path, serve, start):
    server = serve(lambda request: prefers_longer(request)._replace(seconds=0.03))
    words = ["--endpoint", server.url, "--concurrency", "2", "--ties", "keep"]
    process = start(*words)
    wait_until(lambda: len(server.requests) >= 5)
    process.send_signal(signal.SIGKILL)
    process.wait()
    wait_until(lambda: server.num_at_once == 0)
    before = [request.words for request in server.requests]
    server.requests.clear()
    output, errors = start(*words).communicate()
    after = [request.words for request in server.requests]
    assert [json.loads(line)["id"] for line in output.splitlines()] == list(range(9))
    # What was on its way when the process died is asked for again, and nothing else.
    assert len(set(before) & set(after)) <= 2
    assert len(set(before) | set(after)) == 18
    assert f"{len(after)} calls ({18 - len(after)} answers known)".encode() in errors


def test_an_interrupt_ends_it_quickly_and_keeps_what_was_answered(tmp_path, serve, start):
    server = serve(lambda request: prefers_longer(request)._replace(seconds=30.0 if "q4" in request.words else 0.0))
    process = start("--endpoint", server.url, "-o", "out", "--concurrency", "4")
    wait_until(lambda: any("q4" in request.words for request in server.requests))
    time.sleep(0.2)
    started = time.monotonic()
    process.send_signal(signal.SIGINT)
    assert process.wait(timeout=10) == 130
    assert time.monotonic() - started < 3
    assert process.stderr.read() == b"real: interrupted\n"
    assert sorted(os.listdir(tmp_path)) == ["cache", "in.jsonl"]


def test_each_record_is_handed_on_when_its_answers_are_there(tmp_path, serve, start):
    """A reader of the pipe does not wait for a buffer to fill."""
    server = serve(lambda request: prefers_longer(request)._replace(seconds=20.0 if "q8" in request.words else 0.0))
    process = start("--endpoint", server.url, "--concurrency", "2", "--ties", "keep")
    started = time.monotonic()
    assert json.loads(process.stdout.readline())["id"] == 0
    assert time.monotonic() - started < 15


def test_a_reader_that_leaves_is_no_error(tmp_path, serve, start):
    process = start("--endpoint", serve(prefers_longer).url, records=RECORDS * 50)
    assert json.loads(process.stdout.readline())
    process.stdout.close()
    assert process.wait(timeout=20) == 0
    assert process.stderr.read() == b""


def test_two_processes_may_share_a_cache(tmp_path, serve, start):
    server = serve(lambda request: prefers_longer(request)._replace(seconds=0.01))
    both = [start("--endpoint", server.url) for _ in range(2)]
    outputs = [process.communicate()[0] for process in both]
    assert outputs[0] == outputs[1] != b""
    assert 18 <= len(server.requests) <= 36


# Batches


def batch_runner(asked, done, reply, broken=()):
    """What a provider's batch tier does: a result for each line, in another order."""
    results = []
    for number, line in enumerate(rows(asked)):
        request = servers.Request(line["url"], {}, line["body"])
        response = {"status_code": 200, "body": json.loads(reply(request).body)}
        if number in broken:
            response = {"status_code": 500, "body": {"error": "oh"}}
        results.append({"custom_id": line["custom_id"], "response": response, "error": None})
    done.write_bytes(lines(reversed(results)))


def test_a_batch_gives_byte_for_byte_what_a_live_run_does(tmp_path, serve):
    asked, done = tmp_path / "asked", tmp_path / "done"
    live, _ = judge(tmp_path / "live", "--endpoint", serve(prefers_longer).url, "--ties", "keep")
    labeled, stderr = judge(tmp_path, "--emit-requests", asked)
    assert labeled == []
    assert stderr == (f"real: 0 judged; 18 requests written to {asked}; left out: 9 waiting for answers\n")
    batch_runner(asked, done, prefers_longer)
    applied, stderr = judge(tmp_path, "--apply-results", done, "--ties", "keep")
    assert [orjson.dumps(row) for row in applied] == [orjson.dumps(row) for row in live]
    assert "; 0 calls (18 answers known), 0 + 0 tokens" in stderr
    # They are in the cache now: no results file, no server.
    kept, _ = judge(tmp_path, "--emit-requests", asked, "--ties", "keep")
    assert kept == applied
    assert asked.read_bytes() == b""


def test_results_with_errors_cost_their_records_and_can_be_asked_for_again(tmp_path):
    asked, done = tmp_path / "asked", tmp_path / "done"
    judge(tmp_path, "--emit-requests", asked)
    batch_runner(asked, done, prefers_longer, broken={0, 17})
    labeled, _ = judge(tmp_path, "--apply-results", done, "--ties", "keep", "--rejects", tmp_path / "bad", status=3)
    assert [row["id"] for row in labeled] == list(range(1, 8))
    assert [(row["record"]["id"], row["reason"]) for row in rows(tmp_path / "bad")] == [
        (n, 'the batch was answered 500: \'{"error":"oh"}\'') for n in (0, 8)
    ]
    labeled, stderr = judge(tmp_path, "--apply-results", done, "--ties", "keep", "--emit-requests", asked)
    assert [row["id"] for row in labeled] == list(range(1, 8))
    assert f"2 requests written to {asked}" in stderr
    batch_runner(asked, done, prefers_longer)
    whole, _ = judge(tmp_path, "--apply-results", done, "--ties", "keep")
    assert [row["id"] for row in whole] == list(range(9))


def test_results_that_lack_an_answer_say_what_writes_it(tmp_path):
    (tmp_path / "done").write_bytes(b"")
    _, stderr = judge(tmp_path, "--apply-results", tmp_path / "done", records=RECORDS[:1], status=3)
    assert stderr.splitlines()[0] == (
        "real: <stdin>:1: the results hold no answer to it; --emit-requests writes what is missing"
    )


def rates(request):
    """Three for all aspects of everything, and a top score that these do not bear out."""
    if len(request.body["messages"]) > 2:
        return says("6")
    if "# Responses" in request.words:
        return says(json.dumps({"ratings": [{"rating": 3, "rationale": "r"}] * request.words.count("## Response ")}))
    return says(json.dumps({"feedback": "f", "score": 10}))


def test_the_second_batch_holds_the_doubtful_scores_alone(tmp_path, serve):
    """Per record 4 aspects and 2 overall scores; both of these are asked for again, in one more batch."""
    asked, done, words = tmp_path / "asked", tmp_path / "done", ["--rubric", "ultrafeedback"]
    live, _ = judge(tmp_path / "live", *words, "--endpoint", serve(rates).url, records=RECORDS[:2])
    for count, number in ((2 * 6, 3), (2 * 2, 5)):
        rated, _ = (
            judge(tmp_path, *words, "--apply-results", done, "--emit-requests", asked, records=RECORDS[:2])
            if (done.exists())
            else judge(tmp_path, *words, "--emit-requests", asked, records=RECORDS[:2])
        )
        assert rated == []
        assert len(rows(asked)) == count
        assert {len(line["body"]["messages"]) for line in rows(asked)} == {2 if number == 3 else 4}
        batch_runner(asked, done, rates)
    rated, stderr = judge(tmp_path, *words, "--apply-results", done, records=RECORDS[:2])
    assert rated == live
    assert {response["ratings"]["overall"] for row in rated for response in row["responses"]} == {6}
    assert "4 overall scores repaired" in stderr


# The command line


def test_a_rubric_can_be_shown_and_used(tmp_path):
    result = CliRunner().invoke(app, ["relabel", "judge", "--show-rubric", "pairwise"])
    assert (result.exit_code, result.stdout) == (0, rubric_text("pairwise"))


@pytest.mark.parametrize(
    ("words", "reason"),
    [
        (["--rubric", "none"], "--rubric: 'none' is no file, and none of pairwise, ultrafeedback"),
        (["--endpoint", "localhost"], "--endpoint 'localhost': an address is needed, as "),
        (["--endpoint", "http://a:b@x/v1"], "--endpoint: no key in the address; put it into the variable REAL_API_KEY"),
        (["--emit-requests", "x", "--endpoint", "http://x/v1"], "--emit-requests asks nobody; leave out --endpoint"),
        (["--emit-requests", "-"], "--emit-requests -: records go to standard output; name a file"),
        (["--no-cache"], "--no-cache and --cache contradict each other"),
        (
            ["--price", "1"],
            "--price '1': two numbers from 0 to 1,000,000, dollars a million tokens, are needed, as 0.15,0.60",
        ),
        (
            ["--price", "1,-1"],
            "--price '1,-1': two numbers from 0 to 1,000,000, dollars a million tokens, are needed, as 0.15,0.60",
        ),
        (
            ["--price", "1e308,1"],
            "--price '1e308,1': two numbers from 0 to 1,000,000, dollars a million tokens, are needed",
        ),
        (
            ["--price", "nan,1"],
            "--price 'nan,1': two numbers from 0 to 1,000,000, dollars a million tokens, are needed, as 0.15,0.60",
        ),
    ],
)
def test_a_mistake_on_the_command_line_is_one_line(tmp_path, words, reason):
    labeled, stderr = judge(tmp_path, *words, status=2)
    assert labeled == []
    assert stderr.startswith(f"real: {reason}")
    assert stderr.count("\n") == 1


def test_a_cache_that_cannot_be_is_one_line(tmp_path):
    (tmp_path / "cache").write_text("a file")
    _, stderr = judge(tmp_path, "--emit-requests", tmp_path / "asked", status=1)
    assert stderr.startswith(f"real: {tmp_path / 'cache'}/answers.sqlite: cannot be used as a cache: ")
    assert stderr.count("\n") == 1


@pytest.mark.parametrize("rubric", ["pairwise", "ultrafeedback", "magpie"])
def test_a_record_whose_tools_a_judge_would_not_see_is_refused(rubric):
    record = {"prompt": "q", "chosen": "a", "rejected": "b", "tools": [{"name": "add"}]}
    adapter = adapter_of(read_rubric(rubric))
    with pytest.raises(RecordError, match="field 'tools' is"):
        adapter(record)
    assert adapter(record | {"tools": []}).record["prompt"] == "q"
