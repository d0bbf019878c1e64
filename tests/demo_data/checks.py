"""Small pure tests of a response, from which the demo's scores are made."""

import re
from collections.abc import Callable

Check = Callable[[str], bool]

_WORD = re.compile(r"[A-Za-z0-9]+(?:'[A-Za-z]+)?")
_SENTENCE_END = re.compile(r"[.!?]+(?=\s|$)")
_BULLET = re.compile(r"[-*\u2022]\s+\S")
_TRAILING = " .!\n"


def words(text: str) -> list[str]:
    """Split a text into its words, in lower case and without punctuation.

    Args:
        text: Any text.

    Returns:
        The words in the order of the text.

    Example:
        >>> words("Two cats, one hat.")
        ['two', 'cats', 'one', 'hat']
    """
    return [word.lower() for word in _WORD.findall(text)]


def is_number(text: str) -> bool:
    """Tell whether a text is one whole number and nothing else.

    Args:
        text: The response.

    Returns:
        True for digits alone; a final period is forgiven.

    Example:
        >>> is_number("42."), is_number("It is 42")
        (True, False)
    """
    return re.fullmatch(r"-?\d+\.?", text.strip()) is not None


def is_lower(text: str) -> bool:
    """Tell whether a text has letters and none of them is a capital.

    Args:
        text: The response.

    Returns:
        True when every letter is in lower case.

    Example:
        >>> is_lower("rain falls."), is_lower("Rain falls.")
        (True, False)
    """
    return text.islower()


def is_upper(text: str) -> bool:
    """Tell whether a text has letters and all of them are capitals.

    Args:
        text: The response.

    Returns:
        True when every letter is in upper case.

    Example:
        >>> is_upper("STOP!"), is_upper("Stop!")
        (True, False)
    """
    return text.isupper()


def one_line(text: str) -> bool:
    r"""Tell whether a text is one line with something on it.

    Args:
        text: The response.

    Returns:
        True for exactly one line.

    Example:
        >>> one_line("a, b"), one_line("a\nb")
        (True, False)
    """
    return bool(text.strip()) and "\n" not in text.strip()


def only_bullets(text: str) -> bool:
    r"""Tell whether every line that is not blank is a bullet point.

    Args:
        text: The response.

    Returns:
        True when nothing stands before, between or after the bullets.

    Example:
        >>> only_bullets("- one\n- two"), only_bullets("Here:\n- one")
        (True, False)
    """
    lines = [line.strip() for line in text.splitlines() if line.strip()]
    return bool(lines) and all(_BULLET.match(line) for line in lines)


def bullets(count: int) -> Check:
    r"""Make a check that a text has a given number of bullet points.

    Args:
        count: How many lines must start with a bullet.

    Returns:
        The check.

    Example:
        >>> bullets(2)("- one\n* two")
        True
    """
    return lambda text: sum(bool(_BULLET.match(line.strip())) for line in text.splitlines()) == count


def mentions(*wanted: str) -> Check:
    """Make a check that all the given words occur, in any case.

    Args:
        *wanted: Single words.

    Returns:
        The check.

    Example:
        >>> mentions("cat")("A Cat."), mentions("cat")("catalog")
        (True, False)
    """
    return lambda text: {word.lower() for word in wanted} <= set(words(text))


def in_order(*wanted: str) -> Check:
    """Make a check that the given words are named in the given order.

    Args:
        *wanted: Single words; only the first mention of each counts.

    Returns:
        The check.

    Example:
        >>> in_order("a", "b")("a, b"), in_order("a", "b")("b, a")
        (True, False)
    """

    def check(text: str) -> bool:
        named = [word for word in dict.fromkeys(words(text)) if word in wanted]
        return named == list(wanted)

    return check


def equals(*answers: str) -> Check:
    """Make a check that a text is one of the answers and nothing more.

    Args:
        *answers: What may be said; case and a final period or exclamation mark do not matter.

    Returns:
        The check.

    Example:
        >>> equals("12")("12."), equals("yes", "no")("Yes"), equals("yes")("yes it is")
        (True, True, False)
    """
    allowed = {answer.lower() for answer in answers}
    return lambda text: text.strip(_TRAILING).lower() in allowed


def word_count(low: int, high: int) -> Check:
    """Make a check that a text has between `low` and `high` words.

    Args:
        low: The fewest words.
        high: The most words.

    Returns:
        The check.

    Example:
        >>> word_count(1, 2)("two words"), word_count(1, 2)("now it is four")
        (True, False)
    """
    return lambda text: low <= len(words(text)) <= high


def sentences(count: int) -> Check:
    """Make a check that a text is a given number of finished sentences.

    Args:
        count: How many sentences; the last must be closed by a period or the like.

    Returns:
        The check.

    Example:
        >>> sentences(1)("It rains."), sentences(1)("It rains"), sentences(1)("Hm. Rain.")
        (True, False, False)
    """
    return lambda text: len(_SENTENCE_END.findall(text)) == count and text.strip()[-1:] in {".", "!", "?"}


def starts_with(phrase: str) -> Check:
    """Make a check that the first words of a text are a phrase, in any case.

    Args:
        phrase: The first words wanted.

    Returns:
        The check.

    Example:
        >>> starts_with("no")("No, never."), starts_with("no")("Not now.")
        (True, False)
    """
    wanted = words(phrase)
    return lambda text: words(text)[: len(wanted)] == wanted


def ends_with(word: str) -> Check:
    """Make a check that the last word of a text is the given one, in any case.

    Args:
        word: The last word wanted.

    Returns:
        The check.

    Example:
        >>> ends_with("sea")("We saw the sea."), ends_with("sea")("The sea rose.")
        (True, False)
    """
    return lambda text: words(text)[-1:] == [word.lower()]


def lacks(*parts: str) -> Check:
    """Make a check that a text is not empty and has none of the given parts.

    Args:
        *parts: Characters or longer pieces that must not occur.

    Returns:
        The check.

    Example:
        >>> lacks(",")("no comma"), lacks(",")("yes, one"), lacks(",")("")
        (True, False, False)
    """
    return lambda text: bool(text.strip()) and not any(part in text for part in parts)


def items(count: int) -> Check:
    """Make a check that a text is a given number of short items with commas between them.

    Args:
        count: How many items; each has one to three words.

    Returns:
        The check.

    Example:
        >>> items(2)("apple, pear"), items(2)("apple and pear")
        (True, False)
    """

    def check(text: str) -> bool:
        parts = text.strip(_TRAILING).split(",")
        return len(parts) == count and all(1 <= len(words(part)) <= 3 for part in parts)

    return check


def wrapped(left: str, right: str) -> Check:
    """Make a check that a text stands between two marks.

    Args:
        left: The first character wanted.
        right: The last character wanted.

    Returns:
        The check.

    Example:
        >>> wrapped("[", "]")("[Home]"), wrapped("[", "]")("Home")
        (True, False)
    """
    return lambda text: len(text.strip()) > 2 and text.strip().startswith(left) and text.strip().endswith(right)
