"""Which command of a pipe draws its progress: the last that has work, wherever the records are."""

import json
import os
import subprocess
import time
from contextlib import ExitStack

import pytest

from real_cli.io import progress
from real_cli.io.progress import PATIENCE_SECONDS, Counter
from real_cli.io.terminal.gauge import InputGauge
from tests.io.screens import REAL, SharedScreen

LINE = json.dumps({"prompt": "q", "responses": [{"text": "a", "score": 1}, {"text": "b", "score": 2}]}) + "\n"
# It gives nothing before its input has ended, as a model that works on a whole window.
SLOW = [*REAL, "relabel", "shape", "--method", "standardize"]
PAIR = [*REAL, "pair", "--strategy", "all"]
WINPROB = [*REAL, "relabel", "winprob"]


def start_pipe(screen, *commands):
    """Start a pipe; returns the process to feed."""
    with ExitStack() as stack:
        source = subprocess.PIPE
        started = []
        for words in commands:
            reader, writer = os.pipe()
            stack.callback(os.close, writer)
            stack.callback(os.close, reader)
            is_last = len(started) == len(commands) - 1
            started.append(screen.start(words, stdin=source, stdout=subprocess.DEVNULL if is_last else writer))
            source = reader
    return started[0]


def feed(screen, process, seconds, *, pause=0.05):
    """Write a record now and then."""
    deadline = time.monotonic() + seconds
    while time.monotonic() < deadline:
        process.stdin.write(LINE.encode())
        process.stdin.flush()
        screen.read(pause)


def drawing(screen, since=0):
    """The commands whose lines were seen, in the order of their coming."""
    seen = []
    for frame in screen.frames[since:]:
        seen += [line.split(" ")[0 if line.startswith("pair") else 1] for line in frame if " records" in line]
    return [name for number, name in enumerate(seen) if number == 0 or name != seen[number - 1]]


@pytest.mark.parametrize("others", [[PAIR], [WINPROB, PAIR], [PAIR, WINPROB]], ids=["two", "three", "three-swapped"])
def test_while_the_first_works_the_others_that_read_nothing_leave_the_line_to_it(others):
    with SharedScreen() as screen:
        first = start_pipe(screen, SLOW, *others)
        feed(screen, first, 4)
        assert drawing(screen)[-1] == "shape"
        assert drawing(screen).count("shape") == 1
        assert any("/s" in line for line in screen.lines)
        first.stdin.close()
        assert screen.end() == [0] * (1 + len(others))


def test_the_turn_comes_back_with_records_and_goes_where_they_end():
    with SharedScreen() as screen:
        first = screen.start(PAIR, stdin=subprocess.PIPE, stdout=subprocess.PIPE)
        last = screen.start(WINPROB, stdin=subprocess.PIPE)
        feed(screen, first, 3)
        assert drawing(screen)[-1] == "pair"
        before = len(screen.frames)
        for _ in range(30):
            feed(screen, last, 0.05)
            feed(screen, first, 0.05)
        assert drawing(screen, before)[-1] == "winprob"
        before = len(screen.frames)
        feed(screen, first, PATIENCE_SECONDS + 2)
        assert drawing(screen, before) == ["winprob", "pair"]
        for process in (first, last):
            process.stdin.close()
        first.stdout.read()
        assert screen.end() == [0, 0]


def test_alone_a_command_shows_that_it_waits():
    with SharedScreen() as screen:
        process = screen.start(PAIR, stdin=subprocess.PIPE)
        screen.wait_for_words("pair 0 records")
        process.stdin.close()
        screen.end()


# When a command waits


@pytest.fixture
def clock(monkeypatch):
    now = [100.0]
    monkeypatch.setattr(progress.time, "monotonic", lambda: now[0])
    return now


def counter_that_waits(num_records, *, reads_ahead=False):
    counter = Counter("records", quiet=True)
    counter.gauge = InputGauge([None])
    counter.gauge.num_records = num_records
    counter.gauge.begin_waiting(reads_ahead=reads_ahead)
    return counter


def test_who_read_nothing_waits_at_once_and_who_read_something_after_a_while(clock):
    fresh, begun = counter_that_waits(0), counter_that_waits(3)
    assert (fresh.state().is_waiting, begun.state().is_waiting) == (True, False)
    clock[0] += PATIENCE_SECONDS
    assert begun.state().is_waiting


def test_what_is_under_way_is_work(clock):
    counter = counter_that_waits(3)
    counter.begin_window(3)
    clock[0] += 60
    assert not counter.state().is_waiting
    counter.begin_batch(0.0, 1.0)
    counter.tell_part(1)
    assert counter.state().is_waiting


def test_calls_in_flight_are_work_though_a_thread_waits_for_more(clock):
    counter = counter_that_waits(3, reads_ahead=True)
    counter.add(2)
    clock[0] += 60
    assert not counter.state().is_waiting
    counter.add()
    assert counter.state().is_waiting


def test_a_record_or_the_end_of_the_input_ends_the_wait(clock):
    counter = counter_that_waits(3)
    clock[0] += 60
    gauge = counter.gauge
    gauge.end()
    assert not counter.state().is_waiting
    gauge.begin_waiting(reads_ahead=False)
    clock[0] += 60

    class Item:
        data = b"x"

    next(gauge.watch([Item()]))
    assert not counter.state().is_waiting


def test_a_phase_without_an_input_is_work(clock):
    counter = counter_that_waits(0)
    counter.begin("loading the model")
    assert not counter.state().is_waiting


# What stands at the terminal beside a pipe


def test_a_summary_that_goes_into_a_command_or_a_file_shows_no_tables(tmp_path):
    pairs = tmp_path / "pairs.jsonl"
    pairs.write_text('{"prompt": "q", "chosen": "a b", "rejected": "c"}\n')

    def seen(stdout):
        with SharedScreen(100, 100) as screen:
            process = screen.start([*REAL, "eval", "pairs", str(pairs)], stdout=stdout)
            assert screen.end() == [0]
            return process, "\n".join(screen.lines)

    _, beside_pipe = seen(subprocess.PIPE)
    assert beside_pipe.startswith("real: ")
    assert "no response is empty" not in beside_pipe
    with open(tmp_path / "health.json", "wb") as file:
        _, beside_file = seen(file)
    assert "no response is empty" not in beside_file
