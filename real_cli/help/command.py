"""real help: open the manual."""

import contextlib
import os
import shlex
import shutil
import signal
import subprocess
import sys
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from real_cli.cli.help_page import WIDEST, Row, listed, wrapped
from real_cli.cli.option_sets import Options
from real_cli.cli.typed_command import typed_command
from real_cli.errors import Status

if TYPE_CHECKING:
    from real_cli.help.topics import Topic

# Lines of a page longer than this are hard to read.
WIDEST_PAGE = 80


def topic_words() -> list[str]:
    """List the topics, for completion."""
    from real_cli.help.topics import topics

    return [topic.words for topic in topics()]


@dataclass(frozen=True, kw_only=True)
class HelpOptions(Options):
    """What to read about."""

    words: Annotated[
        list[str] | None,
        typer.Argument(
            metavar="TOPIC",
            show_default=False,
            autocompletion=topic_words,
            help="A command, as pair or relabel judge, or a guide, as losses; without it, the list of both.",
        ),
    ] = None


@typed_command
def open_manual(options: HelpOptions) -> Status:
    """Open the manual page of a command, or a guide.

    A terminal gets man, or a pager where there is none; a pipe or a file gets plain text, as wide as COLUMNS says, at
    most 80. The pages are part of the package, so they are at hand wherever it runs.

    \b
    Examples:
      real help
      real help relabel judge | head -n 20
      real help losses | grep -A 3 simpo
    """
    from real_cli.help.topics import find_topics, topics

    chosen = find_topics(options.words) if options.words else topics()
    if len(chosen) == 1:
        show_page(chosen[0].path)
    else:
        _write(topic_list(chosen, shutil.get_terminal_size().columns))
    return Status.done


def topic_list(chosen: "list[Topic]", width: int) -> str:
    """List topics by kind, each with its summary."""
    width = min(width, WIDEST)
    lines: list[str] = []
    for kind in dict.fromkeys(topic.kind for topic in chosen):
        rows = [Row(topic.words, topic.summary) for topic in chosen if topic.kind == kind]
        lines += [f"{kind}:", *listed(rows, width), ""]
    return "\n".join([*lines, *wrapped("real help TOPIC opens a page, such as: real help pair", width)]) + "\n"


def show_page(path: Path) -> None:
    """Show a page with man where a person looks at it, else as plain text."""
    from real_cli.help.page_text import page_text

    is_watched = sys.stdout.isatty()
    man = shutil.which("man") if is_watched else None
    if man and _runs([man, "-l", str(path)]):
        return
    width = min(shutil.get_terminal_size().columns, WIDEST_PAGE)
    text = page_text(path.read_text(encoding="utf-8"), width)
    pager = shlex.split(os.environ.get("PAGER", "")) or ["less"]
    if is_watched and shutil.which(pager[0]) and _runs(pager, text):
        return
    _write(text)


def _runs(words: list[str], text: str | None = None) -> bool:
    """Run a program that takes the terminal over; an interrupt is for it alone."""
    before = signal.signal(signal.SIGINT, lambda *_: None)
    try:
        with contextlib.suppress(OSError):
            done = subprocess.run(words, input=text, text=True, stderr=subprocess.DEVNULL, check=False)
            return done.returncode == 0
        return False
    finally:
        signal.signal(signal.SIGINT, before)


def _write(text: str) -> None:
    from real_cli.io.output import standard_output

    with standard_output() as stream:
        stream.write(text.encode())
