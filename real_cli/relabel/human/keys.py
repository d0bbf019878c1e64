"""The keys of a terminal: bytes that a person typed or pasted, as names that the session knows.

Ours, although prompt_toolkit parses keys too. Of a sequence that is not in its table (tried with 3.0.53: rxvt's
Ctrl-Up, `ESC O a`; a terminal's reply to a query) it makes an Escape and the letters that follow, and a letter answers
a question here. The grammar below knows where any sequence ends, whatever it means.

A key after Escape is a key of its own: what Alt sends looks the same, and a lost answer is worse than one by Alt-a.
"""

import codecs
import re
import time
from collections import deque
from collections.abc import Callable

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
# Alt with a key that edits a line, Option-Left of macOS (`ESC b`) too: in a note it is no Escape, which would drop it.
LINE_EDITS = {"\x1b\x7f": "erase-word", "\x1b\x08": "erase-word", "\x1bb": "", "\x1bf": "", "\x1bd": ""}
# ECMA-48, section 5: control sequences; strings (replies of the terminal) up to their end.
SEQUENCE = re.compile(r"\x1b(?:\[[\x30-\x3f]*[\x20-\x2f]*[\x40-\x7e]|O[\x20-\x7e]|[P\]X^_][^\x07\x1b]*(?:\x07|\x1b\\))")
# Longer ones never end: what begins them is taken as it stands.
LONGEST_SEQUENCE = 4096
BEGINNINGS = "[OP]X^_"
# How long the rest of a sequence may take, over a slow ssh too; as in readline.
SEQUENCE_SECONDS = 0.5
# How long a lone Escape waits for more where it drops nothing that was written; as in Vim.
ESCAPE_SECONDS = 0.1


class KeyReader:
    """Cuts what is typed into keys; a sequence may arrive in parts."""

    def __init__(self, clock: Callable[[], float] = time.monotonic) -> None:
        self.keys: deque[str] = deque()
        self.is_note = False  # whether a line is edited: Escape drops it, and Alt edits it
        self._clock = clock
        self._is_at_once = True  # whether the text came in a single read, as what Alt sends does
        self._fed_at = 0.0
        self._escaped_at = -SEQUENCE_SECONDS
        self._text = ""
        self._pasted: str | None = None
        self._decoder = codecs.getincrementaldecoder("utf-8")("replace")

    @property
    def is_open(self) -> bool:
        """Whether the rest of an escape sequence may still come; a paste has its own end."""
        return bool(self._text) and self._pasted is None

    @property
    def patience(self) -> float:
        """How many seconds longer to wait for the rest of the sequence that is open."""
        is_quick = self._text == ESCAPE and not self.is_note
        return max(0.0, self._fed_at + (ESCAPE_SECONDS if is_quick else SEQUENCE_SECONDS) - self._clock())

    def feed(self, data: bytes) -> None:
        """Take what the terminal sent."""
        text = self._decoder.decode(data)
        now = self._clock()
        # The rest of a sequence that was torn behind its Escape; nobody types so much at a time.
        if len(text) > 1 and text[0] in "[O" and now < self._escaped_at + SEQUENCE_SECONDS:
            text = ESCAPE + text
        self._fed_at, self._escaped_at = now, -SEQUENCE_SECONDS
        self._is_at_once = not self._text
        self._text += text
        self._take(is_whole=False)

    def settle(self) -> None:
        """Take what came as whole: nothing more of it arrived in time."""
        if self._text == ESCAPE:
            self._escaped_at = self._fed_at
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
            edit = self._text[:2]
            is_edit = self.is_note and self._is_at_once and edit in LINE_EDITS
            length = len(edit) if is_edit else key_length(self._text)
            if length is None and not is_whole:
                return
            # An unfinished sequence is one key that nobody knows: its letters must answer nothing.
            length = length or len(self._text)
            key, self._text = self._text[:length], self._text[length:]
            if key == PASTE_BEGINS:
                self._pasted = ""
            name = LINE_EDITS.get(key) or SEQUENCES.get(key) or NAMES.get(key) or (key if key.isprintable() else "")
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
    >>> key_length("\x1b[1"), key_length("\x1b\x1b[A"), key_length("\x1ba")
    (None, 1, 1)
    """
    if not text.startswith(ESCAPE):
        return 1
    if match := SEQUENCE.match(text):
        return match.end()
    if text[1:2] not in BEGINNINGS or len(text) > LONGEST_SEQUENCE:
        return 1
    return None
