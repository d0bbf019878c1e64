"""What `--help` shows, at every width: groups, needed options first, whole words, nothing lost."""

import os
import re
import shlex
import subprocess
import sys
from pathlib import Path

import pytest

from real_cli.cli.help_page import SHELL_WORD, SHORT_LIST, sections, wrapped, wrapped_command
from real_cli.cli.option_sets import NEEDED, SHARED_TITLES
from real_cli.docs.man_pages import commands
from tests.relabel.human.terminals import Session

COMMANDS = {command.words: command for command in commands()}
WIDTHS = (40, 60, 80, 100, 200)


def help_at(command, width, monkeypatch):
    monkeypatch.setenv("COLUMNS", str(width))
    return command.command.get_help(command.context)


def words_of(text):
    """The words of a help, without the marks of a line that a shell reads on; a list of choices may be broken."""
    return re.sub(r"\s+", "", re.sub(r" \\\n", "\n", text))


@pytest.mark.parametrize("words", COMMANDS)
def test_every_width_shows_the_same_words_whole(words, monkeypatch):
    """A line is longer than its width only where a single word is."""
    command = COMMANDS[words]
    shown = {width: help_at(command, width, monkeypatch) for width in WIDTHS}
    assert len({words_of(text) for text in shown.values()}) == 1
    for width, text in shown.items():
        long = [line for line in text.splitlines() if len(line) > min(width, 100)]
        assert [line for line in long if len(SHELL_WORD.findall(line.rstrip("\\"))) > 1 and "<" not in line] == []
    whole = set(re.findall(r"\S+", help_at(command, 200, monkeypatch)))
    for width in (60, 80):
        text = re.sub(r"(?<=\w)\|\n\s+", "|", shown[width])
        assert set(re.findall(r"\S+", text)) - whole <= {"\\"}


@pytest.mark.parametrize("words", COMMANDS)
def test_no_help_shows_the_notation_of_a_language_or_a_library(words, monkeypatch):
    text = help_at(COMMANDS[words], 80, monkeypatch)
    assert not re.search(
        r"<(str|int|float|path|list|[a-z-]+\|)|list\[|\d{12,}|x>=|<=x|dynamic|\[default: \(|"
        r"\[required\]|Show this message",
        text,
    )


@pytest.mark.parametrize("words", COMMANDS)
def test_what_is_needed_comes_first_and_long_lists_have_groups(words):
    command = COMMANDS[words]
    titles = sections(command.command, command.context)
    params = command.command.get_params(command.context)
    listed = [param.name for rows in titles.values() for param in rows]
    assert sorted(listed) == sorted(param.name for param in params)
    needed = {param.name for param in params if param.required} | set(command.command.kind.NEEDED)
    assert {param.name for param in titles.get(NEEDED, [])} == needed
    assert not needed or next(iter(titles)) == NEEDED
    options = [title for title in titles if title not in (NEEDED, "Arguments")]
    if len(params) > SHORT_LIST:
        shared = [title for title in options if title in SHARED_TITLES]
        assert len(options) > 1
        assert shared == [title for title in SHARED_TITLES if title in shared]
        assert titles["Other"][-1].name == "help"
    else:
        assert options == ["Options"]


def test_some_commands_are_on_each_side_of_a_short_list():
    sizes = [len(command.command.get_params(command.context)) for command in COMMANDS.values()]
    assert min(sizes) <= SHORT_LIST < max(sizes)


def test_a_synopsis_names_what_is_needed(monkeypatch):
    assert help_at(COMMANDS["real soup"], 80, monkeypatch).startswith(
        "Usage: real soup --output FOLDER [OPTION]... MODEL...\n"
    )
    first = help_at(COMMANDS["real train-dpo"], 80, monkeypatch).splitlines()[0]
    assert first == "Usage: real train-dpo --policy NAME --output DIR [OPTION]... [FILE...]"


@pytest.mark.parametrize("width", [24, 40, 60, 78])
@pytest.mark.parametrize("words", COMMANDS)
def test_a_broken_example_is_the_same_command(words, width):
    """To a shell."""
    (text,) = [part for part in COMMANDS[words].paragraphs if part.startswith("\b\nExamples:")]
    lines = [line.strip() for line in text.splitlines()[2:]]
    assert lines
    for line in lines:
        broken = "\n".join(wrapped_command(line, width, "    "))
        assert shlex.split(broken.replace("\\\n", "")) == shlex.split(line)
        assert not re.search(r"(?<![|&\\])\n", broken), "a shell would end the command here"


def test_a_quoted_word_is_not_broken():
    line = "real eval margin pairs.jsonl | jq '.accuracy, .margin' > numbers.txt"
    assert wrapped_command(line, 30)[1] == "  jq '.accuracy, .margin' \\"


def test_a_word_that_is_longer_than_a_line_stays_whole():
    assert wrapped("say incomprehensibilities now", 10) == ["say", "incomprehensibilities", "now"]


@pytest.mark.parametrize("words", [[], ["relabel"], ["eval"]])
def test_a_group_alone_is_a_screen(words):
    """On the terminal that most have: 80 columns, 24 lines."""
    environment = os.environ | {"COLUMNS": "80"}
    done = subprocess.run(
        [sys.executable, "-m", "real_cli", *words], capture_output=True, text=True, env=environment, check=False
    )
    assert done.returncode == 2
    assert 3 < done.stderr.count("\n") < 24
    assert done.stderr.startswith(f"Usage: {' '.join(['real', *words])} COMMAND ")
    assert "..." not in done.stderr.partition("\n")[2]


@pytest.mark.parametrize("words", [[], ["relabel"], ["eval"], ["pair"], ["relabel", "judge"], ["help"]])
def test_h_is_help_everywhere(words):
    short, long = (
        subprocess.run([sys.executable, "-m", "real_cli", *words, option], capture_output=True, text=True, check=True)
        for option in ("-h", "--help")
    )
    assert short.stdout == long.stdout
    assert short.stdout.startswith("Usage: real")
    assert "\x1b" not in short.stdout


@pytest.mark.parametrize("columns", WIDTHS)
def test_a_terminal_shows_the_whole_help(columns, tmp_path, monkeypatch):
    """The width is the terminal's own; no line is broken by it."""
    monkeypatch.delenv("COLUMNS", raising=False)
    program = [sys.executable, "-m", "real_cli", "pair", "--help"]
    session = Session(cwd=tmp_path, columns=columns, lines=400, program=program, shows_output=True)
    try:
        assert session.end()[1:] == ("", 0)
        assert session.text.strip() == help_at(COMMANDS["real pair"], columns, monkeypatch).strip()
    finally:
        session.close()


@pytest.mark.parametrize("words", [[], ["--help"], ["relabel"], ["eval", "--help"]], ids=" ".join)
def test_a_group_has_the_same_usage_wherever_it_is_shown(words):
    done = subprocess.run([sys.executable, "-m", "real_cli", *words], capture_output=True, text=True)
    group = " ".join(["real", *(word for word in words if word != "--help")])
    assert (done.stdout + done.stderr).splitlines()[0] == f"Usage: {group} COMMAND [OPTION]... [FILE...]"
    manual = (Path(__file__).parents[2] / "man" / "real.1.md").read_text(encoding="utf-8")
    assert "`real` *COMMAND* [*OPTION*]... [*FILE*...]" in manual
