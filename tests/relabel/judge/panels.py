"""What tests of panels share: the command, and judges who are scripted."""

import hashlib
import json
import re

import orjson
from typer.testing import CliRunner

from real_cli.app import app
from tests.servers import says

SHOWN = re.compile(r"# Prompt\s+(.*?)\s+# Response A\s+(.*?)\s+# Response B\s+(.*?)\s+# Your answer", re.DOTALL)
PAIRS = [{"id": n, "prompt": f"q{n}", "responses": [{"text": "x" * (n % 3 + 1)}, {"text": "yy"}]} for n in range(6)]


def lines(rows):
    return b"".join(orjson.dumps(row) + b"\n" for row in rows)


def rows(path):
    return [json.loads(line) for line in path.read_bytes().splitlines()]


def panel(tmp_path, *words, records=PAIRS, status=0, environment=None):
    """Run the command with a cache of its own; returns its records, and what it said."""
    words = ["relabel", "judge", "--cache", tmp_path / "cache", *words]
    result = CliRunner().invoke(app, [str(word) for word in words], input=lines(records), env=environment)
    assert result.exit_code == status, result.stderr + str(result.exception)
    assert "Traceback" not in result.stderr
    return [json.loads(line) for line in result.stdout.splitlines()], result.stderr


def verdict(word):
    return says(json.dumps({"reasons": "", "verdict": word}))


def always(word):
    """A judge who looks at the place alone."""
    return lambda request: verdict(word)


def prompt_of(request):
    return SHOWN.search(request.words)[1]


def draw(*parts):
    """A number from 0 to 1 that depends on nothing else."""
    return int.from_bytes(hashlib.blake2b(repr(parts).encode(), digest_size=6).digest()) / 2**48


def right_with(probability, seed):
    """A judge who finds the response named "good" with a probability, whatever the order."""

    def script(request):
        prompt, a, _ = SHOWN.search(request.words).groups()
        is_right = draw(request.body["model"], prompt, seed) < probability
        return verdict("A" if a.startswith("good") == is_right else "B")

    return script
