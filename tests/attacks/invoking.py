"""Ways to run `real` that the attacks share."""

import json
import sys
from pathlib import Path
from subprocess import run

from typer.testing import CliRunner

from real_cli.app import app

REAL = str(Path(sys.executable).parent / "real")
PAIR = {"prompt": "q", "chosen": "a good one", "rejected": "bad"}


def lines(*records):
    """Records as JSONL."""
    return b"".join(json.dumps(record).encode() + b"\n" for record in records)


def invoke(*words, data=b"", env=None):
    """Run a command in this process; no traceback and no bug, whatever it is given."""
    result = CliRunner().invoke(app, [str(word) for word in words], input=data, env=env, prog_name="real")
    assert result.exception is None or isinstance(result.exception, SystemExit), result.exception
    assert "Traceback" not in result.stderr
    assert "this is a bug" not in result.stderr, result.stderr
    return result


def start(*words, data=b"", **streams):
    """Run the installed command in a process of its own."""
    return run([REAL, *map(str, words)], input=data, capture_output=True, check=False, timeout=60, **streams)
