"""The recipes: what their heads say is so, and each `make check` runs to a trained policy and its evaluation."""

import contextlib
import json
import os
import re
import shutil
import subprocess
import sys
from pathlib import Path

import pytest
from typer.testing import CliRunner

from real_cli.app import app
from real_cli.docs import man_pages
from real_cli.errors import RealError
from real_cli.init.command import PROJECT
from real_cli.init.recipes import data_of, listing, load_recipes, read_makefile, read_method, recipe_names

ROOT = Path(__file__).parents[2]
FOLDER = ROOT / "real_cli" / "recipes"
DATA = ROOT / "real_cli" / "init" / "demo" / "data"
SHARED = {name: (ROOT / "real_cli" / "init" / "project" / name).read_text(encoding="utf-8") for name in PROJECT}
RECIPES = load_recipes()
MAKEFILES = {name: read_makefile(name) for name in RECIPES}
LOCK = (ROOT / "real_cli" / "init" / "demo" / "lock.mk").read_text(encoding="utf-8")
TEMPLATE = (
    "{% for m in messages %}<end>{{ m['role'] }} {{ m['content'] }}{% endfor %}"
    "{% if add_generation_prompt %}<end>assistant {% endif %}"
)

every_recipe = pytest.mark.parametrize("name", RECIPES)
# Those that train many policies and end with a comparison of them: none is the final one.
MANY = [name for name, makefile in MAKEFILES.items() if re.search(r"^final *=$", makefile, re.MULTILINE)]
every_method = pytest.mark.parametrize("name", [name for name in RECIPES if name not in MANY])


def init(*words):
    return CliRunner().invoke(app, ["init", *map(str, words)], prog_name="real")


def test_every_file_of_the_folder_is_a_recipe():
    """Twenty-one methods, in the order of the manual's sections: 1 is REAL, 21 is AEPO; then what has no section."""
    assert {f"{name}.mk" for name in RECIPES} == {path.name for path in FOLDER.iterdir()}
    sections = [method.section for name, method in RECIPES.items() if name not in MANY]
    assert sections == list(range(1, 22))
    assert list(RECIPES)[21:] == sorted(MANY)
    assert sorted(RECIPES) == recipe_names()


@every_method
def test_the_section_that_a_head_names_has_the_same_paper(name):
    """Its number of arXiv, which stands under (a)."""
    section = (
        (ROOT / "man" / "real-methods.7.md").read_text().split(f"\n## {RECIPES[name].section} ")[1].split("\n## ")[0]
    )
    assert re.search(r"arXiv:[\d.]+\d", RECIPES[name].paper)[0] in section


@every_recipe
def test_a_makefile_is_short(name):
    """At most 45 lines of at most 120 characters; fifteen more where cells are dealt out."""
    lines = MAKEFILES[name].splitlines()
    assert len(lines) <= (60 if name in MANY else 45)
    assert max(map(len, lines)) <= 120


@pytest.mark.parametrize("field", ["Paper", "Does", "Needs", "Departures"])
def test_a_head_without_a_field_is_told(field):
    """Whoever adds a recipe reads what to write."""
    head = "".join(f"# {name}: x\n" for name in ("Paper", "Does", "Needs", "Departures") if name != field)
    with pytest.raises(RealError, match=f"^recipes/mine.mk: its head does not say '{field}'; "):
        read_method("mine", f"# Mine\n{head}all:\n")


def test_a_head_ends_where_its_fields_do():
    """What follows a line of # alone is for people."""
    head = "# Mine\n# Paper: Li, 2025, arXiv:2; section 4\n# Does: a\n#   and b\n# Needs: c\n# Departures: d\n"
    method = read_method("mine", head + "#\n# More words.\nREAL = real\n")
    assert (method.title, method.paper, method.equation) == ("Mine", "Li, 2025, arXiv:2", "section 4")
    assert (method.does, method.needs, method.departs, method.section) == ("a and b", "c", "d", None)


@every_recipe
def test_a_makefile_runs_commands_that_there_are_with_options_that_they_have(name):
    """Each option in it, comments too, is one of the commands' own, or of the one that scores in `make check`."""
    known = {command.words.removeprefix("real "): command for command in man_pages.commands()}
    commands = RECIPES[name].commands
    assert {"train-dpo", "eval margin"} < set(commands) <= set(known)
    parameters = [
        item
        for words in {*commands, "relabel implicit", "relabel judge"}
        for item in known[words].command.get_params(known[words].context)
    ]
    options = {option for item in parameters for option in (*item.opts, *item.secondary_opts)}
    words = set(re.findall(r"(?<![\w-])--[a-z][a-z-]*", MAKEFILES[name] + SHARED["project.mk"]))
    assert words - {"--no-print-directory"} <= options


@every_recipe
def test_the_data_that_a_makefile_names_are_written_beside_it(name, tmp_path):
    """No more and no less; what a file says is what the package has, and behind the Makefile the lock of a project."""
    assert init(tmp_path / "made", "--recipe", name).exit_code == 0
    result = {path.name: path.read_text() for path in (tmp_path / "made").iterdir()}
    assert result.pop("Makefile") == MAKEFILES[name] + LOCK
    assert {file: result.pop(file) for file in SHARED} == SHARED
    assert set(result) == set(data_of(MAKEFILES[name]))
    assert all(text == (DATA / file).read_text() for file, text in result.items())
    assert "heldout.jsonl" in result


def test_bundled_prompts_are_those_of_the_candidates():
    """The same records without responses."""
    prompts, candidates = (
        [json.loads(line) for line in (DATA / name).read_text().splitlines()]
        for name in ("prompts.jsonl", "candidates.jsonl")
    )
    assert prompts == [{key: value for key, value in row.items() if key != "responses"} for row in candidates]


def test_bundled_dialogues_complain_and_praise_as_their_names_say():
    """By the rule of thumb of `relabel dsat --lexical`; a repaired one is a seed of DRIFT."""
    matches = {}
    for words in ([], ["--seeds"]):
        result = CliRunner().invoke(app, ["relabel", "dsat", "--lexical", *words, str(DATA / "dialogues.jsonl")])
        matches[bool(words)] = [json.loads(line)["id"] for line in result.stdout.splitlines()]
    names = [json.loads(line)["id"] for line in (DATA / "dialogues.jsonl").read_text().splitlines()]
    assert len(names) >= 24
    assert {name.partition("-")[0] for name in names} == {"repaired", "complaint", "satisfied", "neither"}
    assert matches[False] == [name for name in names if name.startswith(("repaired", "complaint"))]
    assert matches[True] == [name for name in names if name.startswith("repaired")]


def test_bundled_principles_have_the_shares_of_the_paper():
    """60, 20, 18 and 2 of a hundred, as for ShareGPT and UltraChat."""
    shares = {}
    for line in (DATA / "principles.jsonl").read_text().splitlines():
        row = json.loads(line)
        shares[row["name"]] = shares.get(row["name"], 0) + row["weight"]
    assert shares == {"helpfulness": 60, "truthfulness": 20, "honesty": 18, "verbalized calibration": 2}


def test_the_list_has_a_line_for_each_recipe():
    """Name first, so that `grep ^sppo` and `cut` do; nothing else, and no terminal needed."""
    result = init("--list")
    assert result.exit_code == 0
    assert result.stderr == ""
    assert [line.split()[0] for line in result.stdout.splitlines()] == list(RECIPES)
    assert result.stdout == listing()
    assert all(f"needs {RECIPES[name].needs}" in result.stdout for name in RECIPES)


@pytest.mark.parametrize("width", [40, 60, 80, 100, 200])
def test_the_list_is_folded_to_a_terminal_between_words(width):
    """No line is wider, none is broken in a word, and nothing is lost."""
    lines = listing(width).splitlines()
    assert max(map(len, lines)) <= width
    assert [line.split()[0] for line in lines if not line.startswith(" ")] == list(RECIPES)
    words = " ".join(f"{name} {method.does}; needs {method.needs}" for name, method in RECIPES.items()).split()
    assert " ".join(lines).split() == words


def test_the_list_at_a_terminal_is_folded():
    """Piped it keeps a line each."""
    parent, child = os.openpty()
    environment = os.environ | {"COLUMNS": "50"}
    real = Path(sys.executable).parent / "real"
    shown = b""
    with subprocess.Popen([real, "init", "--list"], stdin=child, stdout=child, env=environment) as process:
        os.close(child)
        with contextlib.suppress(OSError):  # what Linux says where the other end is closed
            while data := os.read(parent, 65536):
                shown += data
    os.close(parent)
    assert process.returncode == 0
    assert shown.decode().replace("\r\n", "\n") == listing(50)


@pytest.mark.parametrize("words", [["made"], ["--recipe", "sppo"]], ids=["folder", "recipe"])
def test_the_list_is_asked_for_alone(words, tmp_path, monkeypatch):
    """Else who forgets to take --list away waits for a folder that is not made."""
    monkeypatch.chdir(tmp_path)
    result = init("--list", *words)
    assert result.exit_code == 2
    assert result.stderr == "real: --list writes the recipes and no folder; leave out DIR and --recipe\n"
    assert list(tmp_path.iterdir()) == []


def test_a_folder_or_the_list_is_needed():
    """A recipe alone says where nothing."""
    result = init("--recipe", "sppo")
    assert result.exit_code == 2
    assert result.stderr == "real: DIR is missing; name the folder to make, or give --list\n"


def test_a_recipe_that_there_is_not_is_told_with_those_there_are(tmp_path):
    """And no folder is made."""
    result = init(tmp_path / "made", "--recipe", "sspo")
    assert result.exit_code == 2
    assert result.stderr.startswith("real: --recipe: 'sspo' is none of ada-dpo, aepo, ")
    assert list(tmp_path.iterdir()) == []


@pytest.fixture(scope="module")
def speaking_policy(make_tiny_policy):
    """A random policy that knows what a conversation is, and every byte: no two texts are the same to it."""
    from tokenizers import Tokenizer, decoders, models, pre_tokenizers
    from transformers import PreTrainedTokenizerFast

    tokens = ["<pad>", "<end>", *sorted(pre_tokenizers.ByteLevel.alphabet())]
    inner = Tokenizer(models.BPE({token: index for index, token in enumerate(tokens)}, []))
    inner.pre_tokenizer = pre_tokenizers.ByteLevel(add_prefix_space=False)
    inner.decoder = decoders.ByteLevel()
    tokenizer = PreTrainedTokenizerFast(tokenizer_object=inner, pad_token="<pad>", eos_token="<end>")
    tokenizer.chat_template = TEMPLATE
    folder = make_tiny_policy(vocab_size=len(tokens), max_position_embeddings=2048)
    tokenizer.save_pretrained(folder)
    return folder


def snapshot(folder):
    return {
        path.relative_to(folder).as_posix(): path.stat().st_mtime_ns for path in folder.rglob("*") if path.is_file()
    }


@pytest.fixture
def make(launched_real):
    """Run make in a recipe's folder, and give what it says."""

    def of(folder, *words):
        real = f"REAL={' '.join(launched_real)}"
        done = subprocess.run(["make", "-C", folder, real, *words], capture_output=True, text=True, timeout=300)
        assert done.returncode == 0, done.stdout + done.stderr
        return done.stdout

    return of


def moved(folder, policy):
    """How far the weights of a checkpoint are from the policy's, in all."""
    import torch
    from safetensors.torch import load_file

    adapter = folder / "adapter_model.safetensors"
    if adapter.exists():  # what it adds is a product, of which one side begins at zero
        return float(sum(value.abs().sum() for name, value in load_file(adapter).items() if "lora_B" in name))
    before, after = (load_file(path / "model.safetensors") for path in (policy, folder))
    return float(torch.stack([(after[name] - before[name]).abs().sum() for name in before]).sum())


# Recipes with all that writes a folder: a soup, rounds, a single training.
AGAIN = {"salsa", "sppo", "real"}
needs_make = pytest.mark.skipif(not shutil.which("make"), reason="make is not installed")


@pytest.mark.slow
@needs_make
@every_method
def test_make_check_leaves_a_trained_checkpoint_and_an_evaluation(name, make, speaking_policy, tmp_path):
    """Really through make, with a tiny policy; then there is nothing left to do, and `make clean` leaves no trace."""
    folder = tmp_path / "made"
    init(folder, "--recipe", name)
    (folder / "tiny").symlink_to(speaking_policy)  # the name is in the seed: one that stays draws the same texts
    written = snapshot(folder)
    policy = "POLICY=tiny"
    notes = make(folder, "check", policy)
    trained, reference = re.search(r"eval margin --policy (\S+) --reference (\S+)", notes).groups()
    assert trained != reference
    assert moved(folder / trained, folder / reference) > 0
    summary = json.loads((folder / "check" / "eval.json").read_text())
    assert summary["num_pairs"] > 0
    assert summary["margin"] != 0
    result = snapshot(folder)
    rounds = re.search(r"^CHECK .*ROUNDS='?([\d ]+)'?", MAKEFILES[name], re.MULTILINE)
    assert "Nothing to be done for 'all'" in make(
        folder, policy, "O=check", *([f"ROUNDS={rounds[1].strip()}"] if rounds else [])
    )
    assert snapshot(folder) == result
    if name in AGAIN:
        assert re.search(r"eval margin --policy", make(folder, "check", policy))
        assert moved(folder / trained, folder / reference) > 0
    make(folder, "clean")
    assert snapshot(folder) == written


@pytest.mark.slow
@needs_make
def test_make_check_runs_as_it_stands(make, tmp_path):
    """With the model that the Makefile names; the others differ in what `real` does, not in what make does."""
    init(tmp_path / "made", "--recipe", "real")
    make(tmp_path / "made", "check")
    assert json.loads((tmp_path / "made" / "check" / "eval.json").read_text())["margin"] != 0


def cells_in(folder):
    """The trained policies of a check that were measured."""
    return sorted(path.parent.name for path in (folder / "check" / "cells").glob("*/rows.jsonl"))


@pytest.mark.slow
@needs_make
def test_methods_are_compared_and_their_policies_deleted(make, speaking_policy, tmp_path):
    """Really through make, with a tiny policy; a second run has nothing to do, and one with a method more adds it."""
    folder = tmp_path / "made"
    init(folder, "--recipe", "compare")
    (folder / "tiny").symlink_to(speaking_policy)
    written = snapshot(folder)
    make(folder, "check", "POLICY=tiny")
    summary = json.loads((folder / "check" / "eval.json").read_text())
    assert [row["method"] for row in summary["methods"]] == ["dpo", "rdo"]
    assert (summary["num_seeds"], summary["num_comparisons"], summary["missing"]) == (2, 1, [])
    assert summary["num_prompts"] >= 10
    assert summary["differences"][0]["accuracy_p_holm"] is not None
    assert all(row["train_seconds"] > 0 and row["train_steps"] == 2 for row in summary["methods"])
    assert cells_in(folder) == ["dpo.1", "dpo.2", "rdo.1", "rdo.2"]
    assert list(folder.rglob("*.safetensors")) == []
    small = ["POLICY=tiny", "O=check", "SEEDS=1 2", "FIRST=12", "TRAIN=--max-steps 2 --batch-size 2"]
    result = snapshot(folder)
    assert "Nothing to be done for 'all'" in make(folder, *small, "METHODS=dpo rdo")
    assert snapshot(folder) == result
    notes = make(folder, *small, "METHODS=dpo rdo sft", "SEEDS=1", "KEEP_POLICIES=yes")
    assert re.findall(r"train-dpo .*?--loss (\S+)", notes) == ["sft"]
    assert (folder / "check" / "cells" / "sft.1" / "real.json").exists()
    make(folder, "clean")
    assert snapshot(folder) == written


@pytest.mark.slow
@needs_make
def test_strategies_are_compared_at_each_budget_and_their_policies_deleted(make, speaking_policy, tmp_path):
    """Really through make, with a tiny policy; a second run has nothing to do, and one with a budget more adds it."""
    folder = tmp_path / "made"
    init(folder, "--recipe", "budget")
    (folder / "tiny").symlink_to(speaking_policy)
    written = snapshot(folder)
    make(folder, "check", "POLICY=tiny", "ENCODER=tiny")
    summary = json.loads((folder / "check" / "eval.json").read_text())
    assert (summary["strategies"], summary["seeds"], summary["missing"]) == (["easy", "random"], ["1", "2"], [])
    assert [(row["strategy"], row["budget"]) for row in summary["cells"]] == [
        ("easy", 2), ("easy", 4), ("random", 2), ("random", 4)
    ]  # fmt: skip
    assert [(row["strategy"], row["verdict"]) for row in summary["areas"]] == [("easy", "undecided")]
    assert summary["num_prompts"] >= 10
    cells = [f"{strategy}.{budget}.{seed}" for strategy in ("easy", "random") for budget in (2, 4) for seed in (1, 2)]
    assert cells_in(folder) == cells
    assert list(folder.rglob("*.safetensors")) == []
    small = ["POLICY=tiny", "ENCODER=tiny", "O=check", "FIRST=12", "POOL=10", "STRATEGIES=easy random"]
    small += ["TRAIN=--max-steps 2 --batch-size 2", "SEEDS=1 2"]
    result = snapshot(folder)
    assert "Nothing to be done for 'all'" in make(folder, *small, "BUDGETS=2 4")
    assert snapshot(folder) == result
    notes = make(folder, *small, "BUDGETS=2 3 4", "SEEDS=1", "KEEP_POLICIES=yes")
    assert re.findall(r"train-dpo .*? -o (\S+)", notes) == ["check/cells/easy.3.1", "check/cells/random.3.1"]
    assert (folder / "check" / "cells" / "easy.3.1" / "model.safetensors").exists()
    assert {row["budget"] for row in json.loads((folder / "check" / "eval.json").read_text())["cells"]} == {2, 3, 4}
    make(folder, "clean")
    assert snapshot(folder) == written


def test_the_methods_of_the_comparison_are_the_losses_that_read_plain_pairs():
    """Chosen, rejected, and no number beside them; a loss that is added joins."""
    from real_cli.train.losses import OBJECTIVES
    from real_cli.train.objective import Responses

    named = re.search(r"^METHODS *= (.*?[^\\])$", MAKEFILES["compare"], re.MULTILINE | re.DOTALL)[1]
    plain = [name for name, row in OBJECTIVES.items() if row.responses is Responses.pair and not row.columns]
    assert named.replace("\\", "").split() == plain
