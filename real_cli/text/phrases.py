"""Phrases that several commands share: counts, and why something is left out."""

EQUAL_TEXTS = "equal texts"


def say_count(number: int, noun: str, plural: str = "") -> str:
    """Say a count, with the noun in the right number.

    >>> say_count(1, "pair"), say_count(0, "negative weight"), say_count(1200, "record")
    ('1 pair', '0 negative weights', '1,200 records')
    >>> say_count(2, "loss", "losses")
    '2 losses'
    """
    return f"{number:,} {noun if number == 1 else plural or noun + 's'}"
