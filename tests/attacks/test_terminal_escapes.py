"""Nothing that a terminal obeys reaches standard error: a server, a file's name, a record, a template."""

import json
import os
import pty
import subprocess

import pytest

from tests.attacks.commands import INSTALLED, PAIR, invoke, lines, real
from tests.servers import Reply, Server, fails

# Sets the clipboard; clears; a title in C1; a line begun anew; a change of direction; a bell.
EVIL = "\x1b]52;c;ZXZpbA==\x07\x1b[2J\x9b31m\x9d0;t\x9c\rreal: all is well\u202e\u2066\x00\x7f\u2028\U000e0041"
IN_A_NAME = EVIL.replace("\x00", "").replace("/", "")
ARGUMENTS = {
    "file": ["pair", IN_A_NAME],
    "command": [IN_A_NAME],
    "command of a group": ["relabel", IN_A_NAME],
    "option": ["pair", f"--{IN_A_NAME}"],
    "short option": ["pair", f"-{IN_A_NAME}"],
    "value": ["pair", "--strategy", IN_A_NAME],
    "number": ["pair", "--seed", IN_A_NAME],
    "share": ["pair", "--keep", IN_A_NAME],
    "limit": ["eval", "pairs", "--limit", IN_A_NAME],
    "output": ["pair", "-o", f"/dev/null/{IN_A_NAME}"],
    "rejects": ["pair", "--rejects", f"/dev/null/{IN_A_NAME}"],
    "rubric": ["relabel", "judge", "-m", "m", "--rubric", IN_A_NAME],
    "endpoint": ["relabel", "judge", "-m", "m", "--endpoint", IN_A_NAME],
    "results": ["relabel", "judge", "-m", "m", "--apply-results", IN_A_NAME],
    "answers": ["relabel", "human", "--import", IN_A_NAME],
    "expression": ["relabel", "weight", "--expression", IN_A_NAME],
    "recipe": ["init", "--recipe", IN_A_NAME],
    "folder": ["init", f"/dev/null/{IN_A_NAME}"],
    "journal": ["relabel", "human", "--journal", f"/dev/null/{IN_A_NAME}"],
}
RECORDS = {
    "prompt": PAIR | {"prompt": {EVIL: EVIL}},
    "field": {EVIL: EVIL},
    "score": {"prompt": "q", "responses": [{"text": "a", "score": EVIL}, {"text": "b"}]},
    "text": {"prompt": EVIL, "responses": [{EVIL: EVIL}]},
}


def assert_printable(data):
    """Check that each line of standard error shows all of itself."""
    for line in data.decode("utf-8").split("\n"):
        assert line.isprintable(), line


@pytest.mark.parametrize("words", ARGUMENTS)
def test_what_an_argument_holds_is_shown(words, tmp_path):
    done = real(*ARGUMENTS[words], data=lines(PAIR), cwd=tmp_path)
    assert done.returncode in (1, 2)
    assert done.stderr.count(b"\n") == 1
    assert_printable(done.stderr)


@pytest.mark.parametrize("name", [EVIL.encode().replace(b"\0", b""), b"\xff\x1b[2J", b"a\nreal: done"])
def test_what_the_name_of_a_file_holds_is_shown(name, tmp_path):
    path = os.fsencode(tmp_path) + b"/" + name[:100]
    with open(path, "wb") as file:
        file.write(b"{}\n")
    done = subprocess.run([INSTALLED, "pair", path], capture_output=True, check=False)
    assert done.returncode == 1
    assert done.stderr.count(b"\n") == 1
    assert_printable(done.stderr)


@pytest.mark.parametrize("record", RECORDS)
def test_what_a_record_holds_is_shown(record):
    for command in (["pair"], ["eval", "pairs"], ["relabel", "weight"]):
        done = invoke(*command, data=lines(RECORDS[record]))
        assert done.exit_code == 1
        assert_printable(done.stderr_bytes)


@pytest.mark.parametrize(
    "reply",
    [
        fails(400, EVIL),
        fails(401, EVIL),
        Reply(EVIL.encode(), 500),
        Reply(EVIL.encode()),
        Reply(json.dumps({"choices": EVIL}).encode()),
        Reply(json.dumps({"choices": [{"message": {"content": EVIL}}]}).encode()),
    ],
)
def test_what_a_server_says_is_shown(reply):
    with Server(lambda request: reply) as server:
        words = ("relabel", "judge", "-m", EVIL, "--endpoint", server.url, "--no-cache", "--retries", 0)
        done = invoke(*words, "--on-error", "skip", data=lines(PAIR))
    assert done.exit_code in (1, 3)
    assert_printable(done.stderr_bytes)


def test_tables_for_a_terminal_obey_no_name_in_the_data(tmp_path):
    records = [
        PAIR | {"strategy": EVIL, "model_chosen": EVIL, "model_rejected": "b", "category": EVIL} for _ in range(3)
    ]
    for command in (["eval", "winrate"], ["eval", "pairs"], ["eval", "labels"], ["eval", "judge"]):
        master, slave = pty.openpty()
        process = subprocess.Popen(
            [INSTALLED, *command], stdin=subprocess.PIPE, stdout=subprocess.DEVNULL, stderr=slave
        )
        os.close(slave)
        process.stdin.write(lines(*records))
        process.stdin.close()
        shown = b""
        while True:
            try:
                shown += os.read(master, 65536)
            except OSError:
                break
        os.close(master)
        assert process.wait(30) in (0, 1)
        for obeyed in (b"]52;", b"\x1b]", b"\x1b[2J", "\x9b".encode(), "\u202e".encode(), b"\x07"):
            assert obeyed not in shown.replace("␛]52;".encode(), b"")


@pytest.mark.parametrize("command", [["pair", "/nowhere"], ["pair"]])
def test_standard_error_that_takes_nothing_is_no_reason_to_fail(command):
    for stream in ("2>&-", "2>/dev/full"):
        words = ["sh", "-c", f'exec "$@" {stream}', "sh", INSTALLED, *command]
        done = subprocess.run(words, input=b"", capture_output=True, check=False)
        assert done.returncode == (1 if command[1:] else 0)


@pytest.mark.slow
def test_what_a_chat_template_says_is_shown(make_tiny_policy):
    evil = EVIL.replace("\0", "").replace("\r", " ").replace("\u2028", " ")
    folder = make_tiny_policy(chat_template="{{ raise_exception('" + evil + "') }}")
    prompt = {"prompt": [{"role": "user", "content": "the cat"}]}
    done = invoke("sample", "--policy", folder, data=lines(prompt))
    assert done.exit_code in (1, 3)
    assert "all is well" in done.stderr
    assert_printable(done.stderr_bytes)
