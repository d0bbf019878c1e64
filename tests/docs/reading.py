"""A new user's machine: a `real` that starts at once, a server that answers, and fingers on the keys."""

import json
import os
import shlex
import sys
from pathlib import Path

from real_cli.models.load.resolve import cache_folder
from tests.relabel.human.terminals import Session
from tests.served import embeds, lengths
from tests.servers import Request, prefers_longer, says

REAL = Path(sys.executable).with_name("real")
URL = "http://localhost:8000/v1"  # the server of the documents
OPEN_SCREEN = b"\x1b[?1049h"


def answer(request):
    """Do what the server of the documents does: embed, score, compare, answer by a schema, or edit a text."""
    if request.path.endswith("/embeddings"):
        return embeds(request)
    if not request.path.endswith("/completions"):
        return lengths(request)
    if "# Response A" in request.words:
        return prefers_longer(request)
    if schema := request.body.get("response_format", {}).get("json_schema", {}).get("schema"):
        return says(json.dumps({name: value_of(rule) for name, rule in schema["properties"].items()}))
    return says("It is edited.")


def value_of(rule):
    """The first value that a rule of a schema allows."""
    if rule.get("type") == "array":
        return [value_of(rule["items"])] * rule.get("minItems", 1)
    if rule.get("type") == "object":
        return {name: value_of(part) for name, part in rule["properties"].items()}
    plain = {"integer": rule.get("minimum", 1), "number": 1.0, "boolean": True}
    return rule["enum"][0] if "enum" in rule else plain.get(rule.get("type"), "words")


def answer_batch(asked, answered):
    """Do what a batch tier does between two commands: answer what was asked."""
    lines = [json.loads(line) for line in asked.read_text().splitlines()]
    replies = [answer(Request(line["url"], {}, line["body"])) for line in lines]
    answers = [
        {"custom_id": line["custom_id"], "response": {"status_code": reply.status, "body": json.loads(reply.body)}}
        for line, reply in zip(lines, replies, strict=True)
    ]
    answered.write_text("".join(f"{json.dumps(line)}\n" for line in answers))


def needs_terminal(shell):
    """Whether a person is asked."""
    return "real relabel human" in shell and "--export" not in shell and "--import" not in shell


def answer_by_hand(folder, shell, environment):
    """Run a block at a terminal of its own, and prefer the first response each time."""
    changed = [f"{name}={environment[name]}" for name in ("PATH", "REAL_CACHE")]
    session = Session(cwd=folder, program=["env", *changed, "bash", "-euo", "pipefail", "-c", shell], data=b"")
    try:
        while session.process.poll() is None:
            if not session.read(0.2) and OPEN_SCREEN in session.raw:  # a question, drawn to its end
                os.write(session.master, b"a")
        _, errors, status = session.end()
    finally:
        session.close()
    assert status == 0, errors


def machine(folder, launched_real):
    """Make a folder of programs and a cache without answers; returns the environment of whoever uses them."""
    cache, programs = folder / "cache", folder / "programs"
    for path in (cache, programs):
        path.mkdir()
    (cache_folder() / "models").mkdir(parents=True, exist_ok=True)
    (cache / "models").symlink_to(cache_folder() / "models")
    # A child of the launcher has no terminal of its own.
    script = f'case "$1 $2" in "relabel human") exec {REAL} "$@" ;; esac\nexec {shlex.join(launched_real)} "$@"\n'
    (programs / "real").write_text(f"#!/bin/sh\n{script}")
    (programs / "real").chmod(0o755)
    return os.environ | {"PATH": f"{programs}{os.pathsep}{os.environ['PATH']}", "REAL_CACHE": str(cache)}
