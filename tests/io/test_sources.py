"""Where records come from: files, pipes, compressed ones, tables. A source is read to its end or is told not to be."""

import bz2
import gzip
import io
import logging
import lzma
import os
import subprocess
import sys
import threading
from datetime import timedelta
from decimal import Decimal

import pyarrow as pa
import pyarrow.parquet as pq
import pytest
from backports import zstd

from real_cli.errors import RealError, UsageError
from real_cli.io.sources import WINDOW_BYTES, Item, check_sources, is_at_hand, read_source, show_ahead

LINES = b'{"prompt":"a"}\n\n{"prompt":"b"}\n'
COMPRESSIONS = {
    "gzip": gzip.compress,
    "two gzip members": lambda data: gzip.compress(data[:9]) + gzip.compress(data[9:]),
    "zstd": zstd.compress,
    "two zstd frames": lambda data: zstd.compress(data[:9]) + zstd.compress(data[9:]),
    "bz2": bz2.compress,
    "xz": lzma.compress,
    "nothing": bytes,
}


@pytest.fixture
def make_file(tmp_path):
    def make(name, data):
        path = tmp_path / name
        path.write_bytes(data)
        return str(path)

    return make


def read(name, **options):
    return [(item.place, item.record) for item in read_source(name, **options)]


def failure(name):
    with pytest.raises(RealError) as caught:
        read(name)
    return str(caught.value)


def feed_stdin(monkeypatch, data):
    monkeypatch.setattr(sys, "stdin", io.TextIOWrapper(io.BytesIO(data)))


# Lines


def test_a_place_is_the_file_and_the_true_line(make_file):
    name = make_file("a.jsonl", LINES)
    assert read(name) == [(f"{name}:1", {"prompt": "a"}), (f"{name}:3", {"prompt": "b"})]


def test_standard_input_is_called_stdin(monkeypatch):
    feed_stdin(monkeypatch, LINES)
    assert read("-") == [("<stdin>:1", {"prompt": "a"}), ("<stdin>:3", {"prompt": "b"})]


def test_an_item_carries_the_bytes_of_its_line(make_file):
    name = make_file("a.jsonl", b'{"a": 1}\r\n')
    assert list(read_source(name)) == [Item(f"{name}:1", {"a": 1}, b'{"a": 1}\r\n', "")]


def test_a_bad_line_is_an_item_with_its_problem_and_reading_goes_on(make_file):
    name = make_file("a.jsonl", b'{"a": 1}\n{"a": NaN}\n{"a": 3}\n')
    assert list(read_source(name)) == [
        Item(f"{name}:1", {"a": 1}, b'{"a": 1}\n'),
        Item(f"{name}:2", None, b'{"a": NaN}\n', "NaN is not JSON; write null, or leave the field out"),
        Item(f"{name}:3", {"a": 3}, b'{"a": 3}\n'),
    ]


def test_a_line_that_is_too_long_stops_the_source_and_names_the_option(make_file):
    name = make_file("a.jsonl", b'{"a":1}\n{"a":"' + b"x" * 100 + b'"}\n')
    with pytest.raises(RealError) as caught:
        read(name, max_line_bytes=20)
    assert str(caught.value) == f"{name}:2: line is longer than 20 bytes; raise --max-line-bytes"


def test_utf_16_stops_the_source_at_its_first_line(make_file):
    name = make_file("a.jsonl", '\ufeff{"a":1}'.encode("utf-16-le"))
    assert failure(name) == f"{name}:1: text is UTF-16; convert it to UTF-8 first: iconv -f UTF-16 -t UTF-8"


# Compression


@pytest.mark.parametrize("kind", COMPRESSIONS)
def test_a_compressed_file_is_known_by_its_first_bytes_whatever_its_name(make_file, kind):
    name = make_file("a.jsonl", COMPRESSIONS[kind](LINES))
    assert read(name) == [(f"{name}:1", {"prompt": "a"}), (f"{name}:3", {"prompt": "b"})]


@pytest.mark.parametrize("kind", COMPRESSIONS)
def test_a_compressed_pipe_is_known_by_its_first_bytes(monkeypatch, kind):
    end, start = os.pipe()

    def feed():
        with open(start, "wb") as stream:
            stream.write(COMPRESSIONS[kind](LINES))

    writer = threading.Thread(target=feed)
    writer.start()
    with open(end, encoding="utf-8") as stdin:
        monkeypatch.setattr(sys, "stdin", stdin)
        assert read("-") == [("<stdin>:1", {"prompt": "a"}), ("<stdin>:3", {"prompt": "b"})]
    writer.join()


def test_a_byte_order_mark_inside_a_compressed_file_is_skipped(make_file):
    name = make_file("a.gz", gzip.compress(b"\xef\xbb\xbf" + LINES))
    assert read(name)[0] == (f"{name}:1", {"prompt": "a"})


def flushed_zstd(lines):
    """Each line in a block of its own, as a writer that flushes makes; the end of the frame is missing."""
    compressor = zstd.ZstdCompressor()
    return b"".join(compressor.compress(line, compressor.FLUSH_BLOCK) for line in lines)


@pytest.mark.parametrize("kind", ["gzip", "bz2", "xz", "zstd"])
def test_a_truncated_file_is_an_error_that_names_it(make_file, kind):
    data = b"".join(b'{"prompt":"%d"}\n' % (number**5) for number in range(5_000))
    compressed = COMPRESSIONS[kind](data)
    name = make_file(f"a.{kind}", compressed[: len(compressed) // 2])
    assert failure(name).startswith(f"{name}: cannot be read to its end: ")


def test_a_truncated_zstd_frame_that_ends_between_two_lines_is_an_error_too(make_file):
    """The decompressor gives what it has without a word: half a data set would pass for a whole one."""
    name = make_file("a.zst", flushed_zstd([b'{"a":1}\n', b'{"a":2}\n']))
    assert failure(name).startswith(f"{name}: cannot be read to its end: ")


def test_bytes_that_only_begin_like_a_compressed_file_are_an_error_and_no_traceback(make_file):
    for magic in (b"\x1f\x8b", b"\x28\xb5\x2f\xfd", b"BZh", b"\xfd7zXZ\x00"):
        name = make_file("a", magic + b"garbage that is no stream of any kind")
        assert failure(name).startswith(f"{name}: cannot be read to its end: ")


# Reading ahead


def shown_ahead(items):
    """For each item that came: its place, and how many records had been shown by then."""
    shown = []
    return [(item.place, len(shown)) for item in show_ahead(items, shown.append)]


def items_of(sizes):
    return [Item(f"x:{number}", {"n": number}, b"." * size) for number, size in enumerate(sizes, 1)]


def test_a_window_is_shown_before_its_first_item_comes_and_order_is_kept():
    """Three lines of a third of a window make one: at the first of them three were shown."""
    assert shown_ahead(items_of([WINDOW_BYTES // 3 + 1] * 7)) == [
        *(("x:1", 3), ("x:2", 3), ("x:3", 3)),
        *(("x:4", 6), ("x:5", 6), ("x:6", 6)),
        ("x:7", 7),
    ]


def test_a_line_as_large_as_a_window_waits_for_no_other():
    assert shown_ahead(items_of([WINDOW_BYTES] * 3)) == [("x:1", 1), ("x:2", 2), ("x:3", 3)]


def test_rows_of_a_table_have_no_bytes_to_count_and_do_not_wait():
    assert shown_ahead(items_of([0, 0])) == [("x:1", 1), ("x:2", 2)]


def test_a_line_that_is_no_record_comes_in_its_turn_with_its_bytes_and_is_not_shown():
    first, last = items_of([5, 5])
    bad = Item("x:9", None, b"{", "not JSON")
    assert shown_ahead([first, bad, last]) == [("x:1", 2), ("x:9", 2), ("x:2", 2)]
    assert list(show_ahead([first, bad], lambda record: None)) == [Item("x:1", {"n": 1}), bad]


def test_what_came_before_a_fault_comes_before_it(make_file):
    name = make_file("a.jsonl", b'{"a":1}\n{"a":2}\n{"a":"' + b"x" * 100 + b'"}\n')
    came = []
    with pytest.raises(RealError, match="line is longer than 20 bytes"):
        for item in show_ahead(read_source(name, 20), lambda record: None):
            came.append(item.record)
    assert came == [{"a": 1}, {"a": 2}]


def test_a_file_is_at_hand_and_what_somebody_writes_is_not(make_file, tmp_path, monkeypatch):
    name = make_file("a.jsonl", LINES)
    assert is_at_hand(name)
    os.mkfifo(tmp_path / "pipe")
    assert not is_at_hand(str(tmp_path / "pipe"))
    assert not is_at_hand(str(tmp_path / "none"))
    assert not is_at_hand("hf:name:train")
    with open(name) as stdin:
        monkeypatch.setattr(sys, "stdin", stdin)
        assert is_at_hand("-")
    end, start = os.pipe()
    os.close(start)
    with open(end) as stdin:
        monkeypatch.setattr(sys, "stdin", stdin)
        assert not is_at_hand("-")
    feed_stdin(monkeypatch, LINES)
    assert not is_at_hand("-")


# Files that are not there


def test_a_missing_file_is_told_in_one_line(tmp_path):
    assert failure(f"{tmp_path}/none.jsonl") == f"{tmp_path}/none.jsonl: No such file or directory"


def test_a_folder_is_told_with_the_name_that_reads_it(tmp_path):
    assert failure(str(tmp_path)) == f"{tmp_path}: is a folder; give its files, or hf:{tmp_path} for a dataset folder"


# Tables


@pytest.fixture
def parquet(tmp_path):
    def write(rows, name="a.parquet"):
        path = tmp_path / name
        path.parent.mkdir(exist_ok=True)
        pq.write_table(pa.Table.from_pylist(rows), path)
        return str(path)

    return write


def test_a_parquet_file_gives_its_rows_as_records(parquet):
    name = parquet([{"prompt": "q", "responses": [{"text": "a", "score": 1.5}, {"text": "b", "score": None}]}])
    assert read(name) == [(f"{name}:1", {"prompt": "q", "responses": [{"text": "a", "score": 1.5}, {"text": "b"}]})]


def test_a_null_in_a_table_is_a_field_that_the_row_does_not_have(parquet):
    name = parquet([{"prompt": "q", "chosen": "a"}, {"prompt": None, "chosen": "b"}])
    assert read(name) == [(f"{name}:1", {"prompt": "q", "chosen": "a"}), (f"{name}:2", {"chosen": "b"})]


def test_a_nan_in_a_table_is_a_problem_of_its_row_and_reading_goes_on(parquet):
    name = parquet([{"prompt": "q", "score": float("nan")}, {"prompt": "r", "score": 2.0}])
    first, second = read_source(name)
    assert (first.place, first.record) == (f"{name}:1", None)
    assert first.problem == "field 'score' is nan, which JSON cannot hold; write null, or leave the field out"
    assert second.record == {"prompt": "r", "score": 2.0}


def test_big_integers_of_a_table_are_kept(parquet):
    name = parquet([{"prompt": "q", "id": 9007199254740993}])
    assert read(name) == [(f"{name}:1", {"prompt": "q", "id": 9007199254740993})]


@pytest.mark.parametrize(
    "value", [b"\x89PNG", Decimal("1.10"), timedelta(seconds=3)], ids=lambda value: type(value).__name__
)
def test_a_value_of_a_table_that_json_cannot_say_is_a_problem_of_its_row(parquet, value):
    """It is refused where its place is known, so that it can be skipped, and not when it is written."""
    (item,) = read_source(parquet([{"prompt": "q", "odd": value}]))
    assert item.record is None
    assert "odd" in item.problem


def test_a_csv_file_gives_its_rows_as_records(make_file):
    name = make_file("a.csv", b'prompt,chosen,rejected,score_chosen\nq,"a, b",c,9\nr,d,e,\n')
    assert read(name) == [
        (f"{name}:2", {"prompt": "q", "chosen": "a, b", "rejected": "c", "score_chosen": 9}),
        (f"{name}:3", {"prompt": "r", "chosen": "d", "rejected": "e"}),
    ]


@pytest.mark.parametrize("word", ["None", "NA", "null", "nan", "n/a"])
def test_a_text_of_a_csv_file_that_reads_none_is_a_text(make_file, word):
    name = make_file("a.csv", f"prompt,response\nq,{word}\nq,something\n".encode())
    assert read(name)[0] == (f"{name}:2", {"prompt": "q", "response": word})


@pytest.mark.parametrize("field", ["prompt", "response", "chosen"])
def test_a_text_of_digits_in_a_csv_file_is_a_text(make_file, field):
    """Answers to sums are digits: read as numbers, 007 is another answer, and 42 is no text."""
    name = make_file("a.csv", f"{field},score\n007,1\n42,2\n".encode())
    assert [record for _, record in read(name)] == [{field: "007", "score": 1}, {field: "42", "score": 2}]


def test_a_text_with_line_ends_in_a_csv_file_is_one_text(make_file):
    name = make_file("a.csv", b'prompt,response\nq,"one\ntwo"\n')
    assert read(name) == [(f"{name}:2", {"prompt": "q", "response": "one\ntwo"})]


@pytest.mark.parametrize(("name", "complaint"), [("none.parquet", "cannot be read: "), ("none.csv", "No such file")])
def test_a_missing_table_is_told_in_one_line(tmp_path, name, complaint):
    message = failure(f"{tmp_path}/{name}")
    assert message.startswith(f"{tmp_path}/{name}: {complaint}")
    assert "\n" not in message


@pytest.mark.parametrize("name", ["broken.parquet", "broken.csv"])
def test_an_empty_file_is_no_table(make_file, name):
    name = make_file(name, b"")
    assert failure(name).startswith(f"{name}: cannot be read: ")


def test_a_parquet_file_of_other_bytes_is_no_table(make_file):
    name = make_file("a.parquet", b"PAR1 but not really a table at all PAR1")
    assert failure(name).startswith(f"{name}: cannot be read: ")


# Datasets


@pytest.mark.parametrize("named", ["hf:{folder}:train", "hf:{folder}"])
def test_a_dataset_folder_of_lines_is_read_by_its_split(tmp_path, named):
    folder = tmp_path / "set"
    folder.mkdir()
    (folder / "train.jsonl").write_bytes(b'{"prompt":"q"}\n{"prompt":"r"}\n')
    name = named.format(folder=folder)
    assert read(name) == [(f"{name}:1", {"prompt": "q"}), (f"{name}:2", {"prompt": "r"})]


def test_a_dataset_folder_of_parquet_is_read_by_its_split(parquet, tmp_path):
    parquet([{"prompt": "q"}], "set/train-00000-of-00001.parquet")
    parquet([{"prompt": "r"}], "set/test-00000-of-00001.parquet")
    assert [record for _, record in read(f"hf:{tmp_path}/set:test")] == [{"prompt": "r"}]
    assert [record for _, record in read(f"hf:{tmp_path}/set")] == [{"prompt": "q"}]


def test_a_split_that_is_not_there_is_told_with_those_that_are(tmp_path):
    (tmp_path / "train.jsonl").write_bytes(LINES)
    name = f"hf:{tmp_path}:validation"
    assert failure(name) == f"{name}: cannot be read: Bad split: validation. Available splits: ['train']"


# What a command reads


def test_without_names_a_command_reads_standard_input(monkeypatch):
    feed_stdin(monkeypatch, b"")
    assert check_sources([]) == ["-"]


def test_named_sources_are_read_in_their_order():
    assert check_sources(["b", "-", "a"]) == ["b", "-", "a"]


def test_standard_input_twice_is_a_mistake_on_the_command_line():
    with pytest.raises(UsageError) as caught:
        check_sources(["-", "a", "-"])
    assert (str(caught.value), caught.value.status) == ("'-' is named twice; standard input can be read once", 2)


def test_a_terminal_is_not_waited_for(monkeypatch):
    class Terminal(io.StringIO):
        def isatty(self):
            return True

    monkeypatch.setattr(sys, "stdin", Terminal())
    with pytest.raises(UsageError, match=r"^no input: name a file, or pipe records in"):
        check_sources([])


def test_a_closed_standard_input_is_told_as_no_input():
    """`real pair <&-`: Python has no sys.stdin then."""
    done = subprocess.run(["bash", "-c", "real pair <&-"], capture_output=True, text=True, check=False)
    assert (done.returncode, done.stdout) == (2, "")
    assert done.stderr.startswith("real: no input: ")


def test_the_hubs_library_is_silent_about_each_try(monkeypatch):
    datasets = pytest.importorskip("datasets")
    hub = logging.getLogger("huggingface_hub")
    monkeypatch.setattr(hub, "level", logging.WARNING)
    warns = []

    def unreachable(name):
        warns.append(hub.isEnabledFor(logging.WARNING))
        raise ConnectionError("Couldn't reach it")

    monkeypatch.setattr(datasets, "load_dataset_builder", unreachable)
    with pytest.raises(RealError, match="hf:nobody/nothing: cannot be read: Couldn't reach it"):
        list(read_source("hf:nobody/nothing"))
    assert warns == [False]
