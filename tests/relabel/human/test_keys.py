"""What is typed, in whatever parts it arrives, is the keys that were meant and no others."""

import pytest

from real_cli.relabel.human.keys import PASTED, KeyReader


def keys_of(*parts, settled=True):
    reader = KeyReader()
    for part in parts:
        reader.feed(part)
    if settled and reader.is_open:
        reader.settle()
    return list(reader.keys)


@pytest.mark.parametrize(
    ("typed", "keys"),
    [
        (b"a", ["a"]),
        ("ü語".encode(), ["ü", "語"]),
        (b"\x1b[A\x1bOB\x1b[6~", ["up", "down", "page-down"]),
        (b"\x1b", ["escape"]),
        (b"\r\t\x7f\x0c", ["enter", "tab", "backspace", "redraw"]),
    ],
)
def test_keys_have_names(typed, keys):
    assert keys_of(typed) == keys
    assert keys_of(*[typed[at : at + 1] for at in range(len(typed))]) == keys


@pytest.mark.parametrize(
    "sequence",
    [
        b"\x1bOa",  # rxvt, Ctrl-Up
        b"\x1b[3b",
        b"\x1b[97;5u",  # kitty, Ctrl-a
        b"\x1b[1;5A",
        b"\x1b]11;rgb:aaaa/bbbb/aaaa\x07",  # the color of the background, which some program asked for
        b"\x1b]11;rgb:aaaa/bbbb/aaaa\x1b\\",
        b"\x1bP1$rabt\x1b\\",
        b"\x1b_Gab\x1b\\",
        b"\x1b[<0;3;4M",
        b"\x1b[I",
        b"\x1b]never ends, a b t",
        b"\x1b[12;3",
    ],
)
def test_a_sequence_that_nobody_knows_answers_nothing(sequence):
    assert keys_of(sequence) == []
    assert keys_of(*[sequence[at : at + 1] for at in range(len(sequence))]) == []
    if sequence[-1:] in (b"\x07", b"\\", b"a", b"b", b"u", b"A", b"M", b"I"):
        assert keys_of(sequence + b"b") == ["b"]


@pytest.mark.parametrize("text", ["a\nb", "x\x1b]y", "\x1b[", "q\x1b[20"])
def test_a_paste_is_one_key_in_whatever_parts_it_comes(text):
    data = f"\x1b[200~{text}\x1b[201~t".encode()
    assert keys_of(data) == [PASTED + text, "t"]
    assert keys_of(*[data[at : at + 1] for at in range(len(data))]) == [PASTED + text, "t"]


def test_a_paste_waits_for_its_end_however_long_that_takes():
    reader = KeyReader()
    reader.feed(b"\x1b[200~a\x1b[20")
    assert not reader.is_open
    reader.feed(b"1~")
    assert list(reader.keys) == [f"{PASTED}a"]
