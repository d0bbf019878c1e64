"""The keys of a terminal: bytes that a person typed or pasted, as names that the session knows.

Ours, although prompt_toolkit parses keys too. Of a sequence that is not in its table (tried with 3.0.53: rxvt's
Ctrl-Up, `ESC O a`; a terminal's reply to a query) it makes an Escape and the letters that follow, and a letter answers
a question here. The grammar below knows where any sequence ends, whatever it means.
"""

import codecs
import re
from collections import deque

PASTE_BEGINS, PASTE_ENDS = "\x1b[200~", "\x1b[201~"
# A key with this prefix is a pasted text, which is no answer whatever letters it holds.
PASTED = "pasted:"
ESCAPE = "\x1b"
SEQUENCES = {
    **{f"\x1b{kind}{letter}": name for kind in "[O" for letter, name in zip(
        "ABCDHF", ("up", "down", "right", "left", "home", "end"), strict=True)},
    "\x1b[5~": "page-up",
    "\x1b[6~": "page-down",
    "\x1b[1~": "home",
    "\x1b[4~": "end",
}  # fmt: skip
NAMES = {
    "\r": "enter", "\n": "enter", "\t": "tab", "\x7f": "backspace", "\x08": "backspace", ESCAPE: "escape",
    "\x0c": "redraw", "\x15": "erase-all", "\x17": "erase-word",
}  # fmt: skip
# ECMA-48, section 5: control sequences; strings (replies of the terminal) up to their end; a letter with Alt.
SEQUENCE = re.compile(
    r"\x1b(?:\[[\x30-\x3f]*[\x20-\x2f]*[\x40-\x7e]|O[\x20-\x7e]|[P\]X^_][^\x07\x1b]*(?:\x07|\x1b\\)|[^\[OP\]X^_\x1b])"
)
# Longer ones never end: what begins them is taken as it stands.
LONGEST_SEQUENCE = 4096


class KeyReader:
    """Cuts what is typed into keys; a sequence may arrive in parts."""

    def __init__(self) -> None:
        self.keys: deque[str] = deque()
        self._text = ""
        self._pasted: str | None = None
        self._decoder = codecs.getincrementaldecoder("utf-8")("replace")

    @property
    def is_open(self) -> bool:
        """Whether the rest of an escape sequence may still come; a paste has its own end."""
        return bool(self._text) and self._pasted is None

    def feed(self, data: bytes) -> None:
        """Take what the terminal sent."""
        self._text += self._decoder.decode(data)
        self._take(is_whole=False)

    def settle(self) -> None:
        """Take what came as whole: nothing more of it arrived in time."""
        self._take(is_whole=True)

    def forget(self) -> None:
        """Discard the keys that were typed so far."""
        self.keys.clear()
        self._text = ""

    def _take(self, *, is_whole: bool) -> None:
        while self._text:
            if self._pasted is not None:
                if not self._ends_paste(self._pasted):
                    return
                continue
            length = key_length(self._text)
            if length is None and not is_whole:
                return
            # An unfinished sequence is one key that nobody knows: its letters must answer nothing.
            length = length or len(self._text)
            key, self._text = self._text[:length], self._text[length:]
            if key == PASTE_BEGINS:
                self._pasted = ""
            name = SEQUENCES.get(key) or NAMES.get(key) or (key if key.isprintable() else "")
            if name:
                self.keys.append(name)

    def _ends_paste(self, before: str) -> bool:
        """Collect the text of a paste; at its end make one key of it."""
        text, end, rest = (before + self._text).partition(PASTE_ENDS)
        self._text = rest
        self._pasted = None if end else text
        if end:
            self.keys.append(PASTED + text)
        return bool(end)


def key_length(text: str) -> int | None:
    r"""Return the length of the first key typed; None while an escape sequence may continue.

    >>> key_length("ab"), key_length("\x1bOab"), key_length("\x1b[97;5ub"), key_length("\x1b]11;rgb:a\x07b")
    (1, 3, 7, 11)
    >>> key_length("\x1b[1"), key_length("\x1b\x1b[A")
    (None, 1)
    """
    if not text.startswith(ESCAPE):
        return 1
    if match := SEQUENCE.match(text):
        return match.end()
    if text[1:2] == ESCAPE or len(text) > LONGEST_SEQUENCE:
        return 1
    return None
