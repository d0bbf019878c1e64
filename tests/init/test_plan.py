"""`make plan`: the stages that are left, each with its estimate or what it needs first; it writes nothing."""

import os
import re
import shutil

import pytest

from real_cli.init.recipes import load_recipes
from tests.init.projects import color_candidates, color_pairs, init, run_make, write_lines

pytestmark = pytest.mark.skipif(not (shutil.which("make") and shutil.which("bash")), reason="needs make and bash")
every_recipe = pytest.mark.parametrize("name", load_recipes())
# How a plan looks at the first records of DATA and HELDOUT.
LOOKS = re.compile(
    "(split --heldout /dev/null --first 20 -q [^ ]+|pair --strategy [^>]+ -q|relabel dsat --lexical -q)$"
)
# A `real` that makes its files; asked for an estimate, it writes where -o says, as a careless one would.
REAL = """#!/bin/sh
echo "$*" >> "$LOG"
for word; do [ "$last" = -o ] && out=$word; last=$word; done
case " $* " in
  *' --estimate '*) echo "memory 3 GiB" ;;
  *' --dry-run '*) echo "12 calls" ;;
  *' --first 20 '* | *' -q '*) echo '{"prompt":"q"}' ;;
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
        return [line for line in lines if not LOOKS.match(line)]

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
    assert stages[-1].split()[1:4] == ["real", "eval", name if name in ("budget", "compare") else "margin"]
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


def test_a_stopped_training_is_no_model_and_the_plan_names_its_checkpoint(make, tmp_path):
    """Of rounds too; the estimate is that of the whole run."""
    folder = init(tmp_path / "made", "real")
    make(folder, "run/chosen.jsonl", "run/heldout.jsonl")
    for step in (3, 12):
        (folder / "run" / "aligned" / f"checkpoint-{step}").mkdir(parents=True)
    (folder / "run" / "aligned" / ".work").mkdir()
    (folder / "run" / "aligned" / ".work" / "settings.json").write_text("{}")
    make.ran()
    lines = make(folder, "plan").splitlines()
    assert lines == [
        "1. real train-dpo --policy smollm2 --preset real --resume-if-same -o run/aligned run/chosen.jsonl",
        "   was stopped: goes on from run/aligned/checkpoint-12, if settings and pairs are the same",
        "memory 3 GiB",
        "2. real eval margin --policy run/aligned --reference smollm2 run/heldout.jsonl -o run/eval.json",
        "   needs run/aligned first",
    ]
    assert make.ran() == ["train-dpo --policy smollm2 --preset real run/chosen.jsonl --estimate"]


def test_what_an_earlier_stage_makes_anew_is_not_there_yet(make, tmp_path):
    """An estimate of the old pairs would be that of another run."""
    folder = init(tmp_path / "made", "real")
    data = color_pairs(tmp_path / "mine.jsonl")
    make(folder, f"DATA={data}")
    os.utime(data, (2**31, 2**31))
    make.ran()
    lines = make(folder, "plan", f"DATA={data}").splitlines()
    assert "   needs run/chosen.jsonl first" in lines
    assert "memory 3 GiB" not in lines
    assert make.ran() == []


def test_a_plan_says_which_settings_are_others_than_those_of_the_run(make, tmp_path):
    """A finished run stays what it is; the report and more rounds are no other run."""
    folder = init(tmp_path / "made", "sppo")
    make(folder, "ROUNDS=1", "EXTRA=--lora")
    same = make(folder, "plan", "ROUNDS=1", "EXTRA=--lora")
    assert same == "Nothing is left to do.\n"
    lines = make(folder, "plan", "ROUNDS=1", "POLICY=/models/it's", "K=7").splitlines()
    assert lines == [
        "Settings that are not those which run began with:",
        "  EXTRA =  (was: --lora)",
        "  K = 7 (was: 5)",
        "  POLICY = /models/it's (was: smollm2)",
        "What is made stays as it is; for a run with these settings give O another folder, or run make clean first.",
        "Nothing is left to do.",
    ]
    assert "Settings" not in make(folder, "plan", "ROUNDS=1 2", "EXTRA=--lora")


@every_recipe
def test_every_recipe_knows_the_settings_it_began_with(name, make, tmp_path):
    """From its first stage on."""
    folder = init(tmp_path / "made", name)
    make(folder, "run/split/heldout.jsonl")
    assert "Settings that are not" not in make(folder, "plan")
    assert "  POLICY = /models/mine (was: smollm2)" in make(folder, "plan", "POLICY=/models/mine").splitlines()


# With the real `real`: what the first records are

PROMPTS = [{"question": f"Why {number}?", "topic": "t"} for number in range(4)]
SAMPLED = [{"prompt": f"Why {number}?", "responses": [{"text": "a"}, {"text": "b"}]} for number in range(4)]
TWO = [{"prompt": f"Why {number}?", "chosen": "a", "rejected": "b"} for number in range(4)]
ALONE = [{"prompt": "Why?", "responses": [{"text": "a", "score": 1}]}, {"prompt": "Who?", "responses": []}]
ASKED = ("ENDPOINT=http://judge/v1", "MODEL=qwen")


@pytest.fixture
def plan_of(launched_real):
    """Run make plan with all that is behind `real`."""

    def of(folder, *words):
        return run_make(folder, f"REAL={' '.join(launched_real)}", "plan", *words, check=False)

    return of


@every_recipe
def test_every_recipe_can_use_the_data_it_comes_with(name, plan_of, tmp_path):
    done = plan_of(init(tmp_path / "made", name))
    assert (done.returncode, done.stderr) == (0, "")


@pytest.mark.parametrize(
    ("name", "rows", "words", "complaint"),
    [
        (
            "real",
            PROMPTS,
            (),
            "prompts without two responses; this recipe needs responses with scores, or labeled pairs",
        ),
        (
            "real",
            PROMPTS,
            ASKED,
            "prompts without two responses; this recipe needs at least two responses to each prompt",
        ),
        ("spa", SAMPLED, (), "responses, not all with a score or a label; this recipe needs responses with scores"),
        ("bmc", SAMPLED, ASKED, "responses, not all with a score or a label; this recipe needs responses with scores"),
        ("optune", PROMPTS, (), "prompts without two responses; this recipe needs at least two responses"),
        ("drift", PROMPTS, (), "no conversations; this recipe needs lists of messages"),
        ("tpo", PROMPTS, (), "prompts without two responses; this recipe needs at least three responses with scores"),
        ("tpo", TWO, (), "two responses to a prompt; this recipe needs at least three responses with scores"),
        ("spo", ALONE, (), "prompts without two responses; this recipe needs responses with scores"),
        ("spo", TWO, (), ""),
        ("real", SAMPLED, ASKED, ""),
        ("optune", SAMPLED, (), ""),
        ("sppo", PROMPTS, (), ""),
        ("par", SAMPLED, (), ""),
    ],
)
def test_a_plan_says_whether_the_recipe_can_use_data(name, rows, words, complaint, plan_of, tmp_path):
    """Before any stage, in one line; the stages are shown all the same."""
    data = write_lines(tmp_path / "mine.jsonl", rows)
    done = plan_of(init(tmp_path / "made", name), f"DATA={data}", *words)
    notes = [line for line in done.stderr.splitlines() if line.startswith("real: ")]
    assert "1. real split" in done.stdout
    assert (done.returncode, len(notes)) == ((2, 1) if complaint else (0, 0)), done.stderr
    assert not complaint or notes[0].startswith(f"real: DATA = {data}: its first records are {complaint}")


def test_held_out_files_are_looked_at_and_what_cannot_be_read_is_told(plan_of, tmp_path):
    folder = init(tmp_path / "made", "sppo")
    held = write_lines(tmp_path / "held.jsonl", SAMPLED)
    done = plan_of(folder, f"HELDOUT={held}")
    assert done.returncode == 2
    assert f"real: HELDOUT = {held}: its first records are responses, not all with a score or a label; " in done.stderr
    broken = tmp_path / "broken.jsonl"
    broken.write_text("{")
    done = plan_of(folder, f"DATA={broken}")
    assert done.returncode == 2
    assert f"real: {broken}:1: " in done.stderr


@pytest.mark.parametrize(
    ("write", "words", "share"),
    [(color_pairs, (), "100%"), (color_pairs, ASKED, "50%"), (color_candidates, (), "50%"), (None, (), "50%")],
)
def test_labels_that_are_there_are_all_kept(write, words, share, make, tmp_path):
    """Somebody has paid for them; a judge who labels anew is paid for half."""
    data = (f"DATA={write(tmp_path / 'it is mine.jsonl')}",) if write else ()
    assert f"--strategy easy --keep {share} " in make(init(tmp_path / "made", "real"), "plan", *data, *words)
