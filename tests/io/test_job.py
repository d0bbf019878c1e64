"""One run of a filter: what it reads, what it writes, what it sets aside, and what it says at the end."""

import base64
import io
import json
import os
import sys
import threading
from collections import Counter

import pytest

from real_cli.errors import RealError, RecordError, Status, UsageError
from real_cli.io.job import Job, Located, RecordReader
from real_cli.records.choices import OnError
from real_cli.records.layouts import adapt_prompt

PAIR = b'{"prompt":"q","chosen":"a","rejected":"b"}\n'


@pytest.fixture
def stdin(monkeypatch):
    def feed(data):
        monkeypatch.setattr(sys, "stdin", io.TextIOWrapper(io.BytesIO(data)))

    return feed


@pytest.fixture
def make_file(tmp_path):
    def make(name, data):
        (tmp_path / name).write_bytes(data)
        return str(tmp_path / name)

    return make


def read(job):
    with job:
        return [tuple(located) for located in job.records()]


def rejects(path):
    return [json.loads(line) for line in path.read_bytes().splitlines()]


# Reading


def test_sources_are_read_one_after_the_other_each_with_its_own_numbers(make_file, stdin):
    stdin(PAIR)
    first, second = make_file("a.jsonl", b"\n" + PAIR), make_file("b.jsonl", PAIR + PAIR)
    places = [place for place, _ in read(Job([first, "-", second], quiet=True))]
    assert places == [f"{first}:2", "<stdin>:1", f"{second}:1", f"{second}:2"]


def test_every_record_is_adapted_by_itself(stdin):
    """Detection looks at each record: the layouts of one file may differ."""
    stdin(
        b'{"prompt":"q","responses":[{"text":"a"}]}\n'
        b'{"instruction":"q","generations":["a","b"],"ratings":[1,2]}\n'
        b'{"chosen":"\\n\\nHuman: q\\n\\nAssistant: a","rejected":"\\n\\nHuman: q\\n\\nAssistant: b"}\n' + PAIR
    )
    assert [record for _, record in read(Job([], quiet=True))] == [
        {"prompt": "q", "responses": [{"text": "a"}]},
        {"prompt": "q", "responses": [{"text": "a", "score": 1}, {"text": "b", "score": 2}]},
        {"prompt": "\n\nHuman: q\n\nAssistant:", "chosen": " a", "rejected": " b"},
        {"prompt": "q", "chosen": "a", "rejected": "b"},
    ]


def test_another_reader_can_be_given(stdin):
    stdin(b'{"prompt":"q"}\n')
    with Job([], quiet=True) as job:
        assert list(job.records(adapt_prompt)) == [("<stdin>:1", {"prompt": "q"})]


# Joining rows of one response


def rows(*pairs):
    return b"".join(b'{"prompt":"%s","response":"%s"}\n' % pair for pair in pairs)


def texts(job):
    return [(place, [r["text"] for r in record["responses"]]) for place, record in read(job)]


def test_neighboring_rows_of_one_prompt_are_one_record_at_the_first_rows_place(stdin):
    stdin(rows((b"q", b"a"), (b"q", b"b"), (b"r", b"c"), (b"r", b"d")))
    assert texts(Job([], quiet=True)) == [("<stdin>:1", ["a", "b"]), ("<stdin>:3", ["c", "d"])]


def test_rows_of_one_prompt_that_are_not_neighbors_stay_apart(stdin):
    stdin(rows((b"q", b"a"), (b"r", b"b"), (b"q", b"c")))
    assert texts(Job([], quiet=True)) == [("<stdin>:1", ["a"]), ("<stdin>:2", ["b"]), ("<stdin>:3", ["c"])]


def test_rows_are_joined_across_files(make_file):
    first, second = make_file("a.jsonl", rows((b"q", b"a"))), make_file("b.jsonl", rows((b"q", b"b")))
    assert texts(Job([first, second], quiet=True)) == [(f"{first}:1", ["a", "b"])]


def test_records_with_all_their_responses_are_never_joined(stdin):
    stdin(b'{"prompt":"q","responses":[{"text":"a"}]}\n' * 2)
    assert texts(Job([], quiet=True)) == [("<stdin>:1", ["a"]), ("<stdin>:2", ["a"])]


def test_rows_before_and_after_a_whole_record_of_their_prompt_stay_apart(stdin):
    stdin(rows((b"q", b"a")) + b'{"prompt":"q","responses":[{"text":"b"}]}\n' + rows((b"q", b"c"), (b"q", b"d")))
    assert texts(Job([], quiet=True)) == [("<stdin>:1", ["a"]), ("<stdin>:2", ["b"]), ("<stdin>:3", ["c", "d"])]


def test_a_row_is_handed_on_only_when_the_next_prompt_begins_and_a_record_at_once(stdin):
    stdin(PAIR + rows((b"q", b"a")) + PAIR)
    with Job([], quiet=True) as job:
        records = job.records()
        next(records)
        assert job.gauge.num_records == 1
        next(records)
        assert job.gauge.num_records == 3


# Handing on


def test_what_is_written_is_handed_on_before_a_pipe_is_waited_for_and_once_for_what_it_gave(monkeypatch, tmp_path):
    """Three lines in one piece are one flush; the next piece another, and so is the end."""
    end, source = os.pipe()
    handed_on = []
    with os.fdopen(end) as stdin:
        monkeypatch.setattr(sys, "stdin", stdin)
        with Job([], output=tmp_path / "out", quiet=True) as job:
            monkeypatch.setattr(job, "flush", lambda: handed_on.append(job.gauge.num_records))
            os.write(source, PAIR * 3)
            records = job.records()
            for _ in range(3):
                next(records)
            assert handed_on == [0]
            os.write(source, PAIR)
            next(records)
            assert handed_on == [0, 3]
            os.close(source)
            assert list(records) == []
            assert set(handed_on) == {0, 3, 4}


def test_a_file_makes_nobody_wait_and_is_read_without_handing_on(make_file, monkeypatch):
    monkeypatch.setattr(Job, "flush", lambda job: pytest.fail("every piece of a file would be a write"))
    assert len(read(Job([make_file("a.jsonl", PAIR * 9)], quiet=True))) == 9


def test_a_thread_that_reads_ahead_leaves_handing_on_to_whoever_writes(make_file, monkeypatch, tmp_path):
    """Two threads in one buffered stream, one of them a daemon, may end in a lock that nobody opens."""
    pipe = tmp_path / "pipe"
    os.mkfifo(pipe)
    feeder = threading.Thread(target=pipe.write_bytes, args=(PAIR,))
    feeder.start()
    monkeypatch.setattr(Job, "flush", lambda job: pytest.fail("in the wrong thread"))
    result = []
    with Job([str(pipe)], quiet=True) as job:
        reader = threading.Thread(target=lambda: result.extend(job.records()))
        reader.start()
        reader.join()
    feeder.join()
    assert len(result) == 1


def test_an_output_that_fails_while_waiting_is_not_told_as_a_fault_of_the_input(monkeypatch, tmp_path):
    def fail():
        raise OSError(28, "No space left on device")

    pipe = tmp_path / "pipe"
    os.mkfifo(pipe)
    threading.Thread(target=pipe.write_bytes, args=(PAIR,)).start()
    job = Job([str(pipe)], quiet=True)
    monkeypatch.setattr(job, "flush", fail)
    assert len(read(job)) == 1


# Errors


def test_a_bad_line_stops_the_run_with_its_place(stdin):
    stdin(PAIR + b"{not json\n" + PAIR)
    with pytest.raises(RecordError, match=r"^<stdin>:2: not JSON: "):
        read(Job([], quiet=True))


def test_a_record_of_no_layout_stops_the_run_with_its_place(stdin):
    stdin(PAIR + b'{"prompt":"q"}\n')
    with pytest.raises(RecordError, match=r"^<stdin>:2: field 'responses' is missing; "):
        read(Job([], quiet=True))


def test_skipped_records_are_counted_told_and_leave_status_3(stdin, tmp_path, capsys):
    stdin(PAIR + b"{not json\n" + PAIR + b'{"prompt":"q"}\n')
    job = Job([], on_error=OnError.skip)
    assert [place for place, _ in read(job)] == ["<stdin>:1", "<stdin>:3"]
    assert (job.num_rejected, job.status) == (2, Status.rejected)
    assert capsys.readouterr().err == "real: 2 rejected\n"


def test_without_a_rejected_record_the_status_is_done(stdin):
    stdin(PAIR)
    job = Job([], on_error=OnError.skip, quiet=True)
    read(job)
    assert job.status is Status.done


def test_rejects_hold_place_reason_and_the_record_or_the_line(stdin, tmp_path):
    stdin(b'{"prompt":"q"}\n{"a": NaN}\r\n\xff{\n')
    path = tmp_path / "rejects.jsonl"
    read(Job([], on_error=OnError.skip, rejects=path, quiet=True))
    assert rejects(path) == [
        {
            "place": "<stdin>:1",
            "reason": "field 'responses' is missing; each record needs 'prompt' and 'responses', or 'chosen' and "
            "'rejected'",
            "record": {"prompt": "q"},
        },
        {
            "place": "<stdin>:2",
            "reason": "NaN is not JSON; write null, or leave the field out",
            "line": '{"a": NaN}',
        },
        {
            "place": "<stdin>:3",
            "reason": "byte 1 is not UTF-8; convert the file, or drop the line",
            "line_base64": base64.b64encode(b"\xff{\n").decode(),
        },
    ]


def test_a_skipped_line_does_not_part_the_rows_around_it(stdin):
    stdin(rows((b"q", b"a")) + b"{\n" + rows((b"q", b"b")))
    assert texts(Job([], on_error=OnError.skip, quiet=True)) == [("<stdin>:1", ["a", "b"])]


def test_a_source_that_cannot_be_read_stops_the_run_even_when_records_are_skipped(make_file, tmp_path):
    with pytest.raises(RealError, match=r"none\.jsonl: No such file or directory$"):
        read(Job([make_file("a.jsonl", PAIR), f"{tmp_path}/none.jsonl"], on_error=OnError.skip, quiet=True))


def test_a_command_without_input_is_a_mistake(monkeypatch):
    monkeypatch.setattr(sys, "stdin", type("Terminal", (io.StringIO,), {"isatty": lambda self: True})())
    with pytest.raises(UsageError):
        Job([])


# Functions over records


def refuse_b(record):
    if record["prompt"] == "b":
        raise RecordError("no b; give a")
    return record["prompt"] * 2


LOCATED = [Located("x:1", {"prompt": "a"}), Located("x:2", {"prompt": "b"}), Located("x:3", {"prompt": "c"})]


def test_apply_gives_places_and_results(stdin):
    stdin(b"")
    with Job([], on_error=OnError.skip, quiet=True) as job:
        assert list(job.apply(refuse_b, LOCATED)) == [("x:1", "aa"), ("x:3", "cc")]
        assert job.num_rejected == 1


def test_apply_puts_the_place_in_front_of_what_is_wrong(stdin):
    stdin(b"")
    with pytest.raises(RecordError) as caught, Job([], quiet=True) as job:
        list(job.apply(refuse_b, LOCATED))
    assert str(caught.value) == "x:2: no b; give a"


def test_check_passes_the_records_on_unchanged(stdin):
    stdin(b"")
    with Job([], on_error=OnError.skip, quiet=True) as job:
        assert list(job.check(refuse_b, LOCATED)) == [LOCATED[0], LOCATED[2]]


def test_other_faults_of_a_function_are_not_taken_for_bad_records(stdin):
    stdin(b"")
    with pytest.raises(KeyError), Job([], on_error=OnError.skip, quiet=True) as job:
        list(job.apply(lambda record: record["none"], LOCATED))


# Writing, and the last word


def test_what_is_written_goes_to_the_output_file(stdin, tmp_path):
    stdin(b"")
    with Job([], output=tmp_path / "out", quiet=True) as job:
        job.write({"a": "é"})
        job.write_line(b'{"b":2}\n')
        job.stream.write(b'{"c":3}\n')
    assert (tmp_path / "out").read_bytes() == '{"a":"é"}\n{"b":2}\n{"c":3}\n'.encode()


def test_appending_goes_on_behind_what_is_there(stdin, tmp_path):
    stdin(b"")
    (tmp_path / "out").write_bytes(b"old\n")
    with Job([], output=tmp_path / "out", append=True, quiet=True) as job:
        job.write({"a": 1})
    assert (tmp_path / "out").read_bytes() == b'old\n{"a":1}\n'


def test_a_failed_run_leaves_neither_output_nor_rejects_nor_litter(stdin, tmp_path, capsys):
    stdin(b"{\n")
    with pytest.raises(RecordError):
        read(Job([], output=tmp_path / "out", rejects=tmp_path / "rejects"))
    assert list(tmp_path.iterdir()) == []
    assert capsys.readouterr().err == ""


def test_a_record_left_out_is_counted_and_set_aside_and_is_no_error(stdin, tmp_path, capsys):
    stdin(b"")
    path = tmp_path / "rejects"
    with Job([], rejects=path) as job:
        job.drop("x:1", {"prompt": "q"}, "equal texts")
        job.drop("x:2", {"prompt": "r"}, "equal scores")
        job.drop("x:3", {"prompt": "s"}, "equal texts")
        job.summary = "0 pairs"
    assert job.status is Status.done
    assert job.num_dropped == Counter({"equal texts": 2, "equal scores": 1})
    assert rejects(path)[1] == {"place": "x:2", "reason": "equal scores", "record": {"prompt": "r"}}
    assert capsys.readouterr().err == "real: 0 pairs; left out: 1 equal scores, 2 equal texts\n"


@pytest.mark.parametrize(("quiet", "complaint"), [(False, "real: done\n"), (True, "")])
def test_the_summary_is_one_line_on_standard_error_unless_quiet(stdin, capsys, quiet, complaint):
    stdin(b"")
    with Job([], quiet=quiet) as job:
        job.summary = "done"
    assert capsys.readouterr().err == complaint


def test_a_run_with_nothing_to_say_says_nothing(stdin, capsys):
    stdin(b"")
    with Job([]):
        pass
    assert capsys.readouterr().err == ""


@pytest.mark.parametrize("name", ["-", "out"])
def test_output_and_rejects_to_one_place_are_a_mistake(stdin, tmp_path, name):
    """One would overwrite the other, or the records would leave by standard error."""
    stdin(b"")
    path = tmp_path / name if name != "-" else tmp_path.__class__("-")
    with pytest.raises(UsageError), Job([], output=path, rejects=path, quiet=True):
        pass


@pytest.mark.parametrize("spelled", ["in.jsonl", "./in.jsonl", "absolute"])
def test_rejects_never_overwrite_the_input(tmp_path, monkeypatch, spelled):
    """However the path is spelled: the records would be gone, with status 0."""
    monkeypatch.chdir(tmp_path)
    (tmp_path / "in.jsonl").write_bytes(b"{}\n")
    path = tmp_path / "in.jsonl" if spelled == "absolute" else type(tmp_path)(spelled)
    for asked in ({"rejects": path}, {"also_writes": [path]}):
        with pytest.raises(UsageError, match="is the input"):
            Job(["in.jsonl"], quiet=True, **asked)
    with pytest.raises(UsageError, match="two outputs"):
        Job(["in.jsonl"], output=tmp_path / "out", rejects=type(tmp_path)("out"), quiet=True)


def test_what_only_reads_opens_nothing_to_write(tmp_path, monkeypatch):
    """Not even /dev/null; records come as from a job, and a bad one ends the run with its place."""
    monkeypatch.setattr("real_cli.io.job.open_output", None)
    monkeypatch.setattr("real_cli.io.job.open_to_append", None)
    (tmp_path / "a").write_text('{"prompt": "q", "chosen": "a", "rejected": "b"}\n{"prompt"\n')
    lines = RecordReader([str(tmp_path / "a")]).records()
    assert next(lines) == (f"{tmp_path}/a:1", {"prompt": "q", "chosen": "a", "rejected": "b"})
    with pytest.raises(RecordError, match=f"{tmp_path}/a:2: not JSON"):
        next(lines)
    assert not hasattr(RecordReader, "write")
