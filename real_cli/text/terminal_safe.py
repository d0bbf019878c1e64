"""Texts as a terminal may show them: nothing that it would obey."""

import re

LINE_END = re.compile("\r\n?|[\x0b\x0c\x85\u2028\u2029]")
# Escape sequences begin with one of these, a few of them turn the direction of everything that follows, and tags hide
# words in what looks empty.
OBEYED = re.compile(
    "[\x00-\x08\x0e-\x1f\x7f-\x9f\u202a-\u202e\u2066-\u206f\ufeff\ufff9-\ufffb\ud800-\udfff\U000e0000-\U000e007f]"
)
CONTROL_PICTURES = 0x2400
DELETE, DELETE_PICTURE = 0x7F, "\u2421"


def printable(text: str) -> str:
    """Make a text safe to write to a terminal.

    Args:
        text: Any text, an attacker's too.

    Returns:
        The text with every control character as a picture of it; only line ends and tabs stay.

    Example:
        >>> printable("a\\x1b[2Jb\\r\\nc")
        'a\u241b[2Jb\\nc'

    References:
        Unicode 16, section 23.1: control codes; UAX #9, section 2: directional formatting characters.
    """
    return OBEYED.sub(_picture, LINE_END.sub("\n", text))


def _picture(match: re.Match[str]) -> str:
    code = ord(match[0])
    if code < 0x20:
        return chr(CONTROL_PICTURES + code)
    return DELETE_PICTURE if code == DELETE else "\ufffd"
