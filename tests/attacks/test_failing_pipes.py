"""A pipe whose first command fails leaves no finished file, and make does not go on."""

import re
import subprocess
from importlib.resources import files
from pathlib import Path

import pytest

from tests.attacks.invoking import PAIR, REAL, lines

ROOT = Path(__file__).parents[2]
MAKEFILES = [*(ROOT / "real_cli").rglob("*.mk"), *(ROOT / "real_cli").rglob("Makefile")]
PIPE = re.compile(r"\breal [^|`]*\|\s*(?:\\\s*)?real ")


def shell(words, *options, **places):
    return subprocess.run(["bash", *options, "-c", words], capture_output=True, check=False, timeout=60, **places)


@pytest.mark.parametrize("command", ["pair -s best-worst", "relabel winprob", "eval pairs"])
def test_a_command_that_fails_at_once_leaves_no_file_behind_the_pipe(tmp_path, command):
    done = shell(f"{REAL} pair nothing | {REAL} {command} -o x", cwd=tmp_path)
    assert done.returncode == 1
    assert not (tmp_path / "x").exists()
    assert b"the pipe ended without a record" in done.stderr


def test_a_model_that_is_not_there_leaves_no_file_behind_the_pipe(tmp_path):
    (tmp_path / "pairs").write_bytes(lines(PAIR))
    done = shell(f"{REAL} relabel reward --model /nowhere/m pairs | {REAL} pair -s best-worst -o x", cwd=tmp_path)
    assert (done.returncode, (tmp_path / "x").exists()) == (1, False)


def test_what_stood_there_stays(tmp_path):
    (tmp_path / "x").write_text("before")
    assert shell(f"{REAL} pair nothing | {REAL} pair -o x", cwd=tmp_path).returncode == 1
    assert (tmp_path / "x").read_text() == "before"


def test_an_empty_file_is_an_empty_result(tmp_path):
    (tmp_path / "empty").write_text("")
    for words in (f"{REAL} pair -o x < empty", f": | {REAL} pair > x"):
        assert shell(words, cwd=tmp_path).returncode == 0
        assert (tmp_path / "x").read_bytes() == b""


@pytest.mark.parametrize("path", MAKEFILES, ids=lambda path: path.name)
def test_in_every_makefile_a_pipe_fails_with_each_of_its_commands(path, tmp_path):
    (tmp_path / "Makefile").write_text(path.read_text().rstrip("\n") + "\nbroken-pipe:\n\tfalse | cat > $@\n")
    done = subprocess.run(["make", "-C", tmp_path, "broken-pipe"], capture_output=True, check=False, timeout=60)
    assert done.returncode == 2
    assert not (tmp_path / "broken-pipe").exists()


def test_all_makefiles_were_looked_at():
    assert len(MAKEFILES) == len(list(files("real_cli").joinpath("recipes").iterdir())) + 1


def blocks(text):
    """List the blocks of shell in the README."""
    return [*re.findall(r"```sh\n(.*?)```", text, re.DOTALL), *re.findall(r"(?:^    .*\n)+", text, re.MULTILINE)]


@pytest.mark.parametrize("block", [block for block in blocks((ROOT / "README.md").read_text()) if PIPE.search(block)])
def test_every_pipe_of_the_readme_sets_pipefail(block):
    assert block.lstrip().startswith("set -o pipefail")


@pytest.mark.parametrize("path", sorted((ROOT / "man").glob("*.1")), ids=lambda path: path.name)
def test_every_pipe_of_the_manual_sets_pipefail(path):
    for block in re.findall(r"\.nf\n(.*?)\.fi", path.read_text(), re.DOTALL):
        if PIPE.search(block):
            assert "set \\-o pipefail" in block
