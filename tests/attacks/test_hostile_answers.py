"""Answers that make a reader slow or fall: time grows with their length alone, and each costs its own record."""

import json
import time

import pytest

from tests.attacks.commands import PAIR, invoke, lines

# Each was quadratic, or ended the run, in some reader.
ANSWERS = {
    "open braces": "{" * 50_000,
    "open keys": '{"a":' * 15_000,
    "open keys and lists": '{"a":[' * 15_000,
    "quoted braces": '{"' * 50_000,
    "braces in strings": '{"{' * 18_000,
    "nested": '{"a":' * 15_000 + "1" + "}" * 15_000,
    "bad ends": '{"a":1,' * 40_000,
    "half surrogates": '{"a":"\\ud800",' * 20_000 + "1" + "}" * 20_000,
    "score and space": "score" + " " * 50_000 + "x",
    "scores and marks": "score *" * 40_000,
    "line ends": "\n" * 50_000,
    "response and space": "Response" + " " * 50_000 + "x",
    "tag and space": "why: x" + " " * 50_000 + "y",
    "long number": "Response " + "1" * 6_000 + "\nRating: 4",
    "long number in JSON": json.dumps({"ratings": [{"response": "1" * 6_000, "rating": 4}]}),
    "long rating": "Rating: " + "9" * 200_000,
    "long score": '{"score": ' + "9" * 6_000 + "}",
    "thoughts": "<think>" * 15_000,
    "verdicts": "verdict: A or " * 20_000,
}
RUBRICS = {
    "each": 'asks = "each"\nhigh = 5\ntext = "{prompt} {response}"',
    "all": 'asks = "all"\nhigh = 5\ntext = "{prompt} {responses}"',
    "pair": None,
    "prompt": 'asks = "prompt"\ntext = "{prompt}"\n[question.fields]\nwhy = "text"\nkind = ["one", "two words"]',
}


@pytest.mark.parametrize("asks", RUBRICS)
@pytest.mark.parametrize("answer", ANSWERS)
def test_no_answer_holds_a_run_or_ends_it(tmp_path, asks, answer):
    rubric = ["--rubric", tmp_path / "rubric.toml"] if RUBRICS[asks] else []
    (tmp_path / "rubric.toml").write_text(f'name = "r"\nmax_tokens = 8\n[[question]]\n{RUBRICS[asks]}\n')
    command = ("relabel", "judge", "-m", "m", *rubric, "--no-cache")
    assert invoke(*command, "--emit-requests", tmp_path / "asked", data=lines(PAIR)).exit_code in (0, 3)
    asked = [json.loads(line) for line in (tmp_path / "asked").read_bytes().splitlines()]
    assert asked
    body = {"choices": [{"message": {"content": ANSWERS[answer]}}]}
    results = [{"custom_id": line["custom_id"], "response": {"status_code": 200, "body": body}} for line in asked]
    (tmp_path / "results").write_bytes(lines(*results))
    began = time.process_time()
    result = invoke(*command, "--apply-results", tmp_path / "results", "--on-error", "skip", data=lines(PAIR))
    assert result.exit_code in (0, 3)
    assert max(map(len, result.stderr.splitlines()), default=0) < 500
    assert time.process_time() - began < 3
