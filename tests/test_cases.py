"""Golden cases: each folder tests/cases/COMMAND/NAME holds a command line and what it must print.

    cmd      the arguments after `real`, one line, split as a shell does; the folder is the working directory
    stdin    standard input; empty if the file is not there
    stdout, stderr    compared byte for byte; empty if the file is not there
    status   the exit status; 0 if the file is not there

Other files in the folder are input files. A new case needs no Python: write `cmd` and `stdin`, then

    python -m tests.test_cases --populate

writes the other files of every case; read them with `git diff` before you believe them.
"""

import os
import shlex
import sys
from contextlib import chdir
from pathlib import Path

import pytest
from typer.testing import CliRunner

from real_cli.app import app

CASES = Path(__file__).parent / "cases"
POPULATE = "python -m tests.test_cases --populate"
FOLDERS = sorted(path.parent for path in CASES.glob("*/*/cmd"))


def run(folder):
    """Run a case in this process; returns standard output, standard error and status as the files hold them."""
    stdin = folder / "stdin"
    with chdir(folder):
        result = CliRunner().invoke(
            app,
            shlex.split((folder / "cmd").read_text()),
            prog_name="real",
            input=stdin.read_bytes() if stdin.exists() else b"",
            env={"TERMINAL_WIDTH": "100", "COLUMNS": "100"},
        )
    return {"stdout": result.stdout_bytes, "stderr": result.stderr_bytes, "status": b"%d\n" % result.exit_code}


def expected(folder):
    defaults = {"stdout": b"", "stderr": b"", "status": b"0\n"}
    return {
        name: path.read_bytes() if (path := folder / name).exists() else default for name, default in defaults.items()
    }


def populate(folder):
    """Write what a case prints now as what it must print."""
    for name, data in run(folder).items():
        path = folder / name
        path.unlink(missing_ok=True)
        if data != (b"0\n" if name == "status" else b""):
            path.write_bytes(data)


@pytest.mark.parametrize("folder", FOLDERS, ids=lambda folder: str(folder.relative_to(CASES)))
def test_a_case_prints_what_it_did(folder):
    before = sorted(os.listdir(folder))
    result, wanted = run(folder), expected(folder)
    for name in ("stderr", "status", "stdout"):
        assert result[name].decode() == wanted[name].decode(), f"{folder}/{name} differs; if that is right: {POPULATE}"
    assert sorted(os.listdir(folder)) == before, "a case leaves no file behind"


def test_there_are_cases_of_every_filter_without_a_model():
    assert {folder.parent.name for folder in FOLDERS} >= {"pair", "relabel-goal", "eval-pairs"}


@pytest.mark.parametrize("folder", FOLDERS, ids=lambda folder: str(folder.relative_to(CASES)))
def test_a_case_runs_the_command_whose_folder_it_is_in(folder):
    arguments = shlex.split((folder / "cmd").read_text())
    assert "-".join(arguments[: folder.parent.name.count("-") + 1]) == folder.parent.name


if __name__ == "__main__":
    if sys.argv[1:] != ["--populate"]:
        sys.exit(f"usage: {POPULATE}")
    for case in FOLDERS:
        populate(case)
    print(f"{len(FOLDERS)} cases written; read them: git diff {CASES}")
