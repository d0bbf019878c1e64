"""A row of the table of layouts."""

from collections.abc import Callable
from typing import NamedTuple

from real_cli.records.record import Record


class Layout(NamedTuple):
    """One layout.

    Attributes:
        name: What the manual calls it.
        fields: Those that tell it, and what is read in them.
        becomes: Candidates or preference; "a tie candidates" where it may be either.
        matches: Tells a record of this layout.
        adapt: Reads one.
        uses: Fields that are gone once they were read; others pass through.
        one_response_a_row: Whether neighboring rows of one prompt are joined.
        holds_turns: Whether `prompt` is a list of turns and not yet what is asked.
    """

    name: str
    fields: str
    becomes: str
    matches: Callable[[Record], bool]
    adapt: Callable[[Record], Record]
    uses: tuple[str, ...] = ()
    one_response_a_row: bool = False
    holds_turns: bool = False


PREFERENCE, CANDIDATES, EITHER = "preference", "candidates", "preference; a tie candidates"
