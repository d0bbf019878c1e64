"""A blind comparison of two models, as real-guide(7) shows it: sampled, asked about and counted in one pipe."""

import json
import re
import shutil

from tests.docs.reading import machine
from tests.relabel.human.terminals import Session

PIPE = """real sample -p base -p mine -n 1 --max-tokens 8 prompts.jsonl |
  real pair -s all --orient none |
  real relabel human --ties keep --journal blind.journal | tee labeled.jsonl |
  real eval winrate --model mine > winrate.json"""
PROMPTS = ["the cat", "why the dog", "how big", "he saw", "she heard it", "the red log", "it ran", "no"]
KEYS = "abatsbab"


def test_two_models_are_compared_blind_and_counted(tmp_path, make_tiny_policy, launched_real):
    folder = tmp_path / "folder"
    folder.mkdir()
    for name, seed in (("base", 0), ("mine", 7)):
        shutil.copytree(make_tiny_policy(seed=seed), folder / name)
    (folder / "prompts.jsonl").write_text("".join(json.dumps({"prompt": text}) + "\n" for text in PROMPTS))
    environment = machine(tmp_path, launched_real)
    changed = [f"{name}={environment[name]}" for name in ("PATH", "REAL_CACHE")]
    session = Session(cwd=folder, program=["env", *changed, "bash", "-euo", "pipefail", "-c", PIPE], data=b"")
    try:
        for number, key in enumerate(KEYS):
            session.wait_for(f"{number} of {len(PROMPTS)}", "── A ", "── B ")
            session.type(key)
        _, errors, status = session.end()
    finally:
        session.close()
    assert status == 0, errors
    assert not re.search(rb"\b(base|mine)\b", session.raw), "the screen names a model"
    rows = [json.loads(line) for line in (folder / "labeled.jsonl").read_text().splitlines()]
    ties = [row for row in rows if "responses" in row]
    wins = [row for row in rows if row.get("model_chosen") == "mine"]
    losses = [row for row in rows if row.get("model_chosen") == "base"]
    assert (len(rows), len(ties), len(wins) + len(losses)) == (7, 1, 6)
    assert {row["annotation"]["shown"] for row in rows} == {"as-is", "swapped"}  # the place tells nothing
    counted = json.loads((folder / "winrate.json").read_text())
    assert (counted["num_wins"], counted["num_ties"], counted["num_losses"]) == (len(wins), 1, len(losses))
    assert "8 of 8 answered: 6 pairs, 1 tie; blind.journal has every answer" in errors
