"""Escape leaves the help and drops a note soon, and the key behind it is never lost, however quickly it follows."""

import json
import os
import time

import pytest

from real_cli.relabel.human.keys import ESCAPE_SECONDS, SEQUENCE_SECONDS, KeyReader
from tests.relabel.human.terminals import Session

RECORDS = [{"prompt": f"prompt {n}", "responses": [{"text": f"first {n}"}, {"text": f"second {n}"}]} for n in range(2)]
DATA = b"".join(json.dumps(record).encode() + b"\n" for record in RECORDS)
DELAYS = [0, 0.05, 0.3]
FAREWELL = "any other key leaves the help"


@pytest.fixture
def session(tmp_path):
    session = Session("--journal", "j", cwd=tmp_path, data=DATA)
    session.wait_for("prompt 0")
    yield session
    session.close()


def verdicts(tmp_path):
    return [json.loads(line)["verdict"] for line in (tmp_path / "j").read_bytes().splitlines()]


def type_apart(session, delay, *parts):
    for number, part in enumerate(parts):
        time.sleep(delay if number else 0)
        os.write(session.master, part.encode())


class Clock:
    """A time that a test sets."""

    now = 0.0

    def __call__(self):
        return self.now


def keys_at(*parts, is_note=False):
    """The keys that the parts are, each typed so many seconds after the one before; what is open is settled in time."""
    clock = Clock()
    reader = KeyReader(clock)
    reader.is_note = is_note
    for seconds, data in parts:
        if reader.is_open and seconds >= reader.patience:
            reader.settle()
        clock.now += seconds
        reader.feed(data)
    if reader.is_open:
        reader.settle()
    return list(reader.keys)


@pytest.mark.parametrize("delay", DELAYS)
@pytest.mark.parametrize(("key", "verdict"), [("a", ("first", "second")), ("b", ("first", "second")), ("t", ("tie",))])
def test_an_answer_behind_an_escape_that_leaves_the_help_is_given(session, tmp_path, delay, key, verdict):
    session.type("?", FAREWELL)
    type_apart(session, delay, "\x1b", key)
    session.wait_for("prompt 1", without=[FAREWELL])
    (given,) = verdicts(tmp_path)
    assert given in verdict


@pytest.mark.parametrize("delay", DELAYS)
def test_a_note_behind_an_escape_is_begun_and_its_letters_answer_nothing(session, tmp_path, delay):
    session.type("?", FAREWELL)
    type_apart(session, delay, "\x1b", "n", "bat")
    session.wait_for("note: bat_")
    assert not (tmp_path / "j").read_bytes()


@pytest.mark.parametrize("delay", DELAYS)
def test_an_answer_behind_an_escape_that_drops_a_note_is_given_without_it(session, tmp_path, delay):
    session.type("nwrong", "note: wrong_")
    type_apart(session, delay, "\x1b", "t")
    session.wait_for("prompt 1", without=["wrong"])
    (line,) = [json.loads(line) for line in (tmp_path / "j").read_bytes().splitlines()]
    assert (line["verdict"], line.get("note")) == ("tie", None)


def test_an_escape_alone_leaves_the_help_soon(session):
    session.type("?", FAREWELL)
    begun = time.monotonic()
    session.type("\x1b", "prompt 0", without=[FAREWELL])
    assert time.monotonic() - begun < SEQUENCE_SECONDS


@pytest.mark.parametrize("delay", [0, 0.05])
def test_an_arrow_that_arrives_in_parts_is_an_arrow_in_help_and_note(session, tmp_path, delay):
    session.type("?", FAREWELL)
    type_apart(session, delay, "\x1b", "[", "B")
    session.type("?", "prompt 0", without=[FAREWELL])  # the arrow has not left the help, so that this key does
    session.type("nkept", "note: kept_")
    type_apart(session, delay, "\x1b", "[", "D")
    session.type("!", "note: kept!_")
    assert not (tmp_path / "j").read_bytes()


def test_what_comes_late_of_a_torn_sequence_is_still_that_key_and_answers_nothing(session, tmp_path):
    session.type("?", FAREWELL)
    type_apart(session, 0.3, "\x1b", "[1~")  # Home: its 1 would be an answer
    session.type("nthere", "note: there_")
    assert not (tmp_path / "j").read_bytes()


@pytest.mark.parametrize("delay", [0.0, 0.05, 0.3, 2.0])
@pytest.mark.parametrize("key", ["a", "b", "n", "q", "Q", "u", "?", " ", "1", "é", "語"])
@pytest.mark.parametrize("is_note", [True, False])
def test_a_key_behind_escape_is_a_key_of_its_own(delay, key, is_note):
    assert keys_at((0, b"\x1b"), (delay, key.encode()), is_note=is_note) == ["escape", key]


@pytest.mark.parametrize("key", ["a", "n", "q"])
def test_a_key_in_the_same_read_as_escape_is_a_key_of_its_own(key):
    assert keys_at((0, b"\x1b" + key.encode())) == ["escape", key]
    assert keys_at((0, b"\x1b\x1b" + key.encode())) == ["escape", "escape", key]


@pytest.mark.parametrize(
    ("typed", "keys"), [(b"so\x1b\x7f!", ["s", "o", "erase-word", "!"]), (b"\x1bb", []), (b"\x1bf\x1bb", [])]
)
def test_alt_edits_a_note_and_does_not_drop_it(typed, keys):
    assert keys_at((0, typed), is_note=True) == keys


@pytest.mark.parametrize(
    ("late", "keys"), [(b"[B", ["escape", "down"]), (b"OA", ["escape", "up"]), (b"[1;5A", ["escape"])]
)
def test_the_rest_of_a_torn_sequence_is_no_text(late, keys):
    assert keys_at((0, b"\x1b"), (ESCAPE_SECONDS + 0.1, late)) == keys
    assert keys_at((0, b"\x1b"), (SEQUENCE_SECONDS + 0.1, late)) == ["escape", *late.decode()]


def test_an_escape_waits_longer_in_a_note_since_it_drops_what_was_written():
    clock = Clock()
    reader = KeyReader(clock)
    reader.feed(b"\x1b")
    assert reader.patience == ESCAPE_SECONDS
    reader.is_note = True
    assert reader.patience == SEQUENCE_SECONDS
    clock.now = SEQUENCE_SECONDS + 1
    assert reader.patience == 0
