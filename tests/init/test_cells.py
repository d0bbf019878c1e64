"""Recipes of many policies: what each cell is trained on and where."""

import re
import shutil

import pytest

from tests.init.projects import init, planned, run_make

pytestmark = pytest.mark.skipif(not shutil.which("make"), reason="make is not installed")
both = pytest.mark.parametrize(
    ("name", "words"),
    [("budget", ["STRATEGIES=easy", "BUDGETS=2 4"]), ("compare", ["METHODS=dpo ipo"])],
    ids=["budget", "compare"],
)


def devices_of(lines):
    """The devices of the commands that ask for one, by what the command writes; cells are trained, then measured."""
    devices = {}
    for line in lines:
        for command in line.split(" | "):
            written = re.search(r"(?:--rows|--export-logps|-o) (\S+)", command)
            if re.match(r"\s*real (embed|train-dpo|eval margin) ", command):
                devices[written[1]] = (re.findall(r"--device (\S+)", command) or [None])[0]
    return devices


@both
def test_a_device_of_the_project_is_that_of_every_command(name, words, tmp_path):
    """Also of what is made once for all cells."""
    folder = init(tmp_path / "made", name)
    with (folder / "config.mk").open("a") as config:
        config.write("DEVICE = cuda:1\n")
    devices = devices_of(planned(folder, *words, "SEEDS=1"))
    assert len(devices) == (6 if name == "budget" else 5)
    assert set(devices.values()) == {"cuda:1"}


@both
def test_devices_are_dealt_out_to_cells_whatever_device_is_set(name, words, tmp_path):
    folder = init(tmp_path / "made", name)
    devices = devices_of(planned(folder, *words, "SEEDS=1", "DEVICES=cuda:0 cuda:1", "DEVICE=cuda:9"))
    cells = [devices.pop(written) for written in list(devices) if "/cells/" in written]
    assert sorted(cells) == ["cuda:0", "cuda:0", "cuda:1", "cuda:1"]
    assert set(devices.values()) == {"cuda:9"}


def test_a_budget_may_be_a_share_with_a_fraction(tmp_path):
    """The seed stays the seed."""
    lines = planned(init(tmp_path / "made", "budget"), "STRATEGIES=easy", "BUDGETS=2.5% 0.5% 7", "SEEDS=3")
    chosen = [re.search(r"--keep (\S+) --seed (\S+)", line).groups() for line in lines if "--keep" in line]
    assert chosen == [("2.5%", "3"), ("0.5%", "3"), ("7", "3")]
    assert [tag for line in lines for tag in re.findall(r"--tag seed=(\S+)", line)] == ["3"] * 3


@both
def test_what_is_named_twice_is_read_once(name, words, tmp_path):
    lines = planned(init(tmp_path / "made", name), *words, "SEEDS=1 1")
    [last] = [line for line in lines if f"real eval {name}" in line]
    assert re.findall(r"cells/(\S+)/rows", last) == (
        ["easy.2.1", "easy.4.1"] if name == "budget" else ["dpo.1", "ipo.1"]
    )


def test_the_strategies_are_the_same_on_all_labels(tmp_path):
    """Of pairs with labels all of them are trained on once a seed, and no cell of a strategy has them."""
    folder = init(tmp_path / "made", "budget")
    (folder / "mine.jsonl").write_text('{"prompt": "q", "chosen": "a", "rejected": "b"}\n')
    lines = planned(folder, "DATA=mine.jsonl", "HELDOUT=50%", "STRATEGIES=easy hard", "BUDGETS=50% 100%", "SEEDS=1 2")
    chosen = [re.search(r"--strategy (\S+) --keep (\S+)", line).groups() for line in lines if "--keep" in line]
    assert chosen == [("easy", "50%"), ("hard", "50%"), ("easy", "100%")] * 2


# What writes each file that it is asked for.
REAL = """#!/bin/sh
for word; do
  case "$1$last" in
    train-dpo-o) mkdir -p "$word";;
    *-o|*--rows|*--sound|*--export-logps) mkdir -p "${word%/*}"; echo > "$word";;
  esac
  last=$word
done
"""


@pytest.mark.parametrize(
    ("name", "before", "after", "added"),
    [
        ("budget", ["STRATEGIES=easy", "BUDGETS=2"], ["STRATEGIES=easy", "BUDGETS=2 4"], "cells/easy.4.1"),
        ("budget", ["STRATEGIES=easy", "BUDGETS=2"], ["STRATEGIES=easy hard", "BUDGETS=2"], "cells/hard.2.1"),
        ("compare", ["METHODS=dpo"], ["METHODS=dpo ipo"], "cells/ipo.1"),
    ],
    ids=["budget", "strategy", "method"],
)
def test_what_is_added_to_a_finished_run_is_trained_and_nothing_else(name, before, after, added, tmp_path):
    """Though the summary is newer than all that the new cell is made of."""
    real = tmp_path / "real"
    real.write_text(REAL)
    real.chmod(0o755)
    folder = init(tmp_path / "made", name)
    run_make(folder, f"REAL={real}", *before, "SEEDS=1")
    assert "Nothing to be done" in run_make(folder, f"REAL={real}", *before, "SEEDS=1").stdout
    lines = planned(folder, *after, "SEEDS=1")
    assert [re.search(r"-o run/(\S+)", line)[1] for line in lines if "train-dpo" in line] == [added]
    assert f"run/{added}/rows.jsonl" in lines[-1]
