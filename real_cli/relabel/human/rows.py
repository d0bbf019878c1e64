"""Texts laid out in rows of a terminal, so that every character of them is on some row, whatever the terminal.

Terminals disagree about the width of emoji sequences: some draw a family in two cells, others each member. Here a
cluster counts as wide as any of them may draw it, so that no row is ever too long.
"""

import re
import unicodedata
from collections.abc import Iterable, Iterator
from functools import lru_cache
from typing import NamedTuple

from wcwidth import iter_graphemes, wcwidth
from wcwidth import width as cluster_cells

PLAIN, BOLD, DIM, REVERSE, DIFFERENT = "", "1", "2", "7", "1;4"
# Begins what continues a line that had to be cut within a word or in code; dim, so that it is no part of the text.
CONTINUED = "↳ "
TAB = 8  # as `cat` shows them
LEAST_WIDTH = 8  # in a narrower window there is no room for marks and indents
# A break may swallow so many blanks; more of them are part of what a person judges.
SOFT_BLANKS = 2
FENCE = re.compile(r" {0,3}(`{3,}|~{3,})(.*)")
LIST_ITEM = re.compile(r"\s*(?:[-*+•\u2013]|\d{1,3}[.)])\s+(?=\S)")
INDENTED = re.compile(r"(?: {4}| {0,3}\t)\s*\S")
# Punctuation of these categories does not begin a row in Chinese and Japanese.
CLOSING = frozenset({"Pe", "Pf", "Po"})


class Cluster(NamedTuple):
    """What a reader takes for one character, the cells it may need, and its attributes (of ECMA-48's SGR)."""

    text: str
    cells: int
    style: str = PLAIN


@lru_cache(maxsize=1 << 16)
def cells(cluster: str) -> int:
    """Return the most cells that a terminal needs for a cluster.

    >>> cells("a"), cells("語"), cells("e\u0301"), cells("👩\u200d👧"), cells("\u200b")
    (1, 2, 1, 4, 0)
    """
    return max(0, cluster_cells(cluster), sum(max(0, wcwidth(character)) for character in cluster))


def clusters(text: str, style: str = PLAIN) -> list[Cluster]:
    """Split a text without tabs and line ends into clusters."""
    if text.isascii():
        return [Cluster(letter, 1, style) for letter in text]
    return [Cluster(cluster, cells(cluster), style) for cluster in iter_graphemes(text)]


def width_of(row: Iterable[Cluster]) -> int:
    """Return the cells that a row may need."""
    return sum(cluster.cells for cluster in row)


def styled(text: str, spans: Iterable[tuple[int, int, str]]) -> list[Cluster]:
    """Split one line of a text into clusters, those in a span with its style, tabs as blanks up to the next stop."""
    row: list[Cluster] = []
    column = at = 0
    pending = iter(spans)
    span = next(pending, None)
    for number, part in enumerate(text.split("\t")):
        if number:
            stop = TAB - column % TAB
            row += clusters(" " * stop)
            column, at = column + stop, at + 1
        for cluster in clusters(part):  # a span may begin or end within one
            while span and span[1] <= at:
                span = next(pending, None)
            column, at = column + cluster.cells, at + len(cluster.text)
            row.append(cluster._replace(style=span[2]) if span and span[0] < at else cluster)
    return row


def code_lines(text: str) -> set[int]:
    """Find the numbers of the lines that are shown as they are: fenced, indented as code, or with columns of tabs.

    >>> sorted(code_lines("see\\n```\\na b\\n```\\n    x = 1\\n    - item\\na\\tb"))
    [1, 2, 3, 4, 6]

    References:
        CommonMark 0.31, sections 4.4 and 4.5: a fence that is not closed reaches to the end.
    """
    numbers = set()
    fence = ""
    for number, line in enumerate(text.split("\n")):
        match = FENCE.match(line)
        if fence:
            numbers.add(number)
            if match and match[1].startswith(fence) and not match[2].strip():
                fence = ""
        elif match and not (match[1][0] == "`" and "`" in match[2]):
            numbers.add(number)
            fence = match[1]
        elif "\t" in line.strip() or (INDENTED.match(line) and not LIST_ITEM.match(line)):
            numbers.add(number)
    return numbers


def folded(line: list[Cluster], width: int) -> list[list[Cluster]]:
    """Cut a line wherever a row is full; what continues has a mark."""
    filler = _Filler(width)
    filler.fold(line)
    return filler.rows


def wrapped(line: list[Cluster], width: int) -> list[list[Cluster]]:
    """Break a line at blanks, and between wide characters; a word longer than a row is cut, with a mark."""
    item = LIST_ITEM.match("".join(cluster.text for cluster in line))
    hang = width_of(line[: item.end()]) if item else 0
    filler = _Filler(width, hang if hang <= width // 2 else 0)
    for word in _words(line):
        filler.put(word)
    return filler.rows


def render(row: Iterable[Cluster]) -> str:
    """Write a row with its attributes."""
    text, before = "", PLAIN
    for cluster in row:
        if cluster.style != before:
            text += "\x1b[0m" if before else ""
            text += f"\x1b[{cluster.style}m" if cluster.style else ""
            before = cluster.style
        text += cluster.text
    return text + ("\x1b[0m" if before else "")


def padded(text: str, width: int, style: str = PLAIN, fill: str = " ") -> str:
    """Write a text in one style over a whole row; one that is too long ends in dots."""
    row = clusters(text, style)
    if width_of(row) > width:
        dots = "..." if width > LEAST_WIDTH else ""
        while row and width_of(row) > width - len(dots):
            row.pop()
        row += clusters(dots, style)
    return render([*row, *clusters(fill * (width - width_of(row)), style)])


def packed(items: Iterable[str], width: int, gap: str = "  ") -> list[str]:
    """Put short texts on as few rows as hold them in order; one longer than a row is broken at blanks.

    >>> packed(["a A better", "b B better", "t tie"], 22)
    ['a A better  b B better', 't tie']
    """
    rows: list[str] = []
    for item in items:
        if rows and width_of(clusters(rows[-1] + gap + item)) <= width:
            rows[-1] += gap + item
        else:
            rows += ["".join(cluster.text for cluster in row) for row in wrapped(clusters(item), width)]
    return rows


class _Filler:
    """Rows under construction, of at most `width` cells; those after the first begin with `hang` blanks."""

    def __init__(self, width: int, hang: int = 0) -> None:
        self.rows: list[list[Cluster]] = [[]]
        self._width = max(1, width)
        self._hang = clusters(" " * hang)
        self._room = self._width
        self._is_at_break = True  # at the beginning of a row

    def put(self, word: list[Cluster]) -> None:
        """Add a word, or a run of blanks, whole where a row holds it."""
        size, is_blank = width_of(word), word[0].text.isspace()
        if size <= self._room:
            self.rows[-1] += word
            self._room -= size
            self._is_at_break = False
        elif is_blank and size <= SOFT_BLANKS:
            self._room = 0  # the break stands for them
        elif size <= self._width - len(self._hang) and not self._is_at_break:
            self._begin(self._hang)
            self.put(word)
        else:
            if not self._room:
                self._begin(self._hang)
            self.fold(word)

    def fold(self, line: list[Cluster]) -> None:
        """Add clusters, cut wherever a row is full."""
        mark = clusters(CONTINUED, DIM) if self._width >= LEAST_WIDTH else []
        for cluster in line:
            if cluster.cells > self._room and self.rows[-1]:
                self._begin(self._hang + mark)
            self.rows[-1].append(cluster)
            self._room -= cluster.cells
            self._is_at_break = False

    def _begin(self, row: list[Cluster]) -> None:
        self.rows.append(list(row))
        self._room = self._width - width_of(row)
        self._is_at_break = True


def _words(line: list[Cluster]) -> Iterator[list[Cluster]]:
    """Yield runs of blanks and of other clusters; a wide character is a word by itself, with what closes it."""
    word: list[Cluster] = []
    for cluster in line:
        if not word:
            joins = True
        elif not cluster.cells:
            joins = not word[-1].text.isspace()
        elif cluster.cells > 1 or word[-1].cells > 1:
            joins = cluster.cells > 1 and unicodedata.category(cluster.text[0]) in CLOSING
        else:
            joins = cluster.text.isspace() == word[-1].text.isspace()
        if not joins:
            yield word
            word = []
        word.append(cluster)
    if word:
        yield word
