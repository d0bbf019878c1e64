"""Plain text as roff, the language of man pages."""

import re
import textwrap

# Ours: click-man knows no groups of options and no generated tables; Typer writes Markdown, which no shell shows.
# Characters that roff would read as a request, or typeset as another one.
WIDTH, LONGEST = 72, 80
ESCAPES = {"\\": "\\e", "-": "\\-", "^": "\\(ha", "~": "\\(ti"}
# What a shell reads otherwise when roff has made it round.
QUOTES = {"'": "\\(aq", "`": "\\(ga"}


def escape(text: str) -> str:
    r"""Write text as roff: backslashes and hyphens as themselves, no line that looks like a request.

    Args:
        text: Plain text.

    Returns:
        Roff.

    Example:
        >>> escape("--keep 35%")
        '\\-\\-keep 35%'
    """
    return guarded(typeset(text))


def literal(text: str) -> str:
    r"""Write what is typed as roff: quotes stay straight.

    Args:
        text: Plain text, a command say.

    Returns:
        Roff.

    Example:
        >>> literal("jq '.id'")
        'jq \\(aq.id\\(aq'
    """
    return guarded(re.sub("['`]", lambda quote: QUOTES[quote[0]], typeset(text)))


def typeset(text: str) -> str:
    """Write each character as itself, within a line."""
    escaped = re.sub(r"[\\^~-]", lambda match: ESCAPES[match[0]], text)
    return re.sub(r"[^\x00-\x7f]", lambda match: f"\\[u{ord(match[0]):04X}]", escaped)


def guarded(text: str) -> str:
    """Let no line begin like a request."""
    return re.sub(r"^([.'])", r"\\&\1", text, flags=re.MULTILINE)


def joined(paragraph: str) -> str:
    """Write a paragraph in one line.

    Args:
        paragraph: Plain text.

    Returns:
        The same words with one space between them.
    """
    return " ".join(paragraph.split())


def filled(paragraph: str) -> str:
    """Break lines before escaping: mandoc asks for 80 bytes at most, and a line must not begin like a request.

    Args:
        paragraph: Plain text.

    Returns:
        Roff.
    """
    words = joined(paragraph)
    widths = range(WIDTH, WIDTH // 2, -4)  # a line of many hyphens grows when it is escaped
    fills = [escape(textwrap.fill(words, width, break_on_hyphens=False, break_long_words=False)) for width in widths]
    return next((text for text in fills if max(map(len, text.splitlines()), default=0) <= LONGEST), fills[-1])
