"""real help: topics, and what a terminal, a pipe and a machine without man are shown."""

import os
import subprocess
import sys
from pathlib import Path

import pytest

from real_cli.docs.man_pages import commands
from real_cli.errors import UsageError
from real_cli.help.page_text import page_text
from real_cli.help.topics import find_topics, topics
from tests.cli.shell_terminal import ShellTerminal

MAN = Path(__file__).parents[2] / "man"


def real_help(*words, **environment):
    return subprocess.run(
        [sys.executable, "-m", "real_cli", "help", *words],
        capture_output=True,
        text=True,
        input="",
        env=os.environ | environment,
    )


@pytest.mark.parametrize("command", commands(), ids=lambda command: command.words)
def test_every_command_is_a_topic_by_its_words(command):
    (topic,) = find_topics(command.words.split()[1:])
    assert topic.path.name == f"{command.page}.1"
    assert topic.words == command.words.partition(" ")[2]
    assert topic.summary


@pytest.mark.parametrize(
    ("words", "name"),
    [
        (["losses"], "real-losses.7"),
        (["records"], "real-records.5"),
        (["real"], "real.1"),
        (["real-pair"], "real-pair.1"),
        (["pair(1)"], "real-pair.1"),
        (["real-losses.7"], "real-losses.7"),
        (["relabel-judge"], "real-relabel-judge.1"),
        (["train", "dpo"], "real-train-dpo.1"),
        (["Pair"], "real-pair.1"),
    ],
)
def test_a_topic_is_found_by_its_other_names(words, name):
    assert [topic.path.name for topic in find_topics(words)] == [name]


def test_a_group_is_a_list_of_its_commands():
    assert len(find_topics(["relabel"])) == len(list(MAN.glob("real-relabel-*.1")))


@pytest.mark.parametrize(
    ("words", "meant"),
    [("losess", "losses"), ("judge", "relabel judge"), ("relabel jugde", "relabel judge"), ("recrods", "records")],
)
def test_a_mistyped_topic_is_answered_with_the_near_topic(words, meant):
    with pytest.raises(UsageError, match=f"^help: '{words}' is no topic; did you mean {meant}\\?$"):
        find_topics(words.split())


def test_no_near_topic_is_a_hint_at_the_list():
    done = real_help("xyzq")
    assert (done.returncode, done.stdout) == (2, "")
    assert done.stderr == "real: help: 'xyzq' is no topic; real help lists the topics\n"


@pytest.mark.parametrize(("word", "guide"), [("simpo", "losses"), ("curry-dpo", "guide")])
def test_a_word_of_a_guide_leads_to_the_guide(word, guide):
    """A method has no page of its own."""
    with pytest.raises(UsageError, match=f"^help: '{word}' is no topic; 'real help {guide}' tells of it$"):
        find_topics([word])


def test_all_pages_are_in_the_package():
    assert {topic.path.name for topic in topics()} == {path.name for path in MAN.glob("*.[157]")}


def test_help_alone_lists_every_topic():
    done = real_help(COLUMNS="80")
    assert (done.returncode, done.stderr) == (0, "")
    listed = [line[2:].split("  ")[0] for line in done.stdout.splitlines() if line.startswith("  ")]
    assert sorted(listed) == sorted(topic.words for topic in topics())
    assert max(map(len, done.stdout.splitlines())) <= 80


def test_a_pipe_gets_plain_text():
    """Its reader may leave early."""
    done = real_help("losses", COLUMNS="70")
    assert done.stdout == page_text((MAN / "real-losses.7").read_text(encoding="utf-8"), 70)
    line = f"{sys.executable} -m real_cli help losses | head -n 1"
    early = subprocess.run(["bash", "-o", "pipefail", "-c", line], capture_output=True, text=True)
    assert (early.returncode, early.stderr) == (0, "")
    assert early.stdout.startswith("REAL-LOSSES(7)")


def stand_in(folder, name, text):
    folder.mkdir(exist_ok=True)
    (folder / name).write_text(f"#!/bin/sh\n{text}\n")
    (folder / name).chmod(0o755)


def watched(folder, *words, **environment):
    """What a terminal shows, with the programs of a folder alone."""
    settings = {"PATH": f"{folder}", "TERM": "xterm", "LANG": "C.UTF-8"} | environment
    terminal = ShellTerminal([sys.executable, "-m", "real_cli", "help", *words], settings, MAN.parent, lines=400)
    try:
        while terminal.read(0.2):
            pass
        return terminal.text
    finally:
        terminal.close()


def test_a_terminal_gets_man_then_a_pager_then_the_text(tmp_path):
    """The first of them that is there and works."""
    programs = tmp_path / "programs"
    programs.mkdir()
    text = page_text((MAN / "real-pair.1").read_text(encoding="utf-8"), 80)
    assert watched(programs, "pair") == text.rstrip()
    stand_in(programs, "page", "read line; echo paged: $line")
    assert watched(programs, "pair", PAGER="page -x").startswith("paged: REAL-PAIR(1)")
    stand_in(programs, "man", 'echo "man: $*"')
    assert watched(programs, "pair", PAGER="page") == f"man: -l {Path(find_topics(['pair'])[0].path)}"
    stand_in(programs, "man", "echo no such option >&2; exit 2")
    assert watched(programs, "pair", PAGER="page").startswith("paged: REAL-PAIR(1)")
