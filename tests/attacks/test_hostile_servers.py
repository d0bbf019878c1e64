"""Servers that drip, flood, pack, misdirect, miscount and repeat the key: each costs its record, never the run."""

import gzip
import itertools
import json
import sqlite3
import time
import zlib

import pytest

from tests.attacks.commands import PAIR, invoke, lines
from tests.servers import Reply, Server, completion, drips, fails, prefers_longer, says

KEY = "sk-Proj-0123456789abcdef"
ECHOES = {
    "content": lambda: says(f"Key {KEY}. Verdict: A"),
    "case": lambda: says(f"{KEY.upper()} Verdict: A"),
    "broken over lines": lambda: says(f"{KEY[:9]}\n{KEY[9:]} Verdict: A"),
    "escaped": lambda: Reply(json.dumps(completion("Verdict: A KEY")).encode().replace(b"KEY", escaped(KEY))),
    "finish reason": lambda: says_with({"finish_reason": KEY}),
    "other field": lambda: Reply(json.dumps(completion("A") | {"system_fingerprint": KEY}).encode()),
    "name of a field": lambda: Reply(json.dumps(completion("A") | {KEY: 1}).encode()),
    "usage": lambda: Reply(json.dumps(completion("A") | {"usage": KEY}).encode()),
    "no completion": lambda: Reply(json.dumps({"choices": KEY}).encode()),
    "no JSON": lambda: Reply(b"<b>" + KEY.encode()),
    "400": lambda: fails(400, f"bad key {KEY}"),
    "500": lambda: Reply(json.dumps({"detail": [KEY]}).encode(), 500),
    "reason": lambda: Reply(b"", 418, headers=(("Retry-After", KEY),)),
    "redirect": lambda: Reply(b"", 307, headers=(("Location", f"/v1/{KEY}"),)),
}


def escaped(text):
    return "".join(f"\\u{ord(letter):04x}" for letter in text).encode()


def says_with(changes):
    return Reply(json.dumps(completion("Verdict: A", **changes)).encode())


def judge(tmp_path, script, *words, records=3, timeout=20, retries=0, env=None):
    """Judge pairs, going on after faults; returns the run, its records, its rejects and the server."""
    pairs = [PAIR | {"id": n, "prompt": f"q{n}"} for n in range(records)]
    folder = tmp_path / "run"
    folder.mkdir(exist_ok=True)
    with Server(script) as server:
        result = invoke(
            *("relabel", "judge", "-m", "m", "--endpoint", server.url, "--cache", folder / "cache"),
            *("--timeout", timeout, "--retries", retries, "--on-error", "skip", "--rejects", folder / "rejects"),
            *words,
            data=lines(*pairs),
            env=env,
        )
    kept = folder / "rejects"
    rejects = [json.loads(line) for line in kept.read_bytes().splitlines()] if kept.exists() else []
    return result, [json.loads(line) for line in result.stdout.splitlines()], rejects, server


def first_wrong(reply):
    """A script: the question about q0 is answered wrongly, the others well."""

    def script(request):
        return reply() if "q0" in request.words else prefers_longer(request)

    return script


def costs_its_record(tmp_path, reply, **changes):
    """Check that two of three records are answered and one is not; returns the reason."""
    result, records, rejects, _ = judge(tmp_path, first_wrong(reply), **changes)
    assert result.exit_code == 3
    assert [record["id"] for record in records] == [1, 2]
    assert [reject["record"]["id"] for reject in rejects] == [0]
    return rejects[0]["reason"]


def test_a_byte_now_and_then_does_not_hold_a_question_beyond_its_time(tmp_path):
    began = time.monotonic()
    reason = costs_its_record(tmp_path, lambda: drips("Verdict: A" * 40), timeout=0.5)
    assert reason == "no answer within 0.5 seconds"
    assert time.monotonic() - began < 5


def test_a_slow_but_whole_answer_is_taken(tmp_path):
    result, records, _, server = judge(tmp_path, lambda request: drips('{"verdict": "tie"}', 0.001), records=1)
    assert (result.exit_code, len(records), len(server.requests)) == (0, 0, 2)
    assert "1 tie" in result.stderr


@pytest.mark.parametrize(
    ("status", "reason"), [(200, "longer than 4 MiB"), (400, "answered 400"), (500, "answered 500")]
)
def test_a_body_without_end_is_left(tmp_path, status, reason):
    flood = Reply(b"", status, pieces=lambda: itertools.repeat(b" " * 65536))
    assert reason in costs_its_record(tmp_path, lambda: flood)


def test_a_body_beyond_the_limit_is_named(tmp_path):
    assert costs_its_record(tmp_path, lambda: says("x" * (5 << 20))).endswith("longer than 4 MiB")


@pytest.mark.parametrize("encoding", ["gzip", "deflate", "gzip, gzip", "br", "zstd"])
def test_a_packed_body_is_not_unpacked(tmp_path, encoding):
    bomb = gzip.compress(b" " * (1 << 20)) if encoding != "deflate" else zlib.compress(b" " * (1 << 20))
    reply = Reply(bomb, headers=(("Content-Encoding", encoding),))
    assert "compressed" in costs_its_record(tmp_path, lambda: reply)


def test_a_charset_that_unpacks_is_not_believed(tmp_path):
    reply = Reply(zlib.compress(b" " * (1 << 20)), 400, headers=(("Content-Type", "text/plain; charset=zlib"),))
    assert "400" in costs_its_record(tmp_path, lambda: reply)


def test_nobody_is_followed_to_another_address(tmp_path):
    with Server(prefers_longer) as other:
        moved = Reply(b"", 307, headers=(("Location", f"{other.url}/chat/completions"),))
        result, *_ = judge(tmp_path, lambda request: moved, env={"REAL_API_KEY": KEY})
    assert result.exit_code == 1
    assert other.requests == []
    assert "307" in result.stderr


@pytest.mark.parametrize("wait", ["86400", "1e308", "Fri, 31 Dec 2100 23:59:59 GMT"])
def test_a_server_that_asks_to_wait_a_day_is_not_waited_for(tmp_path, wait):
    began = time.monotonic()
    busy = Reply(b'{"error": {"message": "busy"}}', 429, headers=(("Retry-After", wait), ("x-should-retry", "true")))
    assert "asks to wait" in costs_its_record(tmp_path, lambda: busy, retries=3)
    assert time.monotonic() - began < 5


# Numbers


@pytest.mark.parametrize("count", [1e308, -1, "7", True, [], {}, 0.5, 10**18])
@pytest.mark.parametrize("name", ["prompt_tokens", "completion_tokens"])
def test_a_count_of_tokens_that_is_none_costs_its_record(tmp_path, name, count):
    usage = {"prompt_tokens": 7, "completion_tokens": 3} | {name: count}
    reply = Reply(json.dumps(completion("Verdict: A") | {"usage": usage}).encode())
    assert "counts tokens as" in costs_its_record(tmp_path, lambda: reply)


@pytest.mark.parametrize(
    "change",
    [
        {"text": b"\x00\xff"},
        {"text": 7},
        {"is_cut": "yes"},
        {"is_cut": 1.5},
        {"num_prompt_tokens": "many"},
        {"num_prompt_tokens": -5},
        {"num_completion_tokens": 1e300},
        {"num_completion_tokens": b"3"},
        {"text": "CAST(x'ff' AS TEXT)"},
    ],
    ids=str,
)
def test_a_kept_answer_of_another_type_is_asked_for_again(tmp_path, change):
    judge(tmp_path, prefers_longer)
    database = sqlite3.connect(next((tmp_path / "run" / "cache").glob("*.sqlite")))
    ((name, value),) = change.items()
    column = value if isinstance(value, str) and value.startswith("CAST") else "?"
    if isinstance(value, int | float) and name == "text":  # the column turns numbers to text
        value = memoryview(str(value).encode())
    with database:
        database.execute(f"UPDATE answers SET {name} = {column}", () if column != "?" else (value,))
    database.close()
    result, records, rejects, server = judge(tmp_path, prefers_longer)
    assert (result.exit_code, len(records), rejects) == (0, 3, [])
    assert len(server.requests) == 6
    assert "could not be read" in result.stderr


# The key


@pytest.mark.parametrize("echo", ECHOES)
def test_a_key_that_a_server_repeats_reaches_nothing(tmp_path, echo):
    result, *_ = judge(tmp_path, lambda request: ECHOES[echo](), env={"REAL_API_KEY": KEY})
    assert result.exit_code in (1, 3)
    kept = [path.read_bytes() for path in tmp_path.rglob("*") if path.is_file()]
    everything = b"".join([result.stdout_bytes, result.stderr_bytes, *kept]).lower()
    for piece in (KEY, KEY[:9], KEY[9:]):
        assert piece.lower().encode() not in everything


@pytest.mark.parametrize("key", [f"Bearer {KEY}", f"{KEY}, other", f"{KEY}\n{KEY}", "schlüssel-0123456789"])
def test_more_than_a_key_is_refused_since_a_part_of_it_could_be_repeated(tmp_path, key):
    result, *_, server = judge(tmp_path, prefers_longer, env={"REAL_API_KEY": key})
    assert result.exit_code == 2
    assert server.requests == []
    assert "give the key alone" in result.stderr
    assert KEY not in result.stderr


def test_a_short_key_may_stand_in_an_answer_by_chance(tmp_path):
    result, records, *_ = judge(tmp_path, prefers_longer, env={"REAL_API_KEY": "verdict"})
    assert (result.exit_code, len(records)) == (0, 3)
