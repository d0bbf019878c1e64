"""Words that an option takes as they are, or from a file."""

from pathlib import Path

from real_cli.errors import UsageError


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
