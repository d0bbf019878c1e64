"""Counts as the summaries say them."""


def say_count(number: int, noun: str) -> str:
    """Say how many there are, with the noun in the right number.

    Args:
        number: How many.
        noun: One of them; words that follow its plural s come after the result.

    Returns:
        The number with commas, and the noun.

    Example:
        >>> say_count(1, "pair"), say_count(0, "negative weight"), say_count(1200, "record")
        ('1 pair', '0 negative weights', '1,200 records')
    """
    return f"{number:,} {noun}" if number == 1 else f"{number:,} {noun}s"
