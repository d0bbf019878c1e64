"""Our man pages as plain text, where there is no `man` or no terminal: the requests and escapes that they use."""

import re
import textwrap
from collections.abc import Iterator

ESCAPES = {
    "-": "-",
    "e": "\\",
    "&": "",
    ":": "",
    "(aq": "'",
    "(ga": "`",
    "(ha": "^",
    "(ti": "~",
    "(dq": '"',
    "(bu": "\N{BULLET}",
}
ESCAPE = re.compile(r"\\(f.|\[u([0-9A-F]+)\]|\(..|.)")
BODY, SUBTITLE, HANGING = 7, 3, 7


def page_text(source: str, width: int) -> str:
    """Lay out a page for a width."""
    return PageText(width).read(source)


def plain(text: str) -> str:
    r"""Replace the escapes of roff by what they stand for.

    >>> print(plain("\\fB\\-\\-keep\\fR 35% \\[u2264]"))
    --keep 35% ≤
    """
    return ESCAPE.sub(_character, text)


def _character(match: re.Match[str]) -> str:
    if match[2]:
        return chr(int(match[2], 16))
    return "" if match[1][0] == "f" else ESCAPES.get(match[1], match[1])


class PageText:
    """A page that is read line by line: what is laid out, and the paragraph that waits."""

    def __init__(self, width: int) -> None:
        self.width = width
        self.lines: list[str] = []
        self.words: list[str] = []
        self.tag = self.title = ""
        self.margins = [BODY]  # of the body, and of each block set back in it
        self.hanging = 0
        self.is_literal = self.awaits_tag = False
        self.ends: tuple[str, str] = ("", "")

    def read(self, source: str) -> str:
        """Read the source of a page and return its text."""
        for line in source.splitlines():
            request, _, rest = line.partition(" ")
            if request.startswith("."):
                self._request(request[1:], rest)
            elif self.is_literal:
                self.lines.append(f"{'':{self.margin}}{plain(line)}".rstrip())
            else:
                self._add(line)
        self._flush()
        return "\n".join([self.ends[0], *self.lines, "", self.ends[1]]) + "\n"

    @property
    def margin(self) -> int:
        """Columns left of the text."""
        return self.margins[-1] + self.hanging

    def _request(self, name: str, rest: str) -> None:
        if name in ("B", "BR"):
            self._add(rest.replace(" ", "") if name == "BR" else rest)
        elif name == "TH":
            self.ends = self._running_lines(rest)
        elif name in ("SH", "SS", "PP", "TP", "IP", "RS", "RE"):
            self._flush()
            self._paragraph(name, rest)
        elif name in ("nf", "fi", "br"):
            self._flush()
            self.is_literal = name == "nf" or (self.is_literal and name == "br")

    def _paragraph(self, name: str, rest: str) -> None:
        if name in ("RS", "RE"):
            self.margins = self.margins[:-1] if name == "RE" else [*self.margins, self.margins[-1] + int(rest)]
            self.hanging = 0
            return
        if not self.lines or self.lines[-1].strip() not in ("", self.title):
            self.lines.append("")
        if name in ("SH", "SS"):
            self.margins, self.hanging = [BODY], 0
            self.title = plain(rest)
            self.lines.append(f"{'':{0 if name == 'SH' else SUBTITLE}}{self.title}")
        elif name == "PP":
            self.hanging = 0
        elif name == "TP":
            self.hanging, self.awaits_tag = int(rest or HANGING), True
        elif rest:  # IP with a mark
            mark, _, columns = rest.rpartition(" ")
            self.hanging, self.tag = int(columns), plain(mark)

    def _add(self, text: str) -> None:
        if self.awaits_tag:
            self.tag, self.awaits_tag = plain(text), False
        else:
            self.words += plain(text).split()

    def _flush(self) -> None:
        """Write the paragraph that waits, behind or below its tag."""
        if not self.words and not self.tag:
            return
        lines = list(self._filled())
        if self.tag:
            start = f"{'':{self.margins[-1]}}{self.tag}"
            if len(self.tag) < self.hanging and lines:
                lines[0] = start.ljust(self.margin) + lines[0].lstrip()
            else:
                lines.insert(0, start)
        self.lines += lines
        self.words, self.tag = [], ""

    def _filled(self) -> Iterator[str]:
        width = max(self.width - self.margin, 20)
        text = " ".join(self.words)
        for line in textwrap.wrap(text, width, break_long_words=False, break_on_hyphens=False):
            yield f"{'':{self.margin}}{line}"

    def _running_lines(self, rest: str) -> tuple[str, str]:
        """Write the first line of the page and its last."""
        title, section, date, *quoted = re.findall(r'"([^"]*)"|(\S+)', rest)
        name, manual = (quoted[0][0], quoted[1][0])
        corner = f"{plain(title[1])}({section[1]})"
        return self._spread(corner, manual, corner), self._spread(name, date[1], corner)

    def _spread(self, left: str, middle: str, right: str) -> str:
        """Spread the parts of a line; where there is no room for all, the middle goes."""
        gap = max(self.width - len(left) - len(right), 2)
        middle = middle if len(middle) + 2 <= gap else ""
        return f"{left}{middle:^{gap}}{right}"
