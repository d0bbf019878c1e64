"""Words that an option takes as they are, or from a file."""

from pathlib import Path

from real_cli.errors import UsageError


def read_words(text: str) -> str:
    """Read words, or with `@` the file that holds them, without its last line end."""
    path = words_path(text)
    if path is None:
        return text
    try:
        return path.read_text(encoding="utf-8").removesuffix("\n")
    except (OSError, UnicodeDecodeError) as error:
        raise UsageError(f"{text}: {getattr(error, 'strerror', None) or 'is no text'}; give words, or @FILE") from None


def words_path(text: str | None) -> Path | None:
    """Name the file that `read_words` reads; None for words."""
    return Path(text[1:]) if text is not None and text.startswith("@") else None
