"""What a person sees: a header, the prompt, the two responses, and the keys."""

import unicodedata
from collections.abc import Iterator, Sequence
from itertools import zip_longest
from typing import NamedTuple

from real_cli.relabel.human.rows import (
    BOLD,
    DIFFERENT,
    DIM,
    REVERSE,
    Cluster,
    clusters,
    code_lines,
    folded,
    padded,
    render,
    styled,
    width_of,
    wrapped,
)
from real_cli.relabel.human.session import ShownQuestion
from real_cli.relabel.human.turns import ShownTurn, differing_words, turns
from real_cli.relabel.human.window import KEYS_OF, KeyMode, Panel, Scroll, footer, framed, say_below

# From this width on, the responses are side by side.
WIDE = 100
GAP = " │ "
EMPTY, BLANK = "(empty)", "(blanks only)"
CUT = "[cut by its token limit]"
RIGHT_TO_LEFT = frozenset({"R", "AL", "RLE", "RLO", "RLI"})
ACTIONS = {
    "a": "a", "1": "a", "left": "a",
    "b": "b", "2": "b", "right": "b",
    "t": "tie", "s": "skip",
    "u": "back", "backspace": "back", "enter": "keep",
    "n": "note", "?": "help", "q": "pause", "Q": "finish",
    "down": "line-down", "j": "line-down", "up": "line-up", "k": "line-up",
    "page-down": "page-down", " ": "page-down", "page-up": "page-up", "home": "top", "end": "bottom",
    "tab": "section", "interrupt": "interrupt", "resize": "resize", "redraw": "resize",
}  # fmt: skip
HELP = (
    ("a, 1, Left", "A is better"),
    ("b, 2, Right", "B is better"),
    ("t", "a tie: neither is better"),
    ("s", "skip: no answer"),
    ("u, Backspace", "back to the question before, up to 20 of this run"),
    ("Enter", "back there: keep the answer it has"),
    ("n", "add a note; Enter keeps it, Escape drops it"),
    ("j, k, Down, Up", "scroll by a row"),
    ("Space, PageUp", "scroll by a window; PageDown, Home, End as well"),
    ("Tab", "on to A, to B, and to the prompt again"),
    ("Ctrl-L", "draw the window again"),
    ("q, Ctrl-C", "pause: answers are on disk; run the same command again to go on"),
    ("Q", "finish with what is answered; the rest is left out"),
    ("?", "this help; any other key leaves it"),
)
HELP_NOTES = (
    "Words that differ are underlined. Which response is A is drawn for each pair.",
    "↳ begins what continues a line of code or a long word.",
)


class StyledText(NamedTuple):
    """A text to lay out: its spans of style in order, which of its lines are code, and a mark behind its end."""

    plain: str
    spans: list[tuple[int, int, str]]
    code: set[int]
    mark: str = ""

    def lines(self) -> Iterator[tuple[list[Cluster], bool]]:
        """Yield each line, and whether it is code."""
        start, spans = 0, iter(self.spans)
        span = next(spans, None)
        lines = self.plain.split("\n")
        for number, line in enumerate(lines):
            end = start + len(line)
            here = []
            while span and span[0] < end:
                here.append((max(span[0], start) - start, min(span[1], end) - start, span[2]))
                if span[1] > end:
                    break
                span = next(spans, None)
            is_marked, is_code = self.mark != "" and number == len(lines) - 1, number in self.code
            mark = clusters(self.mark, REVERSE) if is_marked else []
            if is_code or not is_marked:
                yield styled(line, here), is_code
                yield from [(mark, False)] if mark else []
            else:
                yield [*styled(line, here), *clusters(" " if line else ""), *mark], False
            start = end + 1

    def rows(self, width: int) -> list[str]:
        """Lay the text out in rows."""
        if not self.plain.strip():
            return [padded(f"{BLANK if self.plain else EMPTY} {self.mark}".rstrip(), width, DIM)]
        return [render(row) for line, is_code in self.lines() for row in (folded if is_code else wrapped)(line, width)]

    @property
    def code_width(self) -> int:
        """The cells that the longest line of code needs."""
        return max((width_of(line) for line, is_code in self.lines() if is_code), default=0)


class Questionnaire:
    """A question, laid out for the window."""

    def __init__(self, asked: ShownQuestion) -> None:
        first, second = asked.question.texts(asked.shown)
        self._prompt = _joined(turns(asked.question.prompt), has_roles=True)
        plain = [_joined(messages := turns(text), has_roles=len(messages) > 1) for text in (first, second)]
        marks = differing_words(plain[0].plain, plain[1].plain)
        self._responses = [
            text._replace(
                spans=sorted([*text.spans, *((start, end, DIFFERENT) for start, end in spans)]),
                mark=CUT if is_cut else "",
            )
            for text, spans, is_cut in zip(plain, marks, asked.question.are_cut(asked.shown), strict=True)
        ]
        self._scroll = Scroll()
        self._help = Scroll()
        self._width = 0

    def scroll(self, action: str, mode: KeyMode) -> bool:
        """Scroll by an action of ACTIONS; others move nothing, and are told apart."""
        return (self._help if mode is KeyMode.help else self._scroll).move(action)

    def page(self, size: tuple[int, int], header: Sequence[str], status: str, *, mode: KeyMode) -> list[str]:
        """Lay out the rows of the window."""
        width, height = size
        if width != self._width:
            self._scroll.fill(self._sections(width))
            self._help.fill([Panel(_title("Keys", width), _help_rows(width))])
            self._width = width
        scroll, keys = self._help if mode is KeyMode.help else self._scroll, KEYS_OF[mode]
        room = height - 1 - len(footer(size, [status], keys))
        if scroll.num_rows > room:  # a hint takes room too: as much as its longest form needs
            room = height - 1 - len(footer(size, [say_below(scroll.num_rows), status], keys))
        rows, hint = scroll.view(max(1, room))
        return framed(size, header, rows, [hint, status], keys)

    def _sections(self, width: int) -> list[Panel]:
        prompt = Panel(_title("Prompt", width), self._prompt.rows(width))
        column = (width - len(GAP)) // 2
        if not self._fits_beside(width, column):
            stacked = [Panel(_title(name, width), text.rows(width)) for name, text in self._named()]
            return [prompt, *stacked]
        titles = [_title(name, column) for name, _ in self._named()]
        columns = [text.rows(column) for _, text in self._named()]
        # An absolute column: where the terminal measures a width differently, nothing shifts.
        between = f"\x1b[0m\x1b[{column + 1}G\x1b[K{GAP}"
        beside = [f"{left}{between}{right}" for left, right in zip_longest(*columns, fillvalue="")]
        return [prompt, Panel(between.join(titles), beside)]

    def _named(self) -> list[tuple[str, StyledText]]:
        return list(zip("AB", self._responses, strict=True))

    def _fits_beside(self, width: int, column: int) -> bool:
        """Tell whether the responses can be shown side by side."""
        if width < WIDE or any(column < text.code_width <= width for text in self._responses):
            return False
        # A terminal that reorders a row by UAX #9 would show A's words in B's column.
        return not any(
            unicodedata.bidirectional(letter) in RIGHT_TO_LEFT
            for text in self._responses
            for letter in ({} if text.plain.isascii() else set(text.plain))
        )


def _joined(messages: list[ShownTurn], *, has_roles: bool) -> StyledText:
    """Join the messages of a text, each below its role."""
    plain = ""
    spans, code = [], set()
    for number, (role, content) in enumerate(messages):
        plain += "\n\n" if number else ""
        lines = code_lines(content)
        if role and has_roles:
            spans.append((len(plain), len(plain) + len(role) + 1, BOLD))
            plain += f"{role}:" + ("\n" if 0 in lines else " ")
        first = plain.count("\n")
        code |= {first + line for line in lines}
        plain += content
    return StyledText(plain, spans, code)


def _help_rows(width: int) -> list[str]:
    column = max(len(keys) for keys, _ in HELP) + 2
    rows = []
    for keys, meaning in HELP:
        if width < 2 * column:
            rows += [render(row) for row in wrapped(clusters(f"{keys}: {meaning}"), width)]
            continue
        lines = wrapped(clusters(meaning), width - column)
        rows += [f"{keys if not number else '':{column}}{render(line)}" for number, line in enumerate(lines)]
    return [*rows, "", *(render(row) for note in HELP_NOTES for row in wrapped(clusters(note), width))]


def _title(name: str, width: int) -> str:
    return padded(f"── {name} ".ljust(width, "─")[:width], width, BOLD)
