"""A pipe whose first command fails leaves no finished file, and make does not go on."""

import re
import subprocess
from importlib.resources import files
from pathlib import Path

import pytest
from typer.testing import CliRunner

from real_cli.app import app
from tests.attacks.commands import INSTALLED, PAIR, lines
from tests.docs.blocks import DOCUMENTS, shell_blocks

ROOT = Path(__file__).parents[2]
DEMO = "the demo"
PROJECTS = [DEMO, *sorted(path.stem for path in (ROOT / "real_cli" / "recipes").glob("*.mk"))]
PIPE = re.compile(r"\breal [^|`]*\|\s*(?:\\\s*)?real ")


def shell(words, *options, **places):
    return subprocess.run(["bash", *options, "-c", words], capture_output=True, check=False, timeout=60, **places)


@pytest.mark.parametrize("failing", ["pair nothing", "relabel reward --model /nowhere/m pairs"])
def test_under_make_a_pipe_that_fails_leaves_no_file_behind(tmp_path, failing):
    """What the second command wrote before the first one's failure was known goes: .DELETE_ON_ERROR."""
    (tmp_path / "pairs").write_bytes(lines(PAIR))
    settings = [
        line
        for line in (ROOT / "real_cli/init/project/project.mk").read_text().splitlines()
        if re.match(r"SHELL|\.SH|\.DEL", line)
    ]
    (tmp_path / "Makefile").write_text(
        "\n".join([*settings, "x:", f"\t{INSTALLED} {failing} | {INSTALLED} pair -s random -o $@", ""])
    )
    done = subprocess.run(["make", "x"], cwd=tmp_path, capture_output=True, check=False, timeout=60)
    assert (done.returncode, (tmp_path / "x").exists()) == (2, False)


def test_an_empty_input_is_an_empty_result(tmp_path):
    """A shard may be empty, and a filter may keep nothing."""
    (tmp_path / "empty").write_text("")
    for words in (f"{INSTALLED} pair -o x < empty", f": | {INSTALLED} pair > x", f": | {INSTALLED} pair -o x"):
        assert shell(words, cwd=tmp_path).returncode == 0
        assert (tmp_path / "x").read_bytes() == b""


@pytest.mark.parametrize("name", PROJECTS)
def test_in_every_makefile_a_pipe_fails_with_each_of_its_commands(name, tmp_path):
    """And one whose commands all succeed does not, or a Makefile that cannot be read would pass."""
    words = ["init", str(tmp_path / "project"), *(["--recipe", name] if name != DEMO else [])]
    assert CliRunner().invoke(app, words).exit_code == 0
    with open(tmp_path / "project" / "Makefile", "a") as makefile:
        makefile.write("\nbroken-pipe:\n\tfalse | cat > $@\nsound-pipe:\n\ttrue | cat > $@\n")
    statuses = {
        goal: subprocess.run(
            ["make", "-C", tmp_path / "project", goal], capture_output=True, check=False, timeout=60
        ).returncode
        for goal in ("sound-pipe", "broken-pipe")
    }
    assert statuses == {"sound-pipe": 0, "broken-pipe": 2}
    assert not (tmp_path / "project" / "broken-pipe").exists()


def test_all_makefiles_were_looked_at():
    assert len(PROJECTS) == len(list(files("real_cli").joinpath("recipes").iterdir())) + 1


BLOCKS = [block.shell for path in DOCUMENTS for block in shell_blocks(path)]


@pytest.mark.parametrize("block", [block for block in BLOCKS if PIPE.search(block)])
def test_every_pipe_of_readme_and_manual_sets_pipefail(block):
    assert "set -o pipefail\n" in block[: PIPE.search(block).start()]


@pytest.mark.parametrize("path", sorted((ROOT / "man").glob("*.1")), ids=lambda path: path.name)
def test_every_pipe_of_a_page_of_commands_sets_pipefail(path):
    for block in re.findall(r"\.nf\n(.*?)\.fi", path.read_text(), re.DOTALL):
        if PIPE.search(block):
            assert "set \\-o pipefail" in block
