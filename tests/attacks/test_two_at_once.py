"""Two trainings into one folder, two `make` in one project: the second stops at a lock, and no file is mixed."""

import fcntl
import json
import os
import subprocess
import time

import pytest

from tests.attacks.commands import real
from tests.train.training import train, write_rows

pytestmark = pytest.mark.filterwarnings("default")  # of the trainer's libraries
SLOW_REAL = """#!/bin/sh
# A command that writes its name to standard output, slowly, and makes the files that it is told to write.
echo "$PPID $*"
touch "${0%/*}/begun"
while [ $# -gt 1 ]; do
  case $1 in -o|--output|--export-logps|--dump|--report) out=$2;; esac
  shift
done
sleep 0.6
case $out in
  */aligned|aligned) mkdir -p "$out"; echo {} > "$out/real.json";;
  ?*) mkdir -p "$(dirname "$out")"; echo {} > "$out";;
esac
"""


def test_a_second_training_into_a_folder_says_why_it_stops(tiny_policy, tmp_path, pair_rows):
    folder = tmp_path / "out"
    folder.mkdir()
    (folder / ".work").mkdir()
    descriptor = os.open(folder, os.O_RDONLY)
    fcntl.flock(descriptor, fcntl.LOCK_EX)
    try:
        for more in ((), ("--resume",)):
            _, errors = train(tiny_policy, folder, pair_rows, *more, status=1)
            assert errors.splitlines()[-1].startswith(f"real: {folder}: another run is writing it; ")
            assert [path.name for path in folder.iterdir()] == [".work"]
    finally:
        os.close(descriptor)
    train(tiny_policy, folder, pair_rows)
    assert (folder / "real.json").is_file()


def test_a_training_after_another_one_in_the_same_folder_is_not_stopped(tiny_policy, tmp_path, pair_rows):
    train(tiny_policy, tmp_path / "out", pair_rows, "--max-steps", "1")
    train(tiny_policy, tmp_path / "out", pair_rows, "--max-steps", "1")


def wait_for(path):
    """Wait until a file is there, for ten seconds at most."""
    until = time.monotonic() + 10
    while not path.exists():
        assert time.monotonic() < until, path
        time.sleep(0.01)


@pytest.mark.parametrize("recipe", [None, "real", "spa", "salsa"])
def test_of_two_makes_in_one_project_the_second_stops_and_mixes_nothing(tmp_path, recipe):
    """With a `real` that is slow and locks nothing itself: what is tried is the Makefile."""
    (tmp_path / "real").write_text(SLOW_REAL)
    (tmp_path / "real").chmod(0o755)
    words = ["init", "project"] + (["--recipe", str(recipe)] if recipe else [])
    real(*words, cwd=tmp_path, status=0)
    project = tmp_path / "project"
    make = ["make", "-C", str(project), f"REAL={tmp_path}/real"]
    first = subprocess.Popen(make, stdout=subprocess.PIPE, stderr=subprocess.PIPE)
    try:
        wait_for(tmp_path / "begun")
        before = sorted(path.relative_to(project) for path in project.rglob("*"))
        second = subprocess.run(make, capture_output=True, text=True, timeout=20)
        assert second.returncode == 2, second
        assert "another make is at work here" in second.stderr
        assert first.poll() is None
        assert sorted(path.relative_to(project) for path in project.rglob("*")) == before
    finally:
        first.kill()
        first.communicate()


def test_a_make_after_one_that_was_killed_goes_on(tmp_path):
    (tmp_path / "real").write_text(SLOW_REAL)
    (tmp_path / "real").chmod(0o755)
    real("init", "project", cwd=tmp_path, status=0)
    make = ["make", "-C", str(tmp_path / "project"), f"REAL={tmp_path}/real", "embedded.jsonl"]
    first = subprocess.Popen(make, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
    wait_for(tmp_path / "begun")
    assert subprocess.run(make, capture_output=True).returncode == 2
    first.kill()
    first.wait()
    done = subprocess.run(make, capture_output=True, text=True, timeout=20)
    assert done.returncode == 0, done


def test_a_training_whose_names_are_not_utf8_ends_with_its_manifest(tiny_policy, tmp_path, pair_rows):
    """Of records and dump; a folder of such a name no library can write, or read, which is told before the work."""
    data, folder = tmp_path / os.fsdecode(b"caf\xe9-in"), tmp_path / "out"
    write_rows(data, pair_rows)
    train(tiny_policy, folder, None, "--max-steps", "1", "--eval-file", data, "--dump", f"{data}-dump", data)
    manifest = json.loads((folder / "real.json").read_bytes())
    assert manifest["data"]["sources"][0].endswith("caf\\xe9-in")
    _, errors = train(tiny_policy, f"{data}-out", pair_rows, status=2)
    assert "names that are UTF-8" in errors
    _, errors = train(data.with_suffix(".p"), folder, pair_rows, status=1)
    assert "names that are UTF-8" in errors.splitlines()[-1]
