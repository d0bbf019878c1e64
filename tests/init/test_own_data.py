"""Recipes on one's own data: every variable reaches the commands, and no held-out prompt is trained on."""

import json
import os
import re
import shutil
import signal
import subprocess
import time

import pytest

from real_cli.init.recipes import load_recipes
from tests.init.projects import COLORS, color_candidates, color_pairs, environment, init, planned, prompts_in, run_make

pytestmark = pytest.mark.skipif(not shutil.which("make"), reason="make is not installed")
every_recipe = pytest.mark.parametrize("name", load_recipes())
OTHERS = re.compile(r"smollm2|OpenAssistant|FsfairX|gpt-4|candidates\.jsonl|prompts\.jsonl'|openai\.com")
# Who asks nobody where the responses have scores.
ASKS_NOBODY = {"dlma"}


@pytest.fixture
def settings(tmp_path):
    """Settings of somebody with pairs in another folder, a model of 7B and a judge."""
    color_pairs(tmp_path / "mine.jsonl")
    return {
        "DATA": str(tmp_path / "mine.jsonl"),
        "HELDOUT": "25%",
        "POLICY": "/models/seven-b",
        "ENCODER": "/models/encoder",
        "ENDPOINT": "http://judge:8000/v1",
        "MODEL": "the-judge",
        "EXTRA": "--qlora --batch-tokens 4096",
        "DEVICE": "cuda:1",
        "REPORT": "my report.html",
    }


def check_commands(name, lines, settings):
    """All settings are in the commands, and no model or data of the recipe's own."""
    commands = [line for line in lines if line.startswith("real ")]
    assert len(commands) > 4
    assert [line for line in commands if OTHERS.search(line)] == []
    trained = [line for line in commands if " train-dpo " in line]
    assert trained
    assert all(settings["EXTRA"] in line and "--device cuda:1" in line for line in trained)
    assert re.search(r" train-dpo (-p|--policy) /models/seven-b ", trained[0])
    assert any(line.startswith("real split --heldout '25%' ") and settings["DATA"] in line for line in commands)
    asked = [line for line in commands if "--endpoint http://judge:8000/v1 --model the-judge" in line]
    assert bool(asked) is (name not in ASKS_NOBODY)
    # Of many trainings none is the one whose curves are drawn.
    assert f"--report 'my report.html'{'' if name in ('budget', 'compare') else ' --training run/'}" in commands[-1]


@every_recipe
def test_the_command_line_reaches_every_command(name, settings, tmp_path):
    """`make DATA=... POLICY=...`: nothing is left of what the recipe came with."""
    folder = init(tmp_path / "made", name)
    check_commands(name, planned(folder, *(f"{key}={value}" for key, value in settings.items())), settings)


@pytest.mark.parametrize("name", ["real", "sppo", "drift"])
def test_the_environment_and_config_mk_do_as_the_command_line_does(name, settings, tmp_path):
    """The environment first; then config.mk, which goes before it; the command line goes before both."""
    folder = init(tmp_path / "made", name)
    check_commands(name, planned(folder, **settings), settings)
    (folder / "config.mk").write_text("".join(f"{key} = {value}\n" for key, value in settings.items()))
    check_commands(name, planned(folder, POLICY="/models/other"), settings)
    assert any("--policy /models/third" in line for line in planned(folder, "POLICY=/models/third"))


def test_a_config_that_is_written_is_all_comments(tmp_path):
    """Without one the recipe is the same."""
    folder = init(tmp_path / "made", "real")
    before = planned(folder)
    (folder / "config.mk").unlink()
    assert planned(folder) == before


@pytest.mark.parametrize(
    ("setting", "message"),
    [
        ("DATA=none.jsonl", "DATA = none.jsonl: no such file in "),
        ("DATA=a:b.jsonl", "DATA = a:b.jsonl: holds :, which make would misread; "),
        ("DATA=a#b.jsonl", "DATA = a#b.jsonl: holds #, which make would misread; "),
        ("HELDOUT=none.jsonl", "HELDOUT = none.jsonl: no such file in "),
        ("POLICY=my model", "POLICY = my model: holds a space; "),
        ("O=my run", "O = my run: holds a space; "),
        ("ENDPOINT=http://judge/v1", "ENDPOINT = http://judge/v1: MODEL is missing; "),
    ],
)
def test_what_make_cannot_have_is_refused_in_words(setting, message, tmp_path):
    """One line, before anything runs; `make clean` needs no data."""
    folder = init(tmp_path / "made", "real")
    done = run_make(folder, "-n", setting, check=False)
    assert done.returncode == 2
    assert done.stdout == ""
    assert len(done.stderr.splitlines()) == 1
    assert message in done.stderr
    if "no such file" in message:
        assert run_make(folder, "clean", setting).returncode == 0


# Really through make

REAL_SETTINGS = ("TRAIN=--preset real --max-steps 2 --batch-size 2", "KEEP=100%", "STRATEGY=random")


@pytest.fixture
def make(launched_real, tmp_path):
    """Run make with a `real` that has all its libraries."""

    def of(folder, *words, **more):
        return run_make(folder, f"REAL={' '.join(launched_real)}", *words, **more)

    return of


def trained_files(folder):
    """Everything of a run that has prompts, but for the held-out side."""
    files = (folder / "run").rglob("*.jsonl")
    return [path for path in files if "heldout" not in path.name and path.name != "training.jsonl"]


@pytest.mark.slow
@pytest.mark.parametrize("layout", [color_pairs, color_candidates], ids=["pairs", "candidates"])
def test_real_on_data_of_another_folder_holds_prompts_out(layout, make, tiny_policy, tmp_path):
    """A tenth by default, whatever the layout; the file's name has a space, and it stays as it is."""
    data = layout(tmp_path / "my own data.jsonl")
    before = data.read_bytes()
    folder = init(tmp_path / "made", "real")
    make(folder, f"DATA={data}", f"POLICY={tiny_policy}", *REAL_SETTINGS)
    held = prompts_in(folder / "run" / "heldout.jsonl")
    assert len(held) == max(1, len(COLORS) // 10)
    files = trained_files(folder)
    assert {path.name for path in files} >= {"embedded.jsonl", "chosen.jsonl", "train.jsonl"}
    assert [path for path in files if held & prompts_in(path)] == []
    assert held | prompts_in(folder / "run" / "split" / "train.jsonl") == prompts_in(data)
    assert json.loads((folder / "run" / "eval.json").read_text())["num_pairs"] >= 1
    assert data.read_bytes() == before


@pytest.mark.slow
def test_rounds_on_pairs_of_ones_own_hold_prompts_out(make, tiny_policy, tiny_reward, tmp_path):
    """SPPO takes the prompts alone, and a reward model scores both sides; a file with held-out prompts does too."""
    data = color_pairs(tmp_path / "mine.jsonl")
    folder = init(tmp_path / "made", "sppo")
    words = (
        *(f"DATA={data}", f"POLICY={tiny_policy}", f"MODEL={tiny_reward}", "ROUNDS=1 2", "SHARES=2", "K=3"),
        *("SAMPLE=--max-tokens 8", "TRAIN=--preset sppo --max-steps 1 --batch-size 1"),
    )
    make(folder, *words, "HELDOUT=34%")
    held = prompts_in(folder / "run" / "heldout.jsonl")
    assert 1 <= len(held) <= 4
    files = trained_files(folder)
    assert {"odds.jsonl", "pairs.jsonl", "sampled.jsonl"} <= {path.name for path in files}
    assert [path for path in files if held & prompts_in(path)] == []
    mine = color_pairs(tmp_path / "held out.jsonl", ["red", "blue", "brown"])
    make(folder, *words, f"HELDOUT={mine}", "O=run/again")
    assert prompts_in(folder / "run" / "again" / "heldout.jsonl") == prompts_in(mine)
    assert prompts_in(folder / "run" / "again" / "split" / "prompts.jsonl") == prompts_in(data) - prompts_in(mine)


@pytest.mark.slow
def test_a_make_that_is_killed_between_stages_goes_on(launched_real, tiny_policy, tmp_path):
    """What is whole is not made again; the held-out side stays the same."""
    data = color_candidates(tmp_path / "mine.jsonl")
    folder = init(tmp_path / "made", "real")
    words = [f"REAL={' '.join(launched_real)}", f"DATA={data}", f"POLICY={tiny_policy}", *REAL_SETTINGS]
    command = ["make", "-C", str(folder), *words]
    with subprocess.Popen(
        command, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL, env=environment(), start_new_session=True
    ) as process:
        embedded = folder / "run" / "embedded.jsonl"
        deadline = time.monotonic() + 120
        while not embedded.exists() and time.monotonic() < deadline:
            time.sleep(0.05)
        os.killpg(process.pid, signal.SIGKILL)
    kept = {path: (path.stat().st_mtime_ns, path.read_bytes()) for path in (embedded, folder / "run" / "heldout.jsonl")}
    notes = run_make(folder, *words).stdout
    assert " embed " not in notes
    assert " train-dpo " in notes
    assert {path: (path.stat().st_mtime_ns, path.read_bytes()) for path in kept} == kept
    assert (folder / "run" / "eval.json").exists()
    assert "Nothing to be done" in run_make(folder, *words).stdout
