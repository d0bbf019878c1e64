"""The line that shows how far a run is: what it counts, and that a shared terminal stays readable."""

import gzip
import json
import os
import re
import subprocess
import sys
import time

import pytest

from real_cli.io.job import Job
from real_cli.io.progress import Counter
from real_cli.io.terminal.gauge import InputGauge
from real_cli.io.terminal.stream import CLEAR_LINE
from tests.io.screens import REAL, SharedScreen
from tests.io.test_terminal_lock import ASK
from tests.servers import Server, prefers_longer

NUM_RECORDS = 400
LINES = [
    json.dumps({"prompt": f"q {n}", "responses": [{"text": "a" * 99, "score": 1}, {"text": f"{n}", "score": 2}]}) + "\n"
    for n in range(NUM_RECORDS)
]
PAIR = [*REAL, "pair", "--strategy", "all"]


@pytest.fixture
def file(tmp_path):
    path = tmp_path / "in.jsonl"
    path.write_text("".join(LINES))
    return path


class FixedGauge(InputGauge):
    """So many records read, of a file of which so much was read."""

    def __init__(self, num_records, fraction):
        super().__init__([])
        self.num_records = num_records
        self.fraction = lambda: fraction


def counter_of(num_read, fraction):
    counter = Counter("records", quiet=True)
    counter.gauge = FixedGauge(num_read, fraction)
    return counter


# What is counted


def test_the_total_is_extrapolated_from_the_bytes_read():
    assert counter_of(50, 0.25).position() == (50, 200, True)
    assert counter_of(50, 1.0).position() == (50, 50, False)


def test_without_a_size_there_is_no_total():
    assert counter_of(50, None).position() == (50, None, False)


def test_what_a_batch_was_given_is_not_done():
    counter = counter_of(50, 0.25)
    assert list(counter.finished(["a", "b"])) == ["a", "b"]
    assert counter.position() == (2, 200, True)


def test_a_window_counts_as_far_as_its_batches_and_models_are_done():
    counter = counter_of(100, 0.5)
    shown = []
    counter.begin_window(100, num_passes=2)
    for _ in range(2):
        for before in (0.0, 0.5):
            counter.begin_batch(before, 0.5)
            counter.tell_part(1)
            shown.append(counter.position()[0])
    assert shown == [25, 50, 75, 100]


def test_what_was_shown_as_done_is_never_taken_back():
    counter = counter_of(100, 0.5)
    counter.begin_window(50)
    counter.begin_batch(0.0, 1.0)
    counter.tell_part(1)
    assert counter.position()[0] == 50
    counter.begin_window(50)
    assert counter.position()[0] == 50
    counter.add(50)
    assert counter.position()[0] == 50


def test_skipped_and_refused_records_tell_nothing_of_the_rate(monkeypatch):
    now = [100.0]
    monkeypatch.setattr(time, "monotonic", lambda: now[0])
    counter = counter_of(1000, 1.0)
    counter.add(0)
    counter.state()
    for _ in range(900):
        counter.skip()
    counter.add(10)
    counter.refuse()
    now[0] += 10
    state = counter.state()
    assert (state.num_done, state.rate, state.seconds_left) == (911, 1.0, 89.0)


def test_a_gauge_measures_lines_and_packed_files_by_their_bytes(tmp_path):
    plain, packed = tmp_path / "a.jsonl", tmp_path / "b.jsonl.gz"
    texts = [json.dumps({"prompt": os.urandom(400).hex(), "responses": []}) + "\n" for _ in range(1000)]
    plain.write_text("".join(texts))
    packed.write_bytes(gzip.compress("".join(texts).encode()))
    job = Job([str(plain), str(packed)], quiet=True)
    shares = []
    with job:
        for _ in job.records():
            shares.append(job.gauge.fraction())
    total = plain.stat().st_size + packed.stat().st_size
    assert shares[499] == pytest.approx(plain.stat().st_size / 2 / total, rel=0.01)
    known = [share for share in shares[1000:] if share]
    assert len(known) > 300
    assert known == sorted(known)
    assert known[len(known) // 2] == pytest.approx((1 + plain.stat().st_size / total) / 2, abs=0.2)
    assert job.gauge.fraction() == 1.0


def test_rows_of_one_prompt_are_one_record(tmp_path):
    path = tmp_path / "rows.jsonl"
    path.write_text("".join(f'{{"prompt":"q","response":"{letter}","score":1}}\n' for letter in "abc"))
    with Job([str(path)], quiet=True) as job:
        assert len(list(job.records())) == 1
    assert job.gauge.num_records == 1


def test_phases_without_a_count_show_none():
    with Counter("pairs read", quiet=True) as counter:
        counter.gauge = FixedGauge(3, None)
        assert counter.state().is_counted
        counter.begin("loading the model")
        assert not counter.state().is_counted
        counter.begin("steps", 10)
        assert counter.state().is_counted


# What a person sees


def test_a_judge_shows_what_it_asked_and_what_that_cost(tmp_path):
    def answer(request):
        time.sleep(0.1)
        return prefers_longer(request)

    path = tmp_path / "pairs.jsonl"
    path.write_text("".join(f'{{"prompt":"q {n}","chosen":"yes {n}","rejected":"no"}}\n' for n in range(30)))
    with Server(answer) as server, SharedScreen(120) as screen:
        asked = ["--endpoint", server.url, "--no-cache", "--concurrency", "2", "--price", "1000000,1000000"]
        screen.start([*REAL, "relabel", "judge", "-m", "m", *asked, str(path)])
        assert screen.end() == [0]
    shown = [frame[-1] for frame in progress_frames(screen, "relabel judge")]
    assert any(re.search(r"judge \d+ of 30 records .* [1-9]\d* calls, \$\d+\.00 .* left$", line) for line in shown)


def feed(screen, process, seconds):
    """Write the records to a command slowly; the rest at once."""
    pause = seconds / NUM_RECORDS
    for line in LINES:
        process.stdin.write(line.encode())
        process.stdin.flush()
        screen.read(pause)
    process.stdin.close()


def progress_frames(screen, command="pair"):
    """What the screen showed while a command drew its line."""
    return [frame for frame in screen.frames if any(line.startswith(f"{command} ") for line in frame)]


@pytest.mark.parametrize("columns", [40, 60, 80, 100, 200])
def test_one_line_that_never_wraps_shows_count_rate_and_time_left(columns, file):
    with SharedScreen(columns) as screen:
        reader, writer = os.pipe()
        process = screen.start([*PAIR, *[str(file)] * 20], stdout=writer)
        os.close(writer)
        taken = b""
        deadline = time.monotonic() + 4
        while time.monotonic() < deadline and process.poll() is None:
            taken += os.read(reader, 4096)
            screen.read(0.02)
        os.close(reader)
        screen.end()
    shown = progress_frames(screen)
    assert len(shown) > 2
    assert [len(frame) for frame in shown] == [1] * len(shown)
    assert " left" in shown[-1][0]
    assert "/~" in shown[-1][0] or "of about" in shown[-1][0]
    assert max(len(frame[0]) for frame in shown) < columns


def test_a_pipe_has_count_and_rate_and_the_line_is_gone_at_the_end():
    with SharedScreen() as screen:
        process = screen.start(PAIR, stdin=subprocess.PIPE)
        feed(screen, process, 3)
        assert screen.end() == [0]
        shown = progress_frames(screen)
        assert any("records" in frame[0] and "/s" in frame[0] for frame in shown)
        assert not any("left" in frame[0] for frame in shown)
        assert screen.lines[0].startswith(f"real: {NUM_RECORDS} pairs from {NUM_RECORDS} prompts")
        assert screen.raw.count(CLEAR_LINE.encode()) <= 10 * 5  # ten a second at most


@pytest.mark.parametrize(
    "settings", [{"TERM": "dumb"}, {"CI": "true"}, {"TERM": ""}], ids=lambda settings: str(settings)
)
def test_where_nobody_looks_nothing_is_drawn(settings):
    with SharedScreen() as screen:
        feed(screen, screen.start(PAIR, stdin=subprocess.PIPE, settings=settings), 1.5)
        assert screen.end() == [0]
        assert b"\x1b" not in screen.raw
        assert screen.raw.startswith(b"real: ")


def test_quiet_draws_nothing():
    with SharedScreen() as screen:
        feed(screen, screen.start([*PAIR, "--quiet"], stdin=subprocess.PIPE), 1.5)
        assert screen.end() == [0]
        assert screen.raw == b""


def test_without_a_color_nothing_is_colored_and_with_one_it_is(file):
    def drawn(settings):
        with SharedScreen() as screen:
            process = screen.start([*PAIR, *[str(file)] * 20], stdout=subprocess.PIPE, settings=settings)
            screen.wait_for_words("left")
            process.kill()
            return screen.raw.replace(CLEAR_LINE.encode(), b"")

    assert b"\x1b[" not in drawn({"NO_COLOR": "1"})
    assert b"\x1b[" in drawn({"NO_COLOR": ""})


def test_of_two_commands_of_a_pipe_the_last_draws_and_their_lines_stay_whole():
    with SharedScreen() as screen:
        reader, writer = os.pipe()
        first = screen.start(PAIR, stdin=subprocess.PIPE, stdout=writer)
        os.close(writer)
        screen.start([*REAL, "relabel", "winprob"], stdin=reader)
        os.close(reader)
        feed(screen, first, 4)
        assert screen.end() == [0, 0]
        assert all(len(frame) == 1 for frame in progress_frames(screen, "relabel winprob")[:-2])
        both = [frame for frame in screen.frames if sum(line.startswith(("pair ", "relabel ")) for line in frame) > 1]
        assert len(progress_frames(screen, "relabel winprob")) > 5
        assert both == []
        text = " ".join(screen.lines)
        assert f"real: {NUM_RECORDS} pairs from" in text
        assert f"of {NUM_RECORDS} prompts" in text


# While a question stands


def answer(asker):
    asker.stdin.write(b"\n")
    asker.stdin.close()


def begin_asking(screen):
    asker = screen.start([sys.executable, "-S", "-c", ASK], stdin=subprocess.PIPE, stdout=subprocess.PIPE, leads=True)
    assert asker.stdout.readline() == b"asked\n"
    return asker


def test_while_a_question_stands_nothing_is_drawn_and_it_comes_back():
    with SharedScreen() as screen:
        asker = begin_asking(screen)
        process = screen.start(PAIR, stdin=subprocess.PIPE)
        for line in LINES[:20]:
            process.stdin.write(line.encode())
            process.stdin.flush()
            screen.read(0.1)
        assert screen.raw == b""
        answer(asker)
        screen.wait_for_words("pair 20 records")
        process.stdin.close()
        assert screen.end() == [0, 0]


def test_lines_wait_for_the_question_and_none_is_lost(tmp_path):
    """A command that has ended holds nobody up: its output ends at once, and its lines come in their order."""
    with SharedScreen() as screen:
        asker = begin_asking(screen)
        bad = tmp_path / "bad.jsonl"
        bad.write_text("no record\n" + LINES[0])
        process = screen.start([*PAIR, "--on-error", "skip", str(bad)], stdout=subprocess.PIPE)
        assert json.loads(process.stdout.read())["prompt"] == "q 0"
        time.sleep(0.3)
        assert process.poll() is None
        assert not screen.read(0.1)
        answer(asker)
        assert screen.end() == [0, 3]
        assert "real: 1 pair from 1 prompt" in " ".join(screen.lines)


def test_a_signal_ends_the_wait_with_the_lines_and_the_status_of_the_run(file):
    with SharedScreen() as screen:
        begin_asking(screen)
        process = screen.start([*PAIR, str(file)], stdout=subprocess.PIPE)
        process.stdout.read()
        time.sleep(0.3)
        process.terminate()
        screen.wait_for_words(f"real: {NUM_RECORDS} pairs")
        assert process.wait(10) == 0
