"""A training that was stopped goes on with the next make, and its log with it."""

import json
import shutil

import pytest

from tests.init.projects import color_pairs, init, run_make

pytestmark = [
    pytest.mark.skipif(not shutil.which("make"), reason="make is not installed"),
    pytest.mark.slow,
    pytest.mark.filterwarnings("ignore"),
]
STOP = {"LAUNCHER_HOOK": "tests.attacks.stops:stop", "STOP_IN": "2", "STOP_BY": "SIGTERM"}


def steps_of(folder):
    lines = [json.loads(line) for line in (folder / "run" / "training.jsonl").read_text().splitlines()]
    return [line["step"] for line in lines if "output" not in line]


def test_a_stopped_training_goes_on_with_make_unless_its_settings_changed(launched_real, tiny_policy, tmp_path):
    """The first time it begins anew under another rate, the second time it goes on at its checkpoint."""
    data = color_pairs(tmp_path / "mine.jsonl")
    folder = init(tmp_path / "made", "real")
    words = [f"REAL={' '.join(launched_real)}", f"DATA={data}", f"POLICY={tiny_policy}", "STRATEGY=random"]
    words += ["TRAIN=--preset real --max-steps 4 --batch-size 2"]
    stopped = run_make(folder, *words, check=False, **STOP)
    assert stopped.returncode == 2
    assert "real: stopped at step 2; go on with --resume" in stopped.stderr
    plan = run_make(folder, *words, "plan").stdout
    assert "was stopped: goes on from run/aligned/checkpoint-2, " in plan
    stopped = run_make(folder, *words, "EXTRA=--learning-rate 1e-3", check=False, **STOP)
    assert "run/aligned/checkpoint-2, of a run that was not finished, is given up: its settings were" in stopped.stderr
    done = run_make(folder, *words, "EXTRA=--learning-rate 1e-3")
    assert "real: goes on from run/aligned/checkpoint-2" in done.stderr
    assert steps_of(folder) == [1, 2, 1, 2, 3, 4]
    assert (folder / "run" / "eval.json").exists()
    assert "Nothing to be done" in run_make(folder, *words, "EXTRA=--learning-rate 1e-3").stdout
