"""Projects of recipes, and make in them."""

import json
import os
import subprocess

from typer.testing import CliRunner

from real_cli.app import app

COLORS = "red blue green black white pink gray gold teal plum lime navy".split()  # noqa: SIM905 - a list of words


def init(folder, name):
    """Write the project of a recipe."""
    result = CliRunner().invoke(app, ["init", "-q", str(folder), "--recipe", name])
    assert result.exit_code == 0, result.stderr
    return folder


def environment(**more):
    """This process's, without what a make around the tests left in it."""
    kept = {key: value for key, value in os.environ.items() if not key.startswith(("MAKE", "MFLAGS", "REAL_LOCK"))}
    return kept | more


def run_make(folder, *words, check=True, **more):
    """Run make in a folder."""
    words = ["make", "--no-print-directory", "-C", str(folder), *words]
    done = subprocess.run(words, capture_output=True, text=True, timeout=600, env=environment(**more))
    assert not check or done.returncode == 0, done.stdout + done.stderr
    return done


def planned(folder, *words, **more):
    """Run make -n; a command a line, with what a backslash continues joined."""
    return run_make(folder, "-n", *words, **more).stdout.replace("\\\n", " ").splitlines()


def write_lines(path, rows):
    """Write JSON lines."""
    path.write_text("".join(json.dumps(row) + "\n" for row in rows))
    return path


def color_pairs(path, words=COLORS):
    """Pairs of somebody: prompt, chosen, rejected, and a field that nobody knows."""
    return write_lines(
        path,
        [
            {"prompt": f"the {word} cat", "chosen": f" sat on the {word} mat", "rejected": " ran", "from": "me"}
            for word in words
        ],
    )


def color_candidates(path, words=COLORS):
    """Candidates as distilabel lays them out; each prompt twice, the second time in other letters."""
    return write_lines(
        path,
        [
            {
                "instruction": prompt,
                "generations": [f" sat on the {word} mat", " ran", f" {word}"],
                "ratings": [3, 1, 2],
            }
            for word in words
            for prompt in (f"Why the {word} dog", f"why the {word}  DOG")
        ],
    )


def prompts_in(path):
    """The prompts of a file, in the form in which a split compares them."""
    from real_cli.split.sides import question_of

    return {question_of(json.loads(line)) for line in path.read_text().splitlines()}
