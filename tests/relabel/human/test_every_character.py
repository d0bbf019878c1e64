"""Nothing that a person judges is lost on the screen: every character of both responses, at every size."""

import json
import time

import pytest

from real_cli.relabel.human.choices import Shown
from real_cli.relabel.human.pair import make_question
from tests.relabel.human.terminals import DEADLINE_SECONDS, ClusterScreen, Screen, Session

FAMILY, FLAG, HEART = "👨\u200d👩\u200d👧", "🇩🇪", "❤\ufe0f"
CODE = "Like this:\n```python\ndef double(value):\n    return value * 2  " + "# and so on " * 12 + "\n```\nDone."
TEXTS = {
    "letters": "".join(chr(97 + number % 26) for number in range(700)),
    "words": " ".join(f"word{number}" for number in range(90)),
    "CJK": "東京は日本の首都です。" * 15 + "是的、北京是中国的首都。" * 9,
    "emoji": " ".join(f"{FAMILY}{number}{FLAG}{HEART}👍🏽" for number in range(40)) + FAMILY * 30,
    "combining": "e\u0301a\u0308o\u0302" * 80 + " क्षि กำ " * 12,
    "tabs": "\n".join(f"name{number}\t{10**number}\tlast column" for number in range(9)),
    "URL": f"See https://example.org/{'/'.join(f'part-{number}' for number in range(60))} for more.",
    "code": CODE,
    "RTL": "שלום עולם " * 25 + "\nسلم جميل " * 12,
    "empty": "",
    "100 lines": "\n".join(f"{number}. line of the hundred" for number in range(100)),
}
RECORDS = [
    {"prompt": f"ask about {name}", "responses": [{"text": text}, {"text": f"{text} or else {number}"}]}
    for number, (name, text) in enumerate(TEXTS.items())
]
SIZES = [(width, height, Screen) for width in (40, 60, 80, 100, 200) for height in (12, 24, 50)]
SIZES += [(width, 24, ClusterScreen) for width in (40, 100, 200)]
MARK = "↳"
FRAME_END = b"\x1b[0m\x1b[0m"


class Reader:
    """Reads what stands between the header and the keys, scrolling to the end."""

    def __init__(self, session):
        self.session = session

    def rows(self):
        screen = self.session.screen
        first_key = next(y for y, row in enumerate(screen.display) if row.startswith("a A better"))
        return [[screen.buffer[y][x].data for x in range(screen.columns)] for y in range(1, first_key - 1)]

    def below(self):
        words = [row.split() for row in self.session.screen.display if row.startswith("more below: ")]
        return int(words[0][2].replace(",", "")) if words else 0

    def wait(self, is_done):
        """Wait until a whole window is drawn that is as it shall be."""
        deadline = time.monotonic() + DEADLINE_SECONDS
        while not (self.session.raw.endswith(FRAME_END) and is_done()):
            assert time.monotonic() < deadline, self.session.text
            self.session.read(0.05)

    def whole(self):
        self.wait(lambda: True)
        rows, below = self.rows(), self.below()
        while below:
            before = below
            self.session.type(" ")
            self.wait(lambda before=before: self.below() != before)
            below = self.below()
            rows += self.rows()[below - before :]
        return rows


def text_of(row):
    return "".join(row).rstrip()


def shown_texts(rows, columns):
    """The responses A and B, each as its rows."""
    titles = [y for y, row in enumerate(rows) if text_of(row).startswith(("── A ", "── B "))]
    if len(titles) == 1:  # side by side
        width = (columns - 3) // 2
        assert text_of(rows[titles[0]][width + 3 :]).startswith("── B ")
        beside = rows[titles[0] + 1 :]
        return [text_of(row[:width]) for row in beside], [text_of(row[width + 3 :]) for row in beside]
    a, b = titles
    return [text_of(row) for row in rows[a + 1 : b]], [text_of(row) for row in rows[b + 1 :]]


def characters(rows):
    """All that is no blank and no mark, in order."""
    return "".join("".join(row.replace(MARK, "", 1) if row.lstrip().startswith(MARK) else row for row in rows).split())


@pytest.mark.parametrize(("columns", "lines", "screen"), SIZES)
def test_every_character_of_both_responses_is_on_the_screen(tmp_path, columns, lines, screen):
    data = b"".join(json.dumps(record).encode() + b"\n" for record in RECORDS)
    session = Session("--journal", "j", cwd=tmp_path, columns=columns, lines=lines, data=data, screen=screen)
    try:
        for record, name in zip(RECORDS, TEXTS, strict=True):
            session.wait_for(f"ask about {name}", "q pause", "Q finish", "? help")
            texts = [response["text"] for response in record["responses"]]
            if make_question(record, 0).shown is Shown.swapped:
                texts.reverse()
            rows = shown_texts(Reader(session).whole(), columns)
            for shown, text in zip(rows, texts, strict=True):
                assert characters(shown) == ("".join(text.split()) or "(empty)"), name
            session.type("s")
        assert session.end()[2] == 0
    finally:
        session.close()
