"""Standard input is for records: we read it, and no library does."""

import builtins
import os
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from typing import TextIO

from real_cli.errors import RealError


class Kept:
    """Where standard input is while a command runs."""

    stream: TextIO | None = None
    is_kept = False


def standard_input() -> TextIO:
    """Return standard input as text; its buffer has the bytes."""
    stream = Kept.stream if Kept.is_kept else sys.stdin
    if stream is None:
        raise RealError("<stdin>: is closed; pipe records in, or name a file")
    return stream


def is_terminal() -> bool:
    """Tell whether standard input is a terminal, or closed: nothing is piped in."""
    stream = Kept.stream if Kept.is_kept else sys.stdin
    return stream is None or stream.isatty()


@contextmanager
def kept_for_records() -> Iterator[None]:
    """Give libraries an empty standard input: a question of theirs would take a record for its answer."""
    before = Kept.is_kept, Kept.stream, sys.stdin, builtins.input
    with open(os.devnull, encoding="utf-8") as nothing:
        stream = Kept.stream if Kept.is_kept else sys.stdin
        Kept.is_kept, Kept.stream, sys.stdin, builtins.input = True, stream, nothing, _refuse
        try:
            yield
        finally:
            Kept.is_kept, Kept.stream, sys.stdin, builtins.input = before


def _refuse(prompt: object = "") -> str:
    raise EOFError("a library asked on standard input, which is for records")
