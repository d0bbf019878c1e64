"""What a person sees: a header, the prompt, the two responses, and the keys."""

import io
from collections.abc import Iterator
from itertools import zip_longest

from rich.cells import cell_len, set_cell_size
from rich.color import ColorSystem
from rich.console import Console
from rich.text import Text

from real_cli.relabel.human.session import ShownQuestion
from real_cli.relabel.human.turns import ShownTurn, differing_words, turns
from real_cli.text.terminal_safe import printable

# From this width on, the responses are side by side.
WIDE = 100
GAP = " │ "
DIFFERENT = "bold underline"
ACTIONS = {
    "a": "a", "1": "a", "left": "a",
    "b": "b", "2": "b", "right": "b",
    "t": "tie", "s": "skip",
    "u": "back", "backspace": "back", "enter": "keep",
    "n": "note", "?": "help", "q": "pause", "Q": "finish",
    "down": "line-down", "j": "line-down", "up": "line-up", "k": "line-up",
    "page-down": "page-down", " ": "page-down", "page-up": "page-up", "home": "top", "end": "bottom",
    "interrupt": "interrupt", "resize": "resize",
}  # fmt: skip
KEYS = "a A better  b B better  t tie  s skip  u back  n note  ? help  q pause  Q finish"
HELP = """\
a, 1, Left     A is better
b, 2, Right    B is better
t              a tie: neither is better
s              skip: no answer
u, Backspace   back to the question before, up to 20
Enter          back there: keep the answer it has
n              add a note; Enter keeps it, Escape drops it
j, k, Down, Up, Space, PageDown, PageUp, Home, End   scroll
q, Ctrl-C      pause; every answer is on disk, the same command goes on
Q              finish with what is answered; the rest is left out
?              this help; any key leaves it

Words that differ are underlined. Which response is A is drawn for each pair.
"""
# Attributes alone, no colors, so NO_COLOR changes nothing.
CONSOLE = Console(file=io.StringIO(), force_terminal=True, legacy_windows=False)


class Questionnaire:
    """A question, laid out for the window."""

    def __init__(self, asked: ShownQuestion) -> None:
        first, second = asked.question.texts(asked.shown)
        self._prompt = _flowing(turns(asked.question.prompt), has_roles=True)
        self._responses = [_flowing(messages := turns(text), has_roles=len(messages) > 1) for text in (first, second)]
        for text, spans in zip(
            self._responses, differing_words(*(text.plain for text in self._responses)), strict=True
        ):
            for start, end in spans:
                text.stylize(DIFFERENT, start, end)
        self._lines: list[str] = []
        self._width = 0
        self._top = 0
        self._height = 1

    def scroll(self, action: str) -> None:
        """Scroll by an action of ACTIONS; others move nothing."""
        page = max(1, self._height - 1)
        steps = {"line-down": 1, "line-up": -1, "page-down": page, "page-up": -page}
        ends = {"top": 0, "bottom": len(self._lines)}
        self._top = ends.get(action, self._top + steps.get(action, 0))

    def page(self, size: tuple[int, int], header: str, status: str, *, shows_help: bool = False) -> str:
        """Lay out the screen: text and escape sequences that write each line of the window once."""
        width, height = size
        if width != self._width:
            self._lines, self._width = list(self._laid_out(width)), width
        self._height = max(1, height - 3)
        self._top = max(0, min(self._top, len(self._lines) - self._height))
        lines = HELP.splitlines() if shows_help else self._lines[self._top :]
        below = 0 if shows_help else max(0, len(lines) - self._height)
        mark = f"more below: {below} lines, Space" if below else ("more above" if self._top and not shows_help else "")
        return framed(size, header, lines, status, mark)

    def _laid_out(self, width: int) -> Iterator[str]:
        yield _title("Prompt", width)
        yield from _wrapped(self._prompt, width)
        yield ""
        if width < WIDE:
            for letter, text in zip("AB", self._responses, strict=True):
                yield _title(letter, width)
                yield from _wrapped(text, width)
                if letter == "A":
                    yield ""
            return
        column = (width - len(GAP)) // 2
        columns = [[_title(letter, column), *_wrapped(text, column)]
                   for letter, text in zip("AB", self._responses, strict=True)]  # fmt: skip
        for left, right in zip_longest(*columns, fillvalue=""):
            # An absolute column: where the terminal measures a width differently, nothing shifts.
            yield f"{left}\x1b[0m\x1b[K\x1b[{column + 1}G{GAP}{right}"


def framed(size: tuple[int, int], header: str, lines: list[str], status: str, mark: str = "") -> str:
    """Frame as many lines as fit between the header and the keys, without clearing the window first."""
    width, height = size
    room = max(1, height - 3)
    body = [*lines[:room], *[""] * (room - len(lines))]
    status = printable(status).replace("\n", " ")
    status = set_cell_size(status, max(0, width - cell_len(mark) - 1)) + " " + mark
    rows = [_plain(header, width, "reverse"), *body, _plain(status, width, "bold"), _plain(KEYS, width, "dim")]
    return "".join(f"\x1b[{number};1H{row}\x1b[0m\x1b[K" for number, row in enumerate(rows[:height], 1))


def _flowing(messages: list[ShownTurn], *, has_roles: bool) -> Text:
    text = Text()
    for number, (role, content) in enumerate(messages):
        text.append("\n\n" if number else "")
        if role and has_roles:
            text.append(f"{role}: ", style="bold")
        text.append(content)
    return text


def _wrapped(text: Text, width: int) -> list[str]:
    flowing = text.copy()
    flowing.expand_tabs(4)
    return [_rendered(line) for line in flowing.wrap(CONSOLE, max(2, width), overflow="fold")]


def _rendered(text: Text) -> str:
    return "".join(
        segment.style.render(segment.text, color_system=ColorSystem.STANDARD) if segment.style else segment.text
        for segment in text.render(CONSOLE, end="")
    )


def _title(name: str, width: int) -> str:
    return _plain(f"── {name} ".ljust(width, "─"), width, "bold")


def _plain(text: str, width: int, style: str) -> str:
    return _rendered(Text(set_cell_size(text, width), style=style))
