"""What the commands that score by a model have in common: a checked field, and marked records on their way out."""

from collections.abc import Callable, Iterable
from pathlib import Path
from typing import Annotated, TypeVar

import typer

from real_cli.errors import RecordError, UsageError
from real_cli.io.job import Job
from real_cli.io.sources import Item
from real_cli.records.record import Record

Score = TypeVar("Score")

ScoreField = Annotated[
    str,
    typer.Option(
        "--field",
        metavar="NAME",
        help="The field of a response that takes the score; another name keeps the scores of several models.",
    ),
]


def write_scored(
    job: Job,
    scored: Iterable[tuple[str, Record, Score | None]],
    mark: Callable[[Record, Score], Record],
    too_long: str = "",
) -> None:
    """Write records with what a model says of them.

    Args:
        job: Where they go.
        scored: Places, records and what the model says; None leaves a record out.
        mark: Puts it on the record; refuses what is no number.
        too_long: Why a record is left out.
    """
    for place, record, score in scored:
        if score is None:
            job.drop(place, record, too_long)
            continue
        try:
            made = mark(record, score)
        except RecordError as error:
            job.reject(Item(place, record), str(error))
        else:
            job.write(made)


def read_words(text: str) -> str:
    """Read what the user gave as words or as the name of a file of them.

    Args:
        text: Words, or @ and the name of a file.

    Returns:
        The words; of a file without its last line end.

    Raises:
        UsageError: If there is no such file, or it holds no text.
    """
    path = words_path(text)
    if path is None:
        return text
    try:
        return path.read_text(encoding="utf-8").removesuffix("\n")
    except (OSError, UnicodeDecodeError) as error:
        raise UsageError(f"{text}: {getattr(error, 'strerror', None) or 'is no text'}; give words, or @FILE") from None


def words_path(text: str | None) -> Path | None:
    """Name the file that `read_words` reads.

    Args:
        text: Words, or @ and the name of a file; None for nothing given.

    Returns:
        The file; None for words.
    """
    return Path(text[1:]) if text is not None and text.startswith("@") else None
