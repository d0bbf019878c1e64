"""CSV: every cell is where its header says, as it was written; what does not fit is told with its line."""

import csv
import gzip
import io
import string

import orjson
import pandas as pd
import pyarrow as pa
import pyarrow.parquet as pq
import pytest
from backports import zstd
from hypothesis import given
from hypothesis import strategies as st
from typer.testing import CliRunner

from real_cli.app import app
from real_cli.errors import RealError
from real_cli.io.csv_rows import read_csv
from real_cli.io.sources import read_source

PAIRS = "prompt,chosen,rejected,score_chosen,score_rejected\n"


def real(*words, text=b""):
    return CliRunner().invoke(app, [*map(str, words)], input=text)


def records_of(done):
    assert done.exit_code == 0, done.stderr
    return [orjson.loads(line) for line in done.stdout.splitlines()]


@pytest.fixture
def make_file(tmp_path):
    def make(text, name="a.csv"):
        path = tmp_path / name
        path.write_bytes(text if isinstance(text, bytes) else text.encode())
        return str(path)

    return make


def read(name, **options):
    return [item.record for item in read_source(name, **options)]


def problems(name):
    return [(item.place.removeprefix(name), item.problem) for item in read_source(name) if item.record is None]


def failure(name, **options):
    with pytest.raises(RealError) as caught:
        read(name, **options)
    return str(caught.value).removeprefix(name)


# Fields are counted


@pytest.mark.parametrize(
    ("row", "complaint"),
    [
        ("q,a, b,c,2,1", "has 6 fields, and the header has 5; put a text with a comma between quotes"),
        ("q,a,b,2,1,", "has 6 fields, and the header has 5; put a text with a comma between quotes"),
        ("q,a,b", "has 3 fields, and the header has 5; put a text with a line end between quotes"),
    ],
    ids=["a comma too many", "a trailing comma", "a short row"],
)
@pytest.mark.parametrize("place", [2, 3])
def test_a_row_of_another_length_is_told_with_its_line(make_file, row, complaint, place):
    """pandas takes the first column for an index where the first row is longer, and every column is shifted."""
    rows = ["p,x,y,2,1"]
    rows.insert(place - 2, row)
    assert problems(make_file(PAIRS + "\n".join(rows) + "\n")) == [(f":{place}", complaint)]


def test_the_other_rows_are_read_and_the_bad_one_is_kept_as_it_stands(make_file, tmp_path):
    name = make_file(PAIRS + 'p,"a,\nb",c,2,1\nq,a, b,c,2,1\nr,x,y,2,1\n')
    done = real("pair", "-s", "random", "--on-error", "skip", "--rejects", tmp_path / "bad.jsonl", name)
    assert done.exit_code == 3
    assert [orjson.loads(line)["prompt"] for line in done.stdout.splitlines()] == ["p", "r"]
    (reject,) = map(orjson.loads, (tmp_path / "bad.jsonl").read_bytes().splitlines())
    assert (reject["place"], reject["line"]) == (f"{name}:4", "q,a, b,c,2,1")


def test_a_trailing_comma_in_every_line_is_a_column_without_a_name_and_without_a_value(make_file):
    assert read(make_file("prompt,response,\nq,a,\n")) == [{"prompt": "q", "response": "a"}]


def test_an_index_that_pandas_wrote_keeps_its_empty_name(make_file):
    assert read(make_file(",prompt,response\n0,q,a\n")) == [{"": "0", "prompt": "q", "response": "a"}]


def test_a_doubled_header_is_refused(make_file):
    """pandas renames the second one."""
    notes = ":1: column 'prompt' appears twice; give each column its own name"
    assert failure(make_file("prompt,prompt,response\nq,r,a\n")) == notes


# Texts stay texts, numbers are numbers


def test_cells_are_texts_as_they_were_written(make_file):
    rows = "id,prompt,response,price,note\n007,q,a,1,N/A\n12345678901234567890123,q,b,2.50,True\n"
    assert read(make_file(rows)) == [
        {"id": "007", "prompt": "q", "response": "a", "price": "1", "note": "N/A"},
        {"id": "12345678901234567890123", "prompt": "q", "response": "b", "price": "2.50", "note": "True"},
    ]


def test_scores_are_numbers_each_as_it_stands(make_file):
    rows = read(make_file("prompt,response,score\nq,a,1\nq,b,2.50\nq,c,\nq,d,-3e-2\nq,e, 4\n"))
    assert [orjson.dumps(row.get("score")) for row in rows] == [b"1", b"2.5", b"null", b"-0.03", b"4"]


@pytest.mark.parametrize("word", ["N/A", "NaN", "inf", "1,5", "five", "1e999", "1_000", "٣"])
def test_what_is_no_number_among_scores_is_a_problem_of_its_row(make_file, word):
    name = make_file(f'prompt,response,score\nq,a,1\nq,b,"{word}"\nq,c,3\n')
    assert problems(name) == [(":3", f"column 'score' is {word!r}; a number is needed, or nothing")]
    assert [row and row["score"] for row in read(name)] == [1, None, 3]


def test_a_score_of_23_digits_is_a_problem_of_its_row(make_file):
    name = make_file("prompt,response,score\nq,a,12345678901234567890123\n")
    notes = "column 'score' is '12345678901234567890123'; a number that fits in 64 bits is needed, or nothing"
    assert problems(name) == [(":2", notes)]


@pytest.mark.parametrize(
    ("words", "field"),
    [
        (["pair", "-s", "all", "--keep", "1", "--by", "gold", "--lowest"], "gold"),
        (["relabel", "weight", "--expression", "gold * 2"], "gold"),
        (["relabel", "weight", "--expression", "sqrt(meta['x'] + 0) + gold"], None),
    ],
    ids=lambda value: " ".join(value) if isinstance(value, list) else "",
)
def test_a_column_that_an_option_reads_is_numbers(make_file, words, field):
    done = real(*words, make_file("prompt,chosen,rejected,gold\np,a,b,10\nq,c,d,9\n"))
    if field is None:
        assert "field 'meta' is missing" in done.stderr
        return
    assert {record[field] for record in records_of(done)} <= {9, 10}


def test_lowest_is_by_number_and_not_by_text(make_file):
    name = make_file("prompt,chosen,rejected,gold\np,a,b,10\nq,c,d,9\n")
    (kept,) = records_of(real("pair", "-s", "all", "--keep", "1", "--by", "gold", "--lowest", name))
    assert kept["prompt"] == "q"


def test_a_gold_of_one_response_a_row_is_numbers(make_file):
    name = make_file("prompt,response,score,truth\nq,a,1,10\nq,b,2,9\n")
    done = real("eval", "labels", "--gold", "truth", "--label", "score", name)
    assert done.exit_code == 0, done.stderr


# What is a row


def test_a_text_with_line_ends_is_one_text_and_places_are_lines(make_file):
    name = make_file('prompt,response\r\nq,"one\r\n\r\ntwo"\r\n\r\nr,b\r\n')
    assert [(item.place.removeprefix(name), item.record) for item in read_source(name)] == [
        (":2", {"prompt": "q", "response": "one\r\n\r\ntwo"}),
        (":6", {"prompt": "r", "response": "b"}),
    ]


def test_a_byte_order_mark_is_no_part_of_the_first_name(make_file):
    assert read(make_file(b'\xef\xbb\xbf"prompt",response\nq,a\n')) == [{"prompt": "q", "response": "a"}]


def test_a_text_longer_than_the_library_s_limit_is_read(make_file):
    assert read(make_file(f"prompt,response\nq,{'x' * 200_000}\n"))[0]["response"] == "x" * 200_000


@pytest.mark.parametrize(
    ("text", "complaint"),
    [
        ('prompt,response\nq,a\nr,"b\nc,d\n', ":3: a quote that opens here is never closed; double a quote in a text"),
        ('prompt,response\nq,"yes" he said\n', ":2: not CSV: ',' expected after '\"'; double a quote in a text"),
        ("prompt,response\nq,one\rtwo\n", ":2: a carriage return stands in a text without quotes; quote the text"),
        ("", ": cannot be read: it is empty; the names of the columns are needed in its first line"),
        ("sep=,\nprompt,response\nq,a\n", ":1: 'sep=' is an instruction to spreadsheets; remove the line"),
        ("prompt, response\nq, a\n", ":1: column ' response' has spaces around its name; take them out"),
        ("prompt;response\nq;a\n", ":1: one column, 'prompt;response'; commas between the columns are needed"),
    ],
    ids=["an open quote", "a quote within", "a carriage return", "nothing", "sep", "spaces", "semicolons"],
)
def test_what_is_no_csv_stops_the_run_with_its_line(make_file, text, complaint):
    assert failure(make_file(text)) == complaint


def test_a_line_that_is_too_long_names_the_option(make_file):
    assert failure(make_file("prompt,response\nq," + "x" * 50 + "\n"), max_line_bytes=20) == (
        ":2: line is longer than 20 bytes; raise --max-line-bytes"
    )


def test_bytes_that_are_not_utf_8_are_a_problem_of_their_row(make_file):
    name = make_file("prompt,response\nq,a\nr,caf\xe9\ns,c\n".encode("latin-1"))
    notes = "byte 6 is not UTF-8; convert the file first: iconv -f WINDOWS-1252 -t UTF-8"
    assert problems(name) == [(":3", notes)]
    assert len(read(name)) == 3


def test_a_row_of_empty_cells_is_told(make_file):
    assert problems(make_file("prompt,response\nq,a\n,\n")) == [(":3", "all its cells are empty; take the row out")]


# Where it comes from


ROWS = b"prompt,chosen,rejected\n007,a,b\n"
EXPECTED = {"prompt": "007", "chosen": "a", "rejected": "b"}


@pytest.mark.parametrize(("ending", "pack"), [("gz", gzip.compress), ("zst", zstd.compress)], ids=["gzip", "zstd"])
def test_a_compressed_csv_file_is_known_by_its_name(make_file, ending, pack):
    assert read(make_file(pack(ROWS), f"a.csv.{ending}")) == [EXPECTED]


@pytest.mark.parametrize("pack", [bytes, gzip.compress], ids=["plain", "gzip"])
def test_csv_on_standard_input_is_read_with_format(pack):
    (record,) = records_of(real("pair", "-s", "all", "--format", "csv", text=pack(ROWS)))
    assert record.items() >= EXPECTED.items()


@pytest.mark.parametrize(("text", "name"), [(ROWS, "csv"), (ROWS.replace(b",", b"\t"), "tsv")], ids=["csv", "tsv"])
def test_csv_on_standard_input_without_format_is_told(text, name):
    done = real("pair", "-s", "all", text=text)
    assert done.exit_code == 1
    assert done.stderr == f"real: <stdin>:1: not JSON, but the header of a table; --format {name} reads it\n"


def test_prose_is_no_header():
    assert "not JSON: " in real("pair", text=b"hello there, you\n").stderr


def test_a_dataset_has_its_own_format(tmp_path):
    done = real("pair", "--format", "csv", f"hf:{tmp_path}")
    notes = f"real: --format csv: hf:{tmp_path} declares its own format; leave --format out\n"
    assert (done.exit_code, done.stderr) == (2, notes)


def test_tabs_are_columns_too(make_file):
    assert read(make_file("prompt\tresponse\nq, 1\ta\n", "a.tsv")) == [{"prompt": "q, 1", "response": "a"}]


def test_a_dataset_folder_of_csv_is_read_the_same(make_file, tmp_path):
    make_file("prompt,chosen,rejected,note\n007,a,b,N/A\n", "train.csv")
    assert read(f"hf:{tmp_path}") == [EXPECTED | {"note": "N/A"}]


def test_a_conversation_in_a_cell_is_handed_on_as_text(make_file):
    """Whoever adapts the record parses it or refuses it; here nothing is lost of it."""
    text = "[{'role': 'user', 'content': 'Hi, \"you\"'}]"
    cell = '"' + text.replace('"', '""') + '"'
    assert read(make_file(f"prompt,response\n{cell},a\n"))[0]["prompt"] == text


# Whatever was written comes back


CELLS = st.text(st.characters(codec="utf-8", exclude_characters="\r\0"), max_size=20)
NAMES = st.lists(st.text(string.ascii_lowercase, min_size=9, max_size=12), min_size=2, max_size=4, unique=True)


@given(
    names=NAMES,
    data=st.data(),
    quoting=st.sampled_from([csv.QUOTE_MINIMAL, csv.QUOTE_ALL, csv.QUOTE_NONNUMERIC]),
    line_end=st.sampled_from(["\n", "\r\n"]),
    delimiter=st.sampled_from([",", "\t"]),
)
def test_rows_that_were_written_come_back_the_same(tmp_path_factory, names, data, quoting, line_end, delimiter):
    row = st.lists(CELLS, min_size=len(names), max_size=len(names)).filter(any)
    rows = data.draw(st.lists(row, min_size=1, max_size=5))
    text = io.StringIO(newline="")
    csv.writer(text, quoting=quoting, lineterminator=line_end, delimiter=delimiter).writerows([names, *rows])
    path = tmp_path_factory.mktemp("csv") / ("a.csv" if delimiter == "," else "a.tsv")
    path.write_bytes(text.getvalue().encode())
    wanted = [{name: cell for name, cell in zip(names, row, strict=True) if cell} for row in rows]
    assert read(str(path)) == wanted


@given(names=NAMES, data=st.data())
def test_rows_that_pandas_wrote_come_back_the_same(tmp_path_factory, names, data):
    row = st.lists(CELLS, min_size=len(names), max_size=len(names)).filter(any)
    rows = data.draw(st.lists(row, min_size=1, max_size=5))
    path = tmp_path_factory.mktemp("csv") / "a.csv"
    pd.DataFrame(rows, columns=names).to_csv(path)
    wanted = [{name: cell for name, cell in zip(names, row, strict=True) if cell} for row in rows]
    assert read(str(path)) == [{"": str(number)} | record for number, record in enumerate(wanted)]


NUMBERS = st.one_of(st.integers(-(2**63), 2**64 - 1), st.floats(allow_nan=False, allow_infinity=False))


@given(number=NUMBERS, name=st.sampled_from(["score", "rank", "chosen_rating", "similarity", "weight", "gold_chosen"]))
def test_a_number_that_was_written_comes_back_with_its_type(number, name):
    text = io.BytesIO(f"prompt,{name}\nq,{number!r}\n".encode())
    (row,) = read_csv(text, "a.csv", 1 << 20, numbers=["gold"])
    assert orjson.dumps(row.record[name]) == orjson.dumps(number)


@given(st.binary(max_size=200))
def test_whatever_the_bytes_are_every_row_is_whole_or_told(data):
    """No row has a cell that is not its own, and no fault leaves but as an error of ours."""
    notes = "a.csv:"
    try:
        for row in read_csv(io.BytesIO(b"prompt,response\n" + data), "a.csv", 1 << 20):
            assert row.problem or row.record.keys() <= {"prompt", "response"}
            assert row.data in data
    except RealError as error:
        notes = str(error)
    assert notes.startswith("a.csv:")


def test_nulls_of_a_user_s_own_lines_stay(make_file):
    record = {"prompt": "q", "note": None, "tools": [{"name": "add", "arguments": {"a": 1, "city": None}}]}
    assert read(make_file(orjson.dumps(record), "a.jsonl")) == [record]


def test_nulls_that_a_table_gives_to_the_arguments_of_other_tools_go(tmp_path):
    calls = [[{"name": "add", "arguments": {"a": 1}}], [{"name": "warmth", "arguments": {"city": "Ulm"}}]]
    rows = [{"prompt": "q", "tool_calls": call, "scores": [1.0, None]} for call in calls]
    pq.write_table(pa.Table.from_pylist(rows), tmp_path / "a.parquet")
    assert read(str(tmp_path / "a.parquet")) == rows
