"""Texts that are safe to write to a terminal, whoever sent them: a server, a file's name, a template, a record.

Texts that a person judges keep the joiners and marks that scripts and emoji need; messages, which land in logs too,
keep only what `str.isprintable` accepts.
"""

import re

LINE_END = re.compile("\r\n?|[\x0b\x0c\x85\u2028\u2029]")
# Escape sequences begin with one of these; a few reverse the direction of all that follows, and tags hide words in
# what looks empty.
OBEYED = re.compile(
    "[\x00-\x08\x0e-\x1f\x7f-\x9f\u202a-\u202e\u2066-\u206f\ufeff\ufff9-\ufffb\ud800-\udfff\U000e0000-\U000e007f]"
)
CONTROL_PICTURES = 0x2400
DELETE, DELETE_PICTURE = "\x7f", "\u2421"
REPLACEMENT = "\ufffd"
# Nobody reads the rest of a longer line.
MAX_CHARACTERS = 4000


def printable(text: str) -> str:
    """Make a text that a person reads safe for a terminal.

    >>> printable("a\\x1b[2Jb\\r\\nc")
    'a\u241b[2Jb\\nc'

    References:
        Unicode 16, section 23.1: control codes; UAX #9, section 2: directional formatting characters.
    """
    return OBEYED.sub(lambda match: _picture(match[0]), LINE_END.sub("\n", text))


def printable_line(text: str) -> str:
    r"""Make a message one printable line.

    >>> printable_line("a\x1b]52;c;eA==\x07\nb\u202e")
    'a␛]52;c;eA==␇ b�'
    """
    text = text if text.isprintable() else "".join(map(_shown, text))
    return text if len(text) <= MAX_CHARACTERS else f"{text[: MAX_CHARACTERS - 3]}..."


def printable_lines(text: str) -> str:
    r"""Make the lines of a message printable, their ends and tabs kept.

    >>> printable_lines("a\x1b[2J\n\tb")
    'a␛[2J\n\tb'
    """
    return "".join(letter if letter in "\n\t" else _shown(letter) for letter in text)


def _shown(letter: str) -> str:
    if letter.isprintable():
        return letter
    return " " if letter.isspace() else _picture(letter)


def _picture(letter: str) -> str:
    if letter < " ":
        return chr(CONTROL_PICTURES + ord(letter))
    return DELETE_PICTURE if letter == DELETE else REPLACEMENT
