"""Ways to run `real` that the attacks share: in this process, or as one of its own for commands that load no torch."""

import json
import subprocess
import sys
from pathlib import Path

from typer.testing import CliRunner

from real_cli.app import app

REAL = [sys.executable, "-m", "real_cli"]
INSTALLED = str(Path(sys.executable).parent / "real")
PAIR = {"prompt": "q", "chosen": "a good one", "rejected": "bad"}
CANDIDATES = [
    {"id": number, "prompt": f"q{number}", "responses": [{"text": "a", "score": 1}, {"text": "b", "score": 2}]}
    for number in range(3)
]


def lines(*records):
    """Records as JSONL."""
    return b"".join(json.dumps(record).encode() + b"\n" for record in records)


def real(*words, cwd=None, data=b"", status=None, **options):
    """Run a command in a process of its own; standard output and error are bytes."""
    options = {"stdout": subprocess.PIPE, "stderr": subprocess.PIPE} | options
    done = subprocess.run([*REAL, *map(str, words)], input=data, cwd=cwd, check=False, timeout=60, **options)
    assert status is None or done.returncode == status, done
    return done


def invoke(*words, data=b"", env=None):
    """Run a command in this process; no traceback and no bug, whatever it is given."""
    result = CliRunner().invoke(app, [str(word) for word in words], input=data, env=env, prog_name="real")
    assert result.exception is None or isinstance(result.exception, SystemExit), result.exception
    assert "Traceback" not in result.stderr
    assert "this is a bug" not in result.stderr, result.stderr
    return result


def one_line(stderr):
    """Check that an error is one printable line of ours; return it."""
    (line,) = stderr.decode().splitlines()
    assert line.startswith("real: ")
    assert line.isprintable()
    assert "bug" not in line
    return line
