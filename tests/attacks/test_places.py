"""Standard streams that are full, closed or gone, few descriptors, and names that are no text."""

import json
import os
import resource
import subprocess

import pytest

from tests.attacks.commands import CANDIDATES, INSTALLED, REAL, lines, one_line, real

HELPS = [("--help",), ("--version",), ("pair", "--help"), ("eval", "margin", "-h"), ("relabel", "--help"),
         ("--show-completion", "bash")]  # fmt: skip


# Help


@pytest.mark.parametrize("words", [*HELPS, ("init", "--list")], ids=" ".join)
def test_help_to_a_full_device_is_a_line(tmp_path, words):
    named_shell = os.environ | {"_TYPER_COMPLETE_TEST_DISABLE_SHELL_DETECTION": "1"}  # whatever shell runs the tests
    with open("/dev/full", "wb") as full:
        done = real(*words, cwd=tmp_path, stdout=full, env=named_shell)
    assert done.returncode == 1
    assert one_line(done.stderr).startswith("real: standard output: No space left on device")


@pytest.mark.parametrize("words", HELPS[:3], ids=" ".join)
def test_help_to_a_reader_that_left_is_no_failure(tmp_path, words):
    reader, writer = os.pipe()
    os.close(reader)
    with open(writer, "wb") as gone:
        done = real(*words, cwd=tmp_path, stdout=gone)
    assert (done.returncode, done.stderr) == (0, b"")


@pytest.mark.parametrize("words", HELPS[:3], ids=" ".join)
def test_help_to_a_closed_output_is_a_line(tmp_path, words):
    done = real(*words, cwd=tmp_path, stdout=None, preexec_fn=lambda: os.close(1))
    assert done.returncode == 1
    one_line(done.stderr)


@pytest.mark.parametrize("words", [(), ("relabel",), ("eval",)], ids=["real", "relabel", "eval"])
def test_a_group_without_a_command_is_a_mistake_on_a_full_device_too(tmp_path, words):
    with open("/dev/full", "wb") as full:
        assert real(*words, cwd=tmp_path, stdout=full).returncode == 2


NOTHING, NONSENSE, WELL, MISSING = ((), 2), (("--nonsense",), 2), (("pair", "-s", "random"), 0), (("pair", "none"), 1)


@pytest.mark.parametrize(
    ("how", "words", "status"),
    [
        *(("full", *case) for case in (NOTHING, NONSENSE, WELL)),
        *(("closed", *case) for case in (NONSENSE, WELL)),
        *(("gone", *case) for case in (NOTHING, NONSENSE)),
        *(("full", *MISSING), ("closed", *MISSING), ("closed", *NOTHING), ("gone", *WELL), ("gone", *MISSING)),
    ],
)
def test_where_nothing_can_be_said_the_status_still_counts(tmp_path, how, words, status):
    options = {"stderr": None, "preexec_fn": lambda: os.close(2)}
    with open("/dev/full", "wb") as full:
        if how == "full":
            options = {"stderr": full}
        if how == "gone":
            reader, writer = os.pipe()
            os.close(reader)
            options = {"stderr": writer}
        done = real(*words, cwd=tmp_path, data=lines(*CANDIDATES), **options)
    assert done.returncode == status


# Few descriptors

FEW = {
    "pair": ["pair", "-s", "random", "-o", "out", "--rejects", "left"],
    "keep": ["pair", "-s", "random", "--keep", "1"],
    "human": ["relabel", "human", "--journal", "j"],
    "judge": ["relabel", "judge", "--model", "m", "--endpoint", "http://127.0.0.1:9/v1", "--cache", "c",
              "--retries", "0"],
}  # fmt: skip


@pytest.mark.parametrize("name", FEW)
def test_few_descriptors_are_a_line(tmp_path, name):
    """Whatever the number: the run works, or says that there are too few."""
    (tmp_path / "in").write_bytes(lines(*CANDIDATES))
    for most in (5, 8, 11):

        def limit(most=most):
            resource.setrlimit(resource.RLIMIT_NOFILE, (most, most))

        done = real(*FEW[name], "in", cwd=tmp_path, preexec_fn=limit, start_new_session=True)
        assert done.returncode in (0, 1), done
        if b"Too many open files" in done.stderr or b"Traceback" in done.stderr or done.returncode:
            line = one_line(done.stderr)
            assert "Too many open files" not in line or "ulimit -n" in line
            assert "temporary directory" not in line


# Names that are no text

NAME = os.fsdecode(b"caf\xe9")


@pytest.mark.parametrize(
    "option",
    ["-o", "--rejects", "input", "missing", "--max-line-bytes"],
)
def test_a_name_that_is_not_utf8_is_written_and_told(tmp_path, option):
    (tmp_path / NAME).write_bytes(lines(*CANDIDATES) + b"{\n")
    words = {
        "-o": ["-o", NAME, "-"],
        "--rejects": ["--rejects", NAME, "--on-error", "skip", "-"],
        "input": ["--rejects", "left", "--on-error", "skip", NAME],
        "missing": [f"{NAME}-", "--rejects", "left"],
        "--max-line-bytes": ["--max-line-bytes", "9", NAME],
    }[option]
    done = real("pair", "-s", "random", *words, cwd=tmp_path, data=lines(*CANDIDATES))
    if option in ("missing", "--max-line-bytes"):
        assert done.returncode == 1
        assert "caf\\xe9" in one_line(done.stderr)
    else:
        assert done.returncode == (3 if option == "input" else 0), done.stderr
        assert all(line.isprintable() for line in done.stderr.decode().splitlines())
    if option == "input":
        places = [json.loads(line)["place"] for line in (tmp_path / "left").read_bytes().splitlines()]
        assert places == ["caf\\xe9:4"]


@pytest.mark.parametrize("words", [["eval", "pairs"], ["eval", "labels"], ["relabel", "human", "--export", "csv"]])
def test_every_filter_reads_a_file_whose_name_is_not_utf8(tmp_path, words):
    pairs = [{"prompt": f"q{number}", "chosen": "a", "rejected": "b", "gold": 1} for number in range(3)]
    (tmp_path / NAME).write_bytes(lines(*pairs))
    done = subprocess.run([*REAL, *words, NAME], cwd=tmp_path, capture_output=True, check=False)
    assert b"bug" not in done.stderr
    assert b"surrogates" not in done.stderr


@pytest.mark.parametrize(
    "words",
    [
        ["relabel", "judge", "--endpoint", "http://127.0.0.1:9/v1", "--no-cache", "-m", NAME],
        ["relabel", "goal", "--template", f"{NAME} {{goal}}"],
        ["relabel", "weight", "--expression", NAME],
        ["pair", "--keep", "50%", "--by", NAME, "--lowest"],
        ["pair", "--strategy", NAME],
        ["eval", "reward", "--field", NAME],
        ["eval", "reward", "--gold", NAME, "--by", NAME],
        ["eval", "winrate", "--model", NAME],
        ["eval", "judge", "--gold", NAME],
        ["eval", "judge", "--model", NAME],
        ["pair", f"--{NAME}"],
        ["init", "--recipe", NAME, "x"],
    ],
    ids=" ".join,
)
def test_a_text_that_is_not_utf8_is_a_mistake_or_written_as_text(tmp_path, words):
    pairs = [{"prompt": "q", "chosen": "a", "rejected": "b", "score_chosen": 2, "score_rejected": 1}]
    done = real(*words, cwd=tmp_path, data=lines(*pairs))
    assert done.returncode in (0, 1, 2)
    for line in done.stderr.decode().splitlines():
        assert line.startswith("real: ")
        assert line.isprintable()
        assert "bug" not in line
        assert "surrogates" not in line


def test_a_working_folder_that_is_gone_is_told_as_what_it_is(tmp_path):
    words = ["sh", "-c", 'mkdir gone && cd gone && rmdir ../gone && exec "$@"', "sh", INSTALLED, "pair", "-o", "x"]
    done = subprocess.run(words, cwd=tmp_path, input=lines(*CANDIDATES), capture_output=True, check=False)
    assert done.returncode == 1
    assert "the working folder" in one_line(done.stderr)


def test_memory_that_is_not_there_for_a_library_is_no_bug(tmp_path):
    words = ["bash", "-c", 'ulimit -v 60000; exec "$@"', "bash", INSTALLED, "pair", "-s", "random"]
    done = subprocess.run(words, cwd=tmp_path, input=lines(*CANDIDATES), capture_output=True, check=False)
    assert done.returncode != 0
    assert b"bug" not in done.stderr
    assert b"Traceback" not in done.stderr
