"""The command line as a process: wrong words, and signals before there is work."""

import signal
import subprocess
import sys
import time

import pytest

from real_cli.docs.man_pages import commands


def real(*words):
    return subprocess.run([sys.executable, "-m", "real_cli", *words], capture_output=True, text=True, input="")


@pytest.mark.parametrize(
    ("words", "stderr"),
    [
        (["pair", "--jqwwq"], "real: pair: --jqwwq is no option; see real pair --help\n"),
        (["train-dpo"], "real: --policy and --output are needed: the model to train, and the folder to write\n"),
        (["train-dpo", "-p", "x"], "real: --output is needed: the folder to write\n"),
        (["train-dpo", "-o", "x"], "real: --policy is needed: the model to train\n"),
        (["train-dpo", "--estimate"], "real: --policy is needed: the model to train\n"),
        (["nope"], "real: 'nope' is no command; see real --help\n"),
        (["pair", "--keep", "3x"], "real: --keep '3x': give a share from 0% to 100% or a whole number of pairs\n"),
        (
            ["pair", "--aepo-lambda", "3"],
            "real: --aepo-lambda is read by --strategy aepo, not by easy; leave it out\n",
        ),
    ],
    ids=lambda value: " ".join(value) if isinstance(value, list) else "",
)
def test_a_wrong_command_line_is_one_line_and_status_2(words, stderr):
    """Typer would print four."""
    done = real(*words)
    assert (done.returncode, done.stdout, done.stderr) == (2, "", stderr)


@pytest.mark.parametrize("words", [[], ["relabel"], ["eval"]])
def test_a_group_without_a_command_shows_its_help(words):
    done = real(*words)
    assert done.returncode == 2
    assert "Usage: real" in done.stdout + done.stderr


@pytest.mark.parametrize(("signum", "status"), [(signal.SIGINT, 130), (signal.SIGTERM, 143)])
def test_a_signal_while_waiting_for_records_ends_the_run_at_once(signum, status):
    """One line, the status of the signal, no traceback; the pipe is still open."""
    command = [sys.executable, "-m", "real_cli", "pair", "--strategy", "random"]
    pipes = dict.fromkeys(("stdin", "stdout", "stderr"), subprocess.PIPE)
    with subprocess.Popen(command, text=True, **pipes) as process:
        process.stdin.write('{"prompt": "q", "chosen": "a", "rejected": "b"}\n')
        process.stdin.flush()
        time.sleep(2)  # until it reads
        process.send_signal(signum)
        assert process.wait(timeout=10) == status
        assert process.stderr.read().count("\n") == 1


def test_every_command_that_reads_records_takes_their_format():
    """CSV on standard input is refused by none."""
    options = {each.words: {word for option in each.command.params for word in option.opts} for each in commands()}
    readers = {name for name, words in options.items() if "--max-line-bytes" in words}
    assert len(readers) > 15
    assert {name for name in readers if "--format" not in options[name]} == {"real merge"}  # of what real wrote
