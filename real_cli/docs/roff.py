"""Plain text as roff, the language of man pages."""

import re
import textwrap

# Ours: click-man knows no groups of options and no generated tables; Typer writes Markdown, which no shell shows.
# Characters that roff reads as requests, or typesets as others.
WIDTH, LONGEST = 72, 80
ESCAPES = {"\\": "\\e", "-": "\\-", "^": "\\(ha", "~": "\\(ti"}
# Neither hyphenated, which would break names, nor padded with spaces to an even margin.
PLAIN = (".nh", ".ad l")
# Quotes that a shell misreads once roff has curled them.
QUOTES = {"'": "\\(aq", "`": "\\(ga"}


def escape(text: str) -> str:
    r"""Write text as roff: backslashes and hyphens literal, no line that looks like a request.

    >>> escape("--keep 35%")
    '\\-\\-keep 35%'
    """
    return guarded(typeset(text))


def literal(text: str) -> str:
    r"""Write typed text, a command say, as roff: quotes stay straight.

    >>> literal("jq '.id'")
    'jq \\(aq.id\\(aq'
    """
    return guarded(re.sub("['`]", lambda quote: QUOTES[quote[0]], typeset(text)))


def typeset(text: str) -> str:
    """Write each character as itself, within a line."""
    escaped = re.sub(r"[\\^~-]", lambda match: ESCAPES[match[0]], text)
    return re.sub(r"[^\x00-\x7f]", lambda match: f"\\[u{ord(match[0]):04X}]", escaped)


def guarded(text: str) -> str:
    """Keep lines from beginning like a request."""
    return re.sub(r"^([.'])", r"\\&\1", text, flags=re.MULTILINE)


def joined(paragraph: str) -> str:
    """Join a paragraph to one line with single spaces."""
    return " ".join(paragraph.split())


def filled(paragraph: str) -> str:
    """Break lines before escaping: mandoc asks for at most 80 bytes, and no line may begin like a request."""
    words = joined(paragraph)
    widths = range(WIDTH, WIDTH // 2, -4)  # escaping lengthens a line of many hyphens
    fills = [escape(textwrap.fill(words, width, break_on_hyphens=False, break_long_words=False)) for width in widths]
    return next((text for text in fills if max(map(len, text.splitlines()), default=0) <= LONGEST), fills[-1])
