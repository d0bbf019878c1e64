"""Who is policy and who is reference in each round of a recipe, as `make -n` prints it, and what is made anew when."""

import os
import shlex
import shutil
import subprocess
from itertools import pairwise

import pytest
from typer.testing import CliRunner

from real_cli.app import app
from real_cli.init.recipes import recipe_names

pytestmark = pytest.mark.skipif(not shutil.which("make"), reason="make is not installed")
PEOPLE = {"-p": "policy", "--policy": "policy", "--reference": "reference", "--shard": "shard"}
MODELS = ["smollm2", "run/1/aligned", "run/2/aligned", "run/3/aligned"]
WARM = ["run/0/aligned", *MODELS[1:]]


def planned(name, folder, *settings):
    """All commands that the recipe would run, as lists of words."""
    CliRunner().invoke(app, ["init", str(folder), "--recipe", name])
    words = ["make", "--no-print-directory", "-n", "-C", str(folder), *settings]
    clean = {key: value for key, value in os.environ.items() if not key.startswith(("MAKE", "MFLAGS"))}
    done = subprocess.run(words, capture_output=True, text=True, check=True, env=clean)
    lines = done.stdout.replace("\\\n", " ").splitlines()
    return [shlex.split(line)[1:] for line in lines if line.startswith("real ")]


def people(commands, wanted):
    """Of each command that begins with WANTED: who is its policy, its reference, its shard, where it has one."""
    result = [dict(pairwise(words)) for words in commands if words[: len(wanted)] == wanted]
    return [{role: named[flag] for flag, role in PEOPLE.items() if flag in named} for named in result]


def three_rounds(name, folder):
    return planned(name, folder, "ROUNDS=1 2 3", "SHARES=3")


def written(commands, wanted):
    """Where each command that begins with WANTED leaves what it makes."""
    return [words[words.index("-o") + 1] for words in commands if words[: len(wanted)] == wanted]


@pytest.mark.parametrize("name", ["sppo", "selm", "optune"])
def test_each_round_trains_the_model_of_the_round_before(name, tmp_path):
    """The first one POLICY; no reference is named, so it is the policy at the start, the model of the round before."""
    commands = three_rounds(name, tmp_path)
    assert people(commands, ["train-dpo"]) == [{"policy": model} for model in MODELS[:3]]
    assert written(commands, ["train-dpo"]) == MODELS[1:]


@pytest.mark.parametrize("name", ["drift", "spa"])
def test_seeds_warm_the_first_policy_up_and_each_round_goes_on_from_the_last(name, tmp_path):
    """One training more than rounds: POLICY on the seeds, then each model from the one before."""
    commands = three_rounds(name, tmp_path)
    assert people(commands, ["train-dpo"]) == [{"policy": model} for model in [MODELS[0], *WARM[:3]]]
    assert written(commands, ["train-dpo"]) == WARM


@pytest.mark.parametrize("name", ["sppo", "drift", "selm", "spa", "optune"])
def test_the_last_model_is_compared_with_the_first_policy(name, tmp_path):
    """However many rounds there are between them."""
    commands = three_rounds(name, tmp_path)
    assert people(commands, ["eval", "margin"]) == [{"policy": "run/3/aligned", "reference": "smollm2"}]


@pytest.mark.parametrize(
    ("name", "policies"), [("sppo", MODELS), ("spa", WARM)], ids=lambda value: getattr(value, "value", None)
)
def test_each_round_answers_its_own_third_of_the_prompts_with_the_model_of_the_round_before(name, policies, tmp_path):
    """Three shards of three; what round 2 answers, no other round has seen."""
    expected = [{"policy": model, "shard": f"{index}/3"} for index, model in enumerate(policies[:3], 1)]
    assert people(three_rounds(name, tmp_path), ["sample"]) == expected


def test_selm_adds_the_greedy_answer_and_the_reference_of_the_model_that_it_trains(tmp_path):
    """Two commands a round, the first on the round's shard, the second on what the first has written."""
    commands = three_rounds("selm", tmp_path)
    result = people(commands, ["sample"])
    assert result[::2] == [{"policy": model, "shard": f"{index}/3"} for index, model in enumerate(MODELS[:3], 1)]
    assert result[1::2] == [{"policy": model} for model in MODELS[:3]]


def test_selm_keeps_the_last_rate_where_there_are_more_rounds_than_rates(tmp_path):
    """Four rounds and three rates."""
    commands = planned("selm", tmp_path, "ROUNDS=1 2 3 4")
    rates = [words[words.index("--learning-rate") + 1] for words in commands if words[0] == "train-dpo"]
    assert rates == ["5e-7", "3e-7", "1e-7", "1e-7"]


def test_drift_writes_all_replies_anew_each_round_in_sight_of_the_same_complaints(tmp_path):
    """No shards: every complaint is answered in every round, by the model of the round before."""
    commands = three_rounds("drift", tmp_path)
    assert people(commands, ["sample"]) == [{"policy": model} for model in WARM[:3]]
    assert all("run/complaints.jsonl" in words for words in commands if words[0] == "sample")


def test_spa_labels_by_the_log_ratio_of_the_last_model_to_the_first_policy(tmp_path):
    """The reference of the labels is the SFT model in every round."""
    labels = people(three_rounds("spa", tmp_path), ["relabel", "implicit"])
    assert labels == [{"policy": model, "reference": "smollm2"} for model in WARM[:3]]


def test_optune_answers_the_lowest_scores_of_the_round_before_with_its_model(tmp_path):
    """All prompts each round: which are the lowest is known only of all of them."""
    commands = three_rounds("optune", tmp_path)
    assert people(commands, ["sample"]) == [{"policy": model} for model in MODELS[:3]]
    read = [words[-3] for words in commands if words[0] == "sample"]
    assert read == [f"run/{index}/scored.jsonl" for index in range(3)]


def test_salsa_compares_the_first_fine_tuned_model_with_the_soup_of_both(tmp_path):
    """Two seeds from POLICY; then the first of them against their average, not against itself."""
    commands = planned("salsa", tmp_path)
    first, second, last = people(commands, ["train-dpo"])
    assert first == second == {"policy": "smollm2"}
    assert last == {"policy": "run/sft-1", "reference": "run/soup"}
    assert people(commands, ["eval", "margin"]) == [{"policy": "run/aligned", "reference": "run/sft-1"}]
    assert [words[1:3] for words in commands if words[0] == "soup"] == [["run/sft-1", "run/sft-2"]]


# What is made anew

LOOPS = ["sppo", "drift", "selm", "spa", "optune"]
STUB = """#!/bin/sh
echo "$*" >> commands
while [ $# -gt 1 ]; do [ "$1" = -o ] && out=$2; what="$what $1"; shift; done
case $what in *train-dpo*) mkdir -p "$out" && out=$out/real.json;; esac
[ -z "$out" ] || echo made > "$out"
"""


@pytest.fixture
def run(tmp_path):
    """Make a recipe with a `real` that writes what it is told to and nothing in it; returns the commands it had."""
    real = tmp_path / "real"
    real.write_text(STUB)
    real.chmod(0o755)
    clean = {key: value for key, value in os.environ.items() if not key.startswith(("MAKE", "MFLAGS"))}

    def of(name, *settings, folder=tmp_path / "made"):
        if not folder.exists():
            CliRunner().invoke(app, ["init", str(folder), "--recipe", name])
        log = folder / "commands"
        log.write_text("")
        words = ["make", "-C", str(folder), f"REAL={real}", *settings]
        subprocess.run(words, capture_output=True, check=True, env=clean)
        return [line.split() for line in log.read_text().splitlines()]

    return of


@pytest.mark.parametrize("name", LOOPS)
def test_with_more_rounds_a_finished_run_goes_on_and_is_evaluated_anew(name, run):
    """The round that is new and the evaluation; nothing of the rounds before."""
    assert people(run(name, "ROUNDS=1 2", "SHARES=3"), ["eval", "margin"])[0]["policy"] == "run/2/aligned"
    more = run(name, "ROUNDS=1 2 3", "SHARES=3")
    assert written(more, ["train-dpo"]) == ["run/3/aligned"]
    assert people(more, ["eval", "margin"])[0]["policy"] == "run/3/aligned"
    assert run(name, "ROUNDS=1 2 3", "SHARES=3") == []


@pytest.mark.parametrize("name", LOOPS)
def test_a_model_that_is_gone_is_made_again_and_so_is_all_that_came_of_it(name, run, tmp_path):
    """In one `make`: the rounds after it and the evaluation with it."""
    run(name, "ROUNDS=1 2 3", "SHARES=3")
    shutil.rmtree(tmp_path / "made" / "run" / "2" / "aligned")
    again = run(name, "ROUNDS=1 2 3", "SHARES=3")
    assert written(again, ["train-dpo"]) == ["run/2/aligned", "run/3/aligned"]
    assert len(people(again, ["eval", "margin"])) == 1


@pytest.mark.parametrize("name", ["sppo", "selm", "spa"])
def test_the_share_of_a_round_stays_when_there_are_more_rounds(name, run):
    """Round 3 answers the third part of three, which rounds 1 and 2 have left."""
    shares = [people(run(name, rounds, "SHARES=3"), ["sample"]) for rounds in ("ROUNDS=1 2", "ROUNDS=1 2 3")]
    assert [[item["shard"] for item in part if "shard" in item] for part in shares] == [["1/3", "2/3"], ["3/3"]]


@pytest.mark.parametrize("name", recipe_names())
def test_a_check_begins_at_the_start_each_time(name, run):
    """So that a changed setting is looked at; two at once do what one after the other does."""
    assert run(name, "-n", "check") == []
    first = run(name, "check")
    assert first
    # Of cells, files that are there are looked at in another order than those that are not.
    assert sorted(run(name, "check")) == sorted(first)
    assert sorted(run(name, "check", "-j4")) == sorted(first)


@pytest.mark.parametrize("name", recipe_names())
def test_no_stage_is_a_pipe(name, tmp_path):
    """The shell would take the last command's word for all of them: a first one that fails left a file of nothing."""
    CliRunner().invoke(app, ["init", str(tmp_path / "made"), "--recipe", name])
    lines = (tmp_path / "made" / "Makefile").read_text().splitlines()
    assert not [line for line in lines if line.startswith("\t") and " | " in line]
