"""`make plan`: the stages that are left, each with its estimate or what it needs first; it writes nothing."""

import os
import shutil

import pytest

from real_cli.init.recipes import load_recipes
from tests.init.projects import color_pairs, init, run_make

pytestmark = pytest.mark.skipif(not (shutil.which("make") and shutil.which("bash")), reason="needs make and bash")
every_recipe = pytest.mark.parametrize("name", load_recipes())
# A `real` that makes its files; asked for an estimate, it writes where -o says, as a careless one would.
REAL = """#!/bin/sh
echo "$*" >> "$LOG"
for word; do [ "$last" = -o ] && out=$word; last=$word; done
case " $* " in
  *' --estimate '*) echo "memory 3 GiB" ;;
  *' --dry-run '*) echo "12 calls" ;;
  *) [ "$1" = train-dpo ] && mkdir -p "$out" && out=$out/real.json ;;
esac
[ -z "$out" ] || echo '{"prompt":"q"}' > "$out"
"""


@pytest.fixture
def make(tmp_path):
    """Run make in a project with a stand-in for `real`; `make.ran` empties and returns its log."""
    real = tmp_path / "real"
    real.write_text(REAL)
    real.chmod(0o755)
    log = tmp_path / "log"

    def of(folder, *words):
        return run_make(folder, f"REAL={real}", *words, LOG=str(log)).stdout

    def ran():
        lines = log.read_text().splitlines() if log.exists() else []
        log.unlink(missing_ok=True)
        return lines

    of.ran = ran
    return of


def files_of(folder):
    """All that is there, with when it was written."""
    return {path: path.lstat().st_mtime_ns for path in folder.rglob("*")}


@every_recipe
def test_a_plan_has_every_stage_and_runs_none(name, make, tmp_path):
    """At the start only what reads DATA could be estimated; nothing is written."""
    folder = init(tmp_path / "made", name)
    before = files_of(folder)
    lines = make(folder, "plan").splitlines()
    stages = [line for line in lines if line[:1].isdigit()]
    assert [line.split(". ")[0] for line in stages] == [str(number) for number in range(1, len(stages) + 1)]
    assert stages[-1].split()[1:4] == ["real", "eval", "margin"]
    assert any(line.startswith("   needs run/") for line in lines)
    assert make.ran() == []
    assert files_of(folder) == before


def test_a_plan_asks_for_estimates_where_inputs_are(make, tmp_path):
    """Of training its memory, of a judge its calls; the command that is asked has no -o."""
    folder = init(tmp_path / "made", "real")
    judged = ("ENDPOINT=http://judge/v1", "MODEL=qwen", f"DATA={color_pairs(tmp_path / 'mine.jsonl')}")
    first = make(folder, "plan", *judged)
    assert "needs run/embedded.jsonl first" in first
    make(folder, *judged, "run/chosen.jsonl", "run/heldout.jsonl")
    make.ran()
    before = files_of(folder)
    lines = make(folder, "plan", *judged).splitlines()
    assert files_of(folder) == before
    assert make.ran() == ["relabel judge --endpoint http://judge/v1 --model qwen run/chosen.jsonl --dry-run"]
    assert lines == [
        "1. real relabel judge --endpoint http://judge/v1 --model qwen run/chosen.jsonl -o run/judged.jsonl",
        "12 calls",
        "2. real train-dpo --policy smollm2 --preset real -o run/aligned run/judged.jsonl",
        "   needs run/judged.jsonl first",
        "3. real eval margin --policy run/aligned --reference smollm2 run/heldout.jsonl -o run/eval.json",
        "   needs run/aligned first",
    ]
    make(folder, *judged, "run/judged.jsonl")
    make.ran()
    assert "memory 3 GiB" in make(folder, "plan", *judged)
    assert make.ran() == ["train-dpo --policy smollm2 --preset real run/judged.jsonl --estimate"]


def test_a_plan_of_what_is_done_is_empty(make, tmp_path):
    """With more rounds it has the new one alone."""
    folder = init(tmp_path / "made", "sppo")
    make(folder, "ROUNDS=1 2", "SHARES=3")
    assert make(folder, "plan", "ROUNDS=1 2", "SHARES=3") == "Nothing is left to do.\n"
    lines = make(folder, "plan", "ROUNDS=1 2 3", "SHARES=3").splitlines()
    assert lines[0].split()[:3] == ["1.", "real", "sample"]
    assert "--shard 3/3" in lines[0]


def test_a_plan_is_there_while_a_make_is_at_work(make, tmp_path):
    """The lock is for what writes."""
    folder = init(tmp_path / "made", "real")
    (folder / ".lock").symlink_to(str(os.getpid()))
    assert "real train-dpo" in make(folder, "plan")
    assert run_make(folder, "-n", check=False).returncode == 0
    assert "another make is at work here" in run_make(folder, check=False).stderr


def test_help_tells_of_every_variable(make, tmp_path):
    """As config.mk has them, and the goals."""
    shown = make(init(tmp_path / "made", "real"), "help")
    for name in ("DATA", "HELDOUT", "POLICY", "EXTRA", "ENDPOINT", "MODEL", "SERVE", "DEVICE", "REPORT"):
        assert f"#{name} " in shown
    assert "plan" in shown.splitlines()[-1]
