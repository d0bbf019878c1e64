"""A judge's verdicts on two responses, asked in both orders."""

from typing import NamedTuple

TIE = "tie"

SWAPPED = {"A": "B", "B": "A", TIE: TIE}


class Judgment(NamedTuple):
    """One pair judged in both orders.

    Attributes:
        verdicts: "A", "B" or "tie": with the first response shown as A, and with it shown as B.
        texts: What the judge wrote.
    """

    verdicts: tuple[str, str]
    texts: tuple[str, str]

    @property
    def winner(self) -> str:
        """Which response won: "A" (the first) or "B" if both orders say so, else a tie."""
        first, second = self.verdicts
        return first if first == SWAPPED[second] else TIE

    @property
    def is_flipped(self) -> bool:
        """Whether the judge named the other response when the order was changed."""
        return self.verdicts[0] == self.verdicts[1] != TIE

    def swapped(self) -> "Judgment":
        """Return the comparison with the second response counted as the first."""
        return Judgment(self.verdicts[::-1], self.texts[::-1])
