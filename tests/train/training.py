"""Run commands in this process, and rows that every objective can read."""

import json

import orjson
from typer.testing import CliRunner

from real_cli.app import app
from real_cli.io.job import Located

FAST = ["--learning-rate", "1e-3", "--batch-size", "2", "--device", "cpu", "--max-length", "12"]


def run(*words, rows=None, status=0):
    """Run a command; rows are its standard input. Returns its records, and what it said."""
    data = b"".join(orjson.dumps(row) + b"\n" for row in rows or [])
    result = CliRunner().invoke(app, [str(word) for word in words], input=data)
    assert result.exit_code == status, result.stderr + str(result.exception)
    return [json.loads(line) for line in result.stdout.splitlines()], result.stderr


def train(policy, folder, rows, *words, status=0):
    """Train for a moment; later options win over the fast ones."""
    return run("train-dpo", "--policy", policy, "--output", folder, *FAST, *words, rows=rows, status=status)


def with_everything(pair_rows):
    """Pairs with a third response, degraded copies, scores, win probabilities, an offset and a stage."""
    return [
        row
        | {"reference": " the mat", "prob_chosen": 0.8, "prob_rejected": 0.25, "offset": float(number)}
        | {"degraded": [{"text": row["chosen"][:8], "degree": 1}, {"text": " the", "degree": 2}]}
        | {"score_chosen": 3 + number, "score_rejected": 1, "stage": 1 + number % 2, "gap": number * 3 % 8}
        for number, row in enumerate(pair_rows)
    ]


def write_rows(path, rows):
    """Write rows to a file; return its path."""
    path.write_bytes(b"".join(orjson.dumps(row) + b"\n" for row in rows))
    return path


def located(rows, source="pairs.jsonl"):
    """Rows with the places that they would have in a file."""
    return [Located(f"{source}:{number}", row) for number, row in enumerate(rows, 1)]
