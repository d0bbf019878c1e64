"""The blocks of README and manual: what a reader pastes, and what is shown behind it."""

from pathlib import Path
from typing import NamedTuple

from markdown_it import MarkdownIt

ROOT = Path(__file__).parents[2]
README = ROOT / "README.md"
DOCUMENTS = [README, *sorted((ROOT / "man").glob("*.md"))]
# What installs packages is run by .ci/run, from the same lines.
RUN_BY_CI = ("pip install",)


class Block(NamedTuple):
    """A block of shell; `shown` stands right behind it, empty where nothing does."""

    shell: str
    shown: str
    kind: str  # "json", "text" or ""


def tokens_of(path):
    """Read a document as Markdown."""
    return MarkdownIt("commonmark").enable("table").parse(path.read_text(encoding="utf-8"))


def shell_blocks(path):
    """List the blocks that a reader runs, in their order."""
    tokens = tokens_of(path)
    blocks = []
    for token, behind in zip(tokens, [*tokens[1:], None], strict=True):
        if token.type == "fence" and token.info == "sh" and not token.content.startswith(RUN_BY_CI):
            is_shown = behind is not None and behind.type == "fence" and behind.info in ("json", "text")
            blocks.append(Block(token.content, *((behind.content, behind.info) if is_shown else ("", ""))))
    return blocks
