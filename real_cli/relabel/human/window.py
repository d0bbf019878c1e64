"""The window: a header, rows that scroll, what is to be said, and every key."""

from collections.abc import Sequence
from enum import Enum
from typing import NamedTuple

from real_cli.relabel.human.rows import BOLD, DIM, REVERSE, clusters, packed, padded, width_of
from real_cli.text.phrases import say_count
from real_cli.text.terminal_safe import printable

# The keys take at most this part of the rows, and with the status half of them.
KEYS_PART = 4
# So few rows of a question keep no title in view.
LEAST_TITLED = 4
ABOVE = "more above, Home"
KEYS = ("a A better", "b B better", "t tie", "s skip", "u back", "n note", "? help", "q pause", "Q finish")
SHORT_KEYS = ("a A", "b B", "t tie", "s skip", "u back", "n note", "? help", "q pause", "Q finish")
BARE_KEYS = ("a", "b", "t", "s", "u", "n", "?", "q", "Q")
NOTE_KEYS = ("Enter keep", "Escape drop", "Ctrl-U erase")
WAITING_KEYS = ("u back", "q pause", "Q finish")
HELP_KEYS = ("j k Space scroll", "any other key leaves the help")


class KeyMode(Enum):
    """What the keys mean at the moment."""

    question = "question"
    note = "note"
    help = "help"


KEYS_OF = {KeyMode.question: KEYS, KeyMode.note: NOTE_KEYS, KeyMode.help: HELP_KEYS}


class Panel(NamedTuple):
    """Rows below a title that stays in view."""

    title: str
    rows: list[str]


class Scroll:
    """Sections in a window that shows some of their rows."""

    def __init__(self) -> None:
        self._rows: list[str] = []
        self._starts: list[int] = []
        self._titles: list[str] = []
        self._top = 0
        self._height = 1

    def fill(self, sections: Sequence[Panel]) -> None:
        """Take what is to be shown; a blank row stands between two sections."""
        self._rows, self._starts, self._titles = [], [], []
        for title, rows in sections:
            self._rows += [""] if self._rows else []
            self._starts.append(len(self._rows))
            self._titles.append(title)
            self._rows += [title, *rows]

    def move(self, action: str) -> bool:
        """Scroll by an action of ACTIONS; others move nothing, and are told apart."""
        # One row of a page stays in view: the title takes its place.
        page = max(1, self._height - 1)
        steps = {"line-down": 1, "line-up": -1, "page-down": page, "page-up": -page}
        following = next((start for start in self._starts if self._top < start <= self._last_top), None)
        if following is None:  # the end has no room to begin with a title
            following = self._last_top if self._top < min(self._starts[-1], self._last_top) else 0
        ends = {"top": 0, "bottom": self._last_top, "section": following}
        top = ends.get(action, self._top + steps.get(action, 0))
        self._top = max(0, min(top, self._last_top))
        return action in steps or action in ends

    @property
    def num_rows(self) -> int:
        """The number of rows in all."""
        return len(self._rows)

    @property
    def _last_top(self) -> int:
        return max(0, len(self._rows) - self._height)

    def view(self, height: int) -> tuple[list[str], str]:
        """Return the rows in view, below the title of the first, and a hint at the others."""
        self._height = height
        self._top = max(0, min(self._top, self._last_top))
        rows = self._rows[self._top : self._top + height]
        at = max((number for number, start in enumerate(self._starts) if start <= self._top), default=0)
        if self._top and height >= LEAST_TITLED:
            rows[0] = self._titles[at]
        below = len(self._rows) - self._top - height
        return rows, say_below(below) if below > 0 else ABOVE if self._top else ""


def framed(
    size: tuple[int, int], header: Sequence[str], rows: Sequence[str], status: Sequence[str], keys: Sequence[str]
) -> list[str]:
    """Frame rows between the header and the keys: as many rows as the window has."""
    width, height = size
    below = footer(size, status, keys)
    room = max(0, height - 1 - len(below))
    head = list(header)
    while len(head) > 1 and width_of(clusters(" · ".join(head))) > width:
        head.pop()
    body = [*rows[:room], *[""] * (room - len(rows))]
    return [padded(" · ".join(head), width, REVERSE), *body, *below][:height]


def footer(size: tuple[int, int], status: Sequence[str], keys: Sequence[str]) -> list[str]:
    """Lay out the status and the keys: every key at every width, by shorter names where rows are few."""
    width, height = size
    names = [keys, SHORT_KEYS, BARE_KEYS] if keys is KEYS else [keys]
    packs = [packed(choice, width) for choice in names]
    bottom = next((rows for rows in packs if len(rows) <= max(1, height // KEYS_PART)), packs[-1])
    bottom = bottom[: max(1, height - 2)]
    texts = [printable(text).replace("\n", " ").replace("\t", " ") for text in status if text]
    above = packed(texts, width) or [""]
    room = max(0, height // 2 - len(bottom))
    if len(above) > room:  # the end of a note is where its writer is
        above = packed(texts, width - len("... "))[-room:] if room else []
        above[:1] = [f"... {row}" for row in above[:1]]
    return [*(padded(row, width, BOLD) for row in above), *(padded(row, width, DIM) for row in bottom)]


def say_below(number: int) -> str:
    """Hint at rows below the window."""
    return f"more below: {say_count(number, 'row')}, Space"
