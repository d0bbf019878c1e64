"""A recipe is added with one file that is written by hand: no table, no list of names, no other page."""

import os
import shutil
import subprocess

import pytest

from real_cli.init.command import PROJECT
from tests.house.copied_package import CopiedPackage

COIN = """\
# Coin: preference by lot
# Paper: Nobody, 2026, arXiv:0000.00000; section 2
# Does: has a coin say which of two responses
#   is compared with a third
# Needs: scored responses
# Departures: in nothing
#
# FLIPS is how often.
POLICY ?= smollm2
DATA   ?= candidates.jsonl
FLIPS   = 1
include project.mk

$(O)/pairs.jsonl: $(scored)
	$(REAL) pair --strategy random --seed $(FLIPS) $< -o $@
$(O)/aligned/real.json: $(O)/pairs.jsonl
	$(REAL) train-dpo --policy $(POLICY)$(extra) -o $(O)/aligned $< > $(O)/training.jsonl
"""


@pytest.fixture
def package(tmp_path):
    copy = CopiedPackage(tmp_path / "copy")
    copy.add("real_cli/recipes/coin.mk", COIN)
    return copy


@pytest.mark.skipif(not shutil.which("make"), reason="make is not installed")
def test_a_file_in_the_folder_is_a_recipe_that_make_runs(package, tmp_path):
    """`real init --recipe coin` writes it with the data it names, and make knows its order."""
    folder = tmp_path / "made"
    package.real("init", folder, "--recipe", "coin", "-q")
    assert {path.name for path in folder.iterdir()} == {"Makefile", "candidates.jsonl", "heldout.jsonl", *PROJECT}
    clean = {key: value for key, value in os.environ.items() if not key.startswith(("MAKE", "MFLAGS"))}
    planned = subprocess.run(
        ["make", "-n", "-C", folder, "FLIPS=3"], capture_output=True, text=True, check=True, env=clean
    )
    commands = [line.split()[1:4] for line in planned.stdout.splitlines() if line.startswith("real ")]
    assert commands == [
        ["split", "--heldout", "'heldout.jsonl'"],
        ["pair", "--strategy", "best-worst"],
        ["split", "--heldout", "'heldout.jsonl'"],
        ["pair", "--strategy", "random"],
        ["train-dpo", "--policy", "smollm2"],
        ["eval", "margin", "--policy"],
    ]
    assert "--seed 3 run/split/train.jsonl" in planned.stdout


def test_the_list_and_the_man_page_know_it(package):
    """Both read the head of the file; it stands among those on which the manual has no section."""
    listed, _ = package.real("init", "--list")
    rows = {row.split("  ")[0]: row for row in listed.splitlines()}
    assert list(rows)[21:] == ["budget", "coin", "compare"]
    assert "has a coin say which of two responses is compared with a third  " in rows["coin"]
    assert rows["coin"].endswith("needs scored responses")
    package.renew()
    page = (package.root / "man" / "real-recipes.7").read_text(encoding="utf-8")
    assert ".B coin\nCoin: preference by lot. It has a coin say" in page
    assert "Made of: split, pair, train\\-dpo, eval margin." in page.partition(".B coin\n")[2]
    by_hand = {path for path in package.changed() if path != "man/real-recipes.7"}
    assert by_hand == {"real_cli/recipes/coin.mk"}


def test_a_head_that_lacks_a_field_is_one_line(package):
    """Whoever adds a recipe reads what is missing."""
    package.add("real_cli/recipes/dice.mk", COIN.replace("# Needs: scored responses\n", ""))
    _, notes = package.real("init", "--list", status=1)
    assert notes == "real: recipes/dice.mk: its head does not say 'Needs'; write a line '# Needs: ...'\n"
