"""Text that is safe to write to a terminal, from whoever it comes: a server, a file's name, a model's template."""

CONTROL_PICTURES = 0x2400
DELETE, DELETE_PICTURE = "\x7f", "\u2421"
REPLACEMENT = "\ufffd"
# Of a longer line nobody reads the rest.
MAX_CHARACTERS = 4000


def printable_line(text: str) -> str:
    r"""Make one line of a text that a terminal shows and never obeys.

    Args:
        text: Any text, an attacker's too.

    Returns:
        One line of printable characters: space of any kind is a space, a control character a picture of it, and what
        else cannot be seen, marks of direction and halves of surrogates say, a replacement character.

    Example:
        >>> printable_line("a\x1b]52;c;eA==\x07\nb\u202e")
        'a␛]52;c;eA==␇ b�'

    References:
        Unicode 16, section 23.1: control codes; UAX #9, section 2: directional formatting characters.
    """
    text = text if text.isprintable() else "".join(map(_shown, text))
    return text if len(text) <= MAX_CHARACTERS else f"{text[: MAX_CHARACTERS - 3]}..."


def printable_lines(text: str) -> str:
    r"""Make a text printable, its line ends and tabs kept.

    Args:
        text: Any text.

    Returns:
        The text; see `printable_line`.

    Example:
        >>> printable_lines("a\x1b[2J\n\tb")
        'a␛[2J\n\tb'
    """
    return "".join(letter if letter in "\n\t" else _shown(letter) for letter in text)


def _shown(letter: str) -> str:
    if letter.isprintable():
        return letter
    if letter.isspace():
        return " "
    if letter < " ":
        return chr(CONTROL_PICTURES + ord(letter))
    return DELETE_PICTURE if letter == DELETE else REPLACEMENT
