"""The pages of the manual by topic, and what a mistyped topic meant."""

import re
from collections.abc import Sequence
from importlib.resources import files
from pathlib import Path
from typing import NamedTuple

from real_cli.errors import UsageError, clip, nearest
from real_cli.help.page_text import plain

FOLDER = "pages"
PREFIX = "real-"
NAME = re.compile(r"^\.SH NAME\n(?:\.PP\n)?(\S+) \\- ((?:[^.].*\n)+)", re.MULTILINE)
# Commands, whose topics are the words that run them, and the rest of the manual.
COMMANDS, GUIDES = "Commands", "Guides"


class Topic(NamedTuple):
    """A page: the words that ask for it, its file, and what it is about."""

    words: str
    path: Path
    summary: str

    @property
    def kind(self) -> str:
        """The list that it belongs to."""
        return COMMANDS if self.path.suffix == ".1" and self.words != "real" else GUIDES

    @property
    def key(self) -> str:
        """The words as they stand in the page's name."""
        return self.words.replace(" ", "-")


def topics() -> list[Topic]:
    """Find all pages, in the package itself, by name."""
    folder = Path(str(files("real_cli.help") / FOLDER))
    return [_topic(path) for path in sorted(folder.glob("*.[157]"))]


def _topic(path: Path) -> Topic:
    source = path.read_text(encoding="utf-8")
    match = NAME.search(source)
    summary = " ".join(plain(match[2]).split()) if match else ""
    words = path.stem.removeprefix(PREFIX)
    command = re.search(r"^\.SH SYNOPSIS\n\.B real (.+)$", source, re.MULTILINE)
    if path.suffix == ".1" and command:
        words = plain(command[1])
    return Topic(words, path, summary)


def find_topics(words: Sequence[str]) -> list[Topic]:
    """Find the page that words ask for, or the pages of a group of commands; a UsageError names the nearest topic."""
    known = topics()
    asked = "-".join(" ".join(words).lower().split())
    key = re.sub(r"\([157]\)$|\.[157]$", "", asked)
    key = key if key in ("real", "real-cli") else key.removeprefix(PREFIX)
    exact = [topic for topic in known if topic.key == key]
    members = [topic for topic in known if topic.words.startswith(f"{key} ")]
    if exact or members:
        return exact or members
    raise UsageError(f"help: {clip(' '.join(words))} is no topic; {_meant(key, known)}")


def _meant(key: str, known: Sequence[Topic]) -> str:
    """Name the topic that is nearest by all its words, else by the last of them."""
    by_key = {topic.key: topic.words for topic in known}
    last = {topic.words.rpartition(" ")[2]: topic.words for topic in known}
    near = None if key in last else nearest(key, by_key)
    meant = by_key[near] if near else last.get(nearest(key, last) or "")
    if meant:
        return f"did you mean {meant}?"
    telling = max(known, key=lambda topic: _num_mentions(key, topic))
    return f"'real help {telling.words}' tells of it" if _num_mentions(key, telling) else "real help lists the topics"


def _num_mentions(key: str, topic: Topic) -> int:
    """Count how often a guide has a word; a command's page has too many of its own."""
    if topic.kind == COMMANDS:
        return 0
    return len(re.findall(rf"\b{re.escape(key)}\b", plain(topic.path.read_text(encoding="utf-8")).lower()))
