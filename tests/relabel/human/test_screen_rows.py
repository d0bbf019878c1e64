"""How a text is laid out: code as it is, prose at words, marks where a line had to be cut."""

import random
import re

import pyte
import pytest

from real_cli.relabel.human.choices import Shown
from real_cli.relabel.human.pair import make_question
from real_cli.relabel.human.questionnaire import Questionnaire
from real_cli.relabel.human.rows import (
    BOLD,
    DIFFERENT,
    cells,
    clusters,
    code_lines,
    folded,
    packed,
    padded,
    styled,
    width_of,
    wrapped,
)
from real_cli.relabel.human.session import ShownQuestion
from real_cli.relabel.human.window import KEYS, KeyMode, footer, framed, say_below
from tests.relabel.human.terminals import Screen

FAMILY = "👨\u200d👩\u200d👧"


def plain(rows):
    return ["".join(cluster.text for cluster in row).rstrip() for row in rows]


def laid_out(first, second, size, prompt="q"):
    """The rows that a window shows; A is the record's first response or its second."""
    question = make_question({"prompt": prompt, "responses": [{"text": first}, {"text": second}]}, 0)
    sheet = Questionnaire(ShownQuestion(question, question.shown))
    screen = Screen(*size)
    for number, row in enumerate(sheet.page(size, ["0 of 1"], "", mode=KeyMode.question), 1):
        screen.cursor_position(number, 1)
        feed(screen, row)
    return screen


def feed(screen, text):
    stream = pyte.Stream(screen)
    screen.reset_mode(7, private=True)
    stream.feed(text)


def test_prose_breaks_at_words_and_a_long_word_is_cut_with_a_mark():
    assert plain(wrapped(clusters("one two three"), 8)) == ["one two", "three"]
    assert plain(wrapped(clusters("see abcdefghijklmnop ok"), 8)) == ["see abcd", "↳ efghij", "↳ klmnop", "ok"]
    assert plain(wrapped(clusters("12345678 x"), 8)) == ["12345678", "x"]
    assert plain(wrapped(clusters(""), 8)) == [""]


def test_blanks_that_mean_something_are_kept():
    assert plain(wrapped(clusters("a" + " " * 12 + "b"), 8)) == ["a", "↳      b"]
    assert plain(wrapped(clusters("  two blanks"), 9)) == ["  two", "blanks"]


def test_an_item_of_a_list_hangs_and_a_nested_item_is_no_code():
    text = "    - a nested item that goes on"
    assert code_lines(text) == set()
    assert plain(wrapped(clusters(text), 20)) == ["    - a nested item", "      that goes on"]
    assert plain(wrapped(clusters("12. ab cd ef"), 9)) == ["12. ab cd", "    ef"]


def test_code_is_folded_anywhere_and_keeps_its_blanks():
    assert plain(folded(clusters("    x  =  1234"), 10)) == ["    x  =", "↳ 1234"]
    assert plain(folded(clusters("0123456789"), 10)) == ["0123456789"]


@pytest.mark.parametrize(
    ("text", "numbers"),
    [
        ("```\na\n```\nb", {0, 1, 2}),
        ("~~~~ py\na\n~~~\nb\n~~~~\nc", {0, 1, 2, 3, 4}),
        ("```py\nnever closed\n\nend", {0, 1, 2, 3}),
        ("say ```this``` inline\n```a``` b", set()),
        ("    code\n   text\n\tcode", {0, 2}),
        ("a\tb\nword \t", {0}),
        ("    1. item\n    • item", set()),
    ],
)
def test_which_lines_are_code(text, numbers):
    assert code_lines(text) == numbers


def test_tabs_are_columns():
    assert plain([styled("name\tage\tx", [])]) == ["name    age     x"]
    assert plain([styled("日本\tx", [])]) == ["日本    x"]


def test_a_style_covers_whole_clusters():
    """A mark on one half of an emoji would tear it in two."""
    row = styled(f"a{FAMILY}e\u0301 b", [(1, 2, BOLD), (3, 4, DIFFERENT), (6, 7, DIFFERENT)])
    assert [cluster.text for cluster in row] == ["a", FAMILY, "e\u0301", " ", "b"]
    assert [cluster.style for cluster in row] == ["", BOLD, DIFFERENT, "", ""]


def test_no_row_is_longer_than_the_window_and_no_cluster_is_torn():
    pieces = ["word", " ", "  ", "日本", "、", FAMILY, "🇩🇪", "e\u0301", "x" * 30, "\t", "- ", "שלום", "\u200b", "👍🏽"]
    drawn = random.Random(0)
    for _ in range(300):
        text = "".join(drawn.choices(pieces, k=drawn.randrange(1, 40)))
        line = styled(text, [])
        width = drawn.randrange(8, 60)
        for cut in (wrapped, folded):
            rows = cut(line, width)
            assert max(map(width_of, rows)) <= width
            kept = "".join(plain(rows)).replace("↳", "")
            assert "".join(kept.split()) == "".join(text.split())
            whole = {cluster.text for cluster in line} | {"↳", " "}
            assert {cluster.text for row in rows for cluster in row} <= whole


def test_a_cluster_counts_as_wide_as_any_terminal_draws_it():
    assert [cells(text) for text in (FAMILY, "❤\ufe0f", "🇩🇪", "e\u0301")] == [6, 2, 4, 1]


@pytest.mark.parametrize("columns", [40, 60, 80, 100, 200])
@pytest.mark.parametrize("lines", [6, 8, 12, 24, 50])
def test_every_key_is_shown_whole_and_the_question_has_half_of_the_window(columns, lines):
    rows = footer((columns, lines), ["more below: 12 rows, Space", "note: " + "words " * 80], KEYS)
    shown = re.sub(r"\x1b\[\d*m", "", " ".join(rows))
    letters = [word.split()[0] for word in KEYS]
    assert [word for word in shown.split() if word in letters][-len(letters) :] == letters
    assert len(rows) <= max(2, lines // 2)
    assert len(framed((columns, lines), ["0 of 1"], [], [""], KEYS)) == lines


def test_what_is_too_long_ends_in_dots():
    assert padded("a long title", 10) == "a long ..."
    assert padded("short", 7) == "short  "


def test_words_and_texts_as_long_as_a_row_share_it_with_nothing():
    assert packed(["1234567890", "a", "b"], 10) == ["1234567890", "a  b"]


def test_code_is_shown_as_it_is_side_by_side_where_it_fits():
    code = "```python\ndef f(x):\n    return  x\n```"
    beside = laid_out(code, "no", (100, 20)).display
    assert any("    return  x" in row and "│" in row for row in beside)
    long = f"```\n{'x' * 60}\n```"
    stacked = laid_out(long, "no", (100, 20)).display
    assert any(row.startswith("x" * 60) for row in stacked)
    assert not any("│" in row for row in stacked)


def test_right_to_left_texts_are_not_side_by_side():
    """A terminal that reorders a row by UAX #9 would swap A and B."""
    assert not any("│" in row for row in laid_out("שלום", "עולם", (200, 20)).display)
    assert any("│" in row for row in laid_out("shalom", "olam", (200, 20)).display)


def test_an_empty_response_says_so():
    shown = "\n".join(laid_out("", " \n ", (80, 20)).display)
    assert "(empty)" in shown
    assert "(blanks only)" in shown


CUT = "[cut by its token limit]"


def cut_columns(first, second, size=(120, 16)):
    """What stands in the columns of a pair whose two responses have the fields given."""
    question = make_question(
        {"prompt": "q", "responses": [{"text": "Ava will", **first}, {"text": "Bo won't", **second}]}, 0
    )
    sheet = Questionnaire(ShownQuestion(question, Shown.as_is))
    screen = Screen(*size)
    for number, row in enumerate(sheet.page(size, ["0 of 1"], "", mode=KeyMode.question), 1):
        screen.cursor_position(number, 1)
        feed(screen, row)
    return "\n".join(screen.display)


@pytest.mark.parametrize(
    ("fields", "is_marked"),
    [
        ({"is_cut": True}, True),
        ({"is_cut": False}, False),
        ({}, False),
        ({"truncated": True}, True),
        ({"finish_reason": "length"}, True),
        ({"finish_reason": "stop"}, False),
        ({"is_cut": None}, False),
    ],
)
def test_a_response_that_its_token_limit_cut_is_marked_behind_its_last_word(fields, is_marked):
    assert (f"Ava will {CUT}" in cut_columns(fields, {})) == is_marked
    assert (f"Bo won't {CUT}" in cut_columns({}, fields)) == is_marked
    assert cut_columns(fields, fields).count(CUT) == 2 * is_marked
    assert cut_columns(fields, fields, (60, 16)).count(CUT) == 2 * is_marked


def test_a_labeled_pair_s_cut_response_is_marked_in_either_order():
    question = make_question({"prompt": "q", "chosen": "so", "rejected": "no", "is_cut_rejected": True}, 0)
    assert question.are_cut(Shown.as_is) == (False, True)
    assert question.are_cut(Shown.swapped) == (True, False)


@pytest.mark.parametrize(
    ("text", "shown"), [("", f"(empty) {CUT}"), (" \n", f"(blanks only) {CUT}"), ("a\n", f"{CUT}")]
)
def test_a_cut_response_without_a_last_word_is_marked_too(text, shown):
    assert shown in cut_columns({"text": text, "is_cut": True}, {})


def test_the_mark_of_a_cut_response_is_no_part_of_its_code():
    display = cut_columns({"text": "```\nx = 1", "is_cut": True}, {})
    assert "x = 1 │" not in display
    assert re.search(r"^x = 1 +│", display, re.MULTILINE)
    assert re.search(rf"^{re.escape(CUT)} +│", display, re.MULTILINE)


@pytest.mark.parametrize(("number", "hint"), [(1, "more below: 1 row, Space"), (1200, "more below: 1,200 rows, Space")])
def test_rows_below_are_counted_in_the_right_number(number, hint):
    assert say_below(number) == hint
