"""A judge's verdicts on two responses, asked in both orders."""

from typing import Any, NamedTuple

from real_cli.errors import RecordError, clip

TIE = "tie"

SWAPPED = {"A": "B", "B": "A", TIE: TIE}
# Of the response shown as A.
POINTS = {"A": 1.0, "B": 0.0, TIE: 0.5}


class Judgment(NamedTuple):
    """One pair judged in both orders.

    Attributes:
        verdicts: "A", "B" or "tie": with the first response shown as A, and with it shown as B.
        texts: What the judge wrote.
        chances: How probable the judge made it, in each order, that the response shown as A is better; None where only
            its verdict is known.
    """

    verdicts: tuple[str, str]
    texts: tuple[str, str]
    chances: tuple[float | None, float | None] = (None, None)

    @property
    def winner(self) -> str:
        """Which response won: "A" (the first) or "B" if both orders say so, else a tie."""
        first, second = self.verdicts
        return first if first == SWAPPED[second] else TIE

    @property
    def is_flipped(self) -> bool:
        """Whether the judge named the other response when the order was changed."""
        return self.verdicts[0] == self.verdicts[1] != TIE

    @property
    def probability(self) -> float:
        """How probable it is that the first response is better: the mean of both orders, a tie counting 1/2."""
        forward, backward = (
            POINTS[verdict] if chance is None else chance
            for verdict, chance in zip(self.verdicts, self.chances, strict=True)
        )
        return (forward + 1.0 - backward) / 2

    def swapped(self) -> "Judgment":
        """Return the comparison with the second response counted as the first."""
        return Judgment(self.verdicts[::-1], self.texts[::-1], self.chances[::-1])


def read_judgment(verdicts: Any, place: str) -> Judgment:
    """Read the two verdicts that a record holds.

    Args:
        verdicts: What stands there: "A", "B" or "tie" with the first response shown as A, then with it shown as B.
        place: Words for where it stands.

    Returns:
        The judgment, of which neither texts nor chances are known.

    Raises:
        RecordError: If it is not two verdicts.

    Example:
        >>> read_judgment(["A", "B"], "field 'orders'").winner
        'A'
    """
    if not isinstance(verdicts, list) or len(verdicts) != 2 or not all(each in list(SWAPPED) for each in verdicts):
        raise RecordError(f"{place} is {clip(verdicts)}; two of 'A', 'B' and 'tie' are needed")
    return Judgment((verdicts[0], verdicts[1]), ("", ""))
