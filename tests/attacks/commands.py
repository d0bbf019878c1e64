"""Run `real` as a process of its own, for commands that load no torch."""

import json
import subprocess
import sys

REAL = [sys.executable, "-m", "real_cli"]


def lines(*records):
    return b"".join(json.dumps(record).encode() + b"\n" for record in records)


def real(*words, cwd, data=b"", status=None, **options):
    """Run a command; standard output and error are bytes."""
    options = {"stdout": subprocess.PIPE, "stderr": subprocess.PIPE} | options
    done = subprocess.run([*REAL, *words], input=data, cwd=cwd, check=False, timeout=60, **options)
    assert status is None or done.returncode == status, done
    return done


def one_line(stderr):
    """Check that an error is one printable line of ours; return it."""
    (line,) = stderr.decode().splitlines()
    assert line.startswith("real: ")
    assert line.isprintable()
    assert "bug" not in line
    return line


CANDIDATES = [
    {"id": number, "prompt": f"q{number}", "responses": [{"text": "a", "score": 1}, {"text": "b", "score": 2}]}
    for number in range(3)
]
