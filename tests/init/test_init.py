"""`real init`: the project it writes is whole, and make knows its order."""

import json
import shutil
import subprocess

import pytest
from typer.testing import CliRunner

from real_cli.app import app
from tests.init.projects import planned, run_make

MADE = [
    "train.jsonl",
    "test.jsonl",
    "embedded.jsonl",
    "pairs.jsonl",
    "heldout-pairs.jsonl",
    "aligned/real.json",
    "before.json",
    "after.json",
    "results.txt",
]


@pytest.fixture
def project(tmp_path):
    result = CliRunner().invoke(app, ["init", str(tmp_path / "demo")])
    assert result.exit_code == 0
    return tmp_path / "demo"


def test_it_writes_a_makefile_and_data_and_nothing_over_what_is_there(project):
    """A second init into the same folder is refused."""
    assert sorted(path.name for path in project.iterdir()) == ["Makefile", "candidates.jsonl", "heldout.jsonl"]
    result = CliRunner().invoke(app, ["init", str(project)])
    assert result.exit_code == 1
    assert "not empty" in result.stderr


def test_no_held_out_prompt_is_trained_on(project):
    """The two files share no prompt."""
    prompts = [
        {json.dumps(json.loads(line)["prompt"]) for line in (project / name).read_text().splitlines()}
        for name in ("candidates.jsonl", "heldout.jsonl")
    ]
    assert len(prompts[0]) > 200
    assert not prompts[0] & prompts[1]


@pytest.mark.skipif(not shutil.which("make"), reason="make is not installed")
def test_make_runs_each_stage_once_and_then_has_nothing_to_do(project, tmp_path):
    """With a stand-in for `real` that makes the files: the order of the stages, -j, and a second make."""
    stand_in = tmp_path / "real"
    stand_in.write_text(
        "#!/bin/sh\n"
        f'echo "$1 $2" >> {tmp_path}/log\n'
        'output=\nfor word; do [ "$last" = -o ] && output=$word; [ "$last" = --output ] && output=$word/real.json; '
        '[ "$last" = --export-logps ] && : > $word; last=$word; done\n'
        "mkdir -p aligned\n"
        """printf '{"num_ties":1,"accuracy":0.25,"margin":2.5}' > $output\n"""
    )
    stand_in.chmod(0o755)
    make = ["make", "-j4", "-C", str(project), f"REAL={stand_in}"]
    done = subprocess.run(make, capture_output=True, text=True)
    assert done.returncode == 0, done.stderr
    assert all((project / name).exists() for name in MADE)
    assert (project / "results.txt").read_text().splitlines()[1].split() == ["before", "1", "0.250", "2.500"]
    ran = (tmp_path / "log").read_text().splitlines()
    assert len(ran) == 8
    assert ran.index("train-dpo --policy") > ran.index("embed train.jsonl")
    again = subprocess.run(make, capture_output=True, text=True)
    assert "Nothing to be done" in again.stdout
    assert len((tmp_path / "log").read_text().splitlines()) == 8


@pytest.mark.skipif(not shutil.which("make"), reason="make is not installed")
def test_the_demo_takes_data_and_a_model_of_ones_own(project, tmp_path):
    """Then a tenth is held out of them; what comes with it is not read."""
    data = tmp_path / "mine.jsonl"
    data.write_text('{"prompt": "q", "chosen": "a", "rejected": "b"}\n')
    lines = planned(project, f"DATA={data}", "POLICY=/models/seven-b", "EXTRA=--qlora")
    assert f"real split --heldout 10% {data} -o train.jsonl" in lines
    assert not [line for line in lines if "smollm2" in line or "candidates" in line or " heldout.jsonl" in line]
    assert any("train-dpo --policy /models/seven-b" in line and " --qlora pairs.jsonl" in line for line in lines)
    refused = run_make(project, "DATA=none.jsonl", check=False)
    assert "DATA = none.jsonl: no such file in " in refused.stderr
    assert "HELDOUT = my file: holds a space; " in run_make(project, "HELDOUT=my file", check=False).stderr
