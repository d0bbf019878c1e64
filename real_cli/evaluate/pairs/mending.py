"""The command that mends: `real eval pairs` again, as it was called, with the checks whose pairs are left out."""

import os
import shlex
from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path

from real_cli.cli.typed_command import invocation_of
from real_cli.evaluate.options import EvaluationOptions

# Options that change neither what is read nor what checks make of it; all others belong into the command.
ASIDE = frozenset({"report", "json", "output", "quiet", "rejects", "pool", "limit", "strict", "fail_on", "seed"})
OURS = frozenset({"sound", "drop", "files"})
# Stands for an input that cannot be read a second time.
PLACEHOLDER = "FILE"
SAVE_FIRST = (
    f"What was read from standard input or a pipe cannot be read again: save it, and name that file for {PLACEHOLDER}."
)


class MendCommand:
    """Writes the command that leaves pairs out.

    Args:
        sources: The input's files; none for standard input.
        words: Options that say how they are read and judged.
        taken: Other files that are read, which the sound pairs must not replace.
    """

    def __init__(self, sources: Sequence[str] = (), words: Sequence[str] = (), taken: Sequence[str] = ()) -> None:
        files = list(sources) or ["-"]
        self._words = list(words)
        self._files = [PLACEHOLDER if _is_gone(name) else name for name in files]
        self.note = SAVE_FIRST if PLACEHOLDER in (*self._words, *self._files) and PLACEHOLDER not in files else ""
        self._sound = _free_name([*files, *taken])

    def line(self, names: Sequence[str]) -> str:
        """Write it for the checks of these names, as a shell reads it."""
        drops = [word for name in names for word in ("--drop", name)]
        end = ["--"] if any(name.startswith("-") for name in self._files) else []
        parts = ["real", "eval", "pairs", *self._words, *drops, "--sound", self._sound, *end, *self._files]
        return shlex.join(parts)


def mend_command(options: EvaluationOptions, taken: Sequence[Path | None]) -> MendCommand:
    """Take what the command was called with, but for what it writes."""
    others = [str(path) for path in taken if path]
    gone = {name for name in others if _is_gone(name)}
    given = replace(options, given=options.given - ASIDE - OURS, files=None)
    words = [PLACEHOLDER if word in gone else word for word in invocation_of(given).words]
    return MendCommand(options.sources, words, others)


def _is_gone(name: str) -> bool:
    """Tell standard input and pipes, which are empty when they are read again."""
    return name == "-" or name.startswith(("/dev/", "/proc/")) or Path(name).is_fifo()


def _free_name(taken: Sequence[str]) -> str:
    """Choose a name for the sound pairs that is none of the files read."""
    used = {os.path.realpath(name) for name in taken}
    number, name = 1, "sound.jsonl"
    while os.path.realpath(name) in used:
        number += 1
        name = f"sound-{number}.jsonl"
    return name
