"""Windows go to workers and come back: order, refusals, counts and losses, without a model."""

import json
import pickle
import signal

import psutil
import pytest

from real_cli.cluster.counts import add_counts, clear_counts, read_counts, set_counts
from real_cli.cluster.devices import parse_devices, worker_environments
from real_cli.cluster.line_filter import LineFilter
from real_cli.cluster.spread import filter_job
from real_cli.cluster.windows import LineKind, PlacedLine, cut_windows
from real_cli.errors import RealError, RecordError, UsageError
from real_cli.io.job import Job, Located
from real_cli.records.choices import OnError
from tests.cluster.words_filter import Words, WordsOptions


def run_filter(folder, prompts, *, devices, on_error=OnError.fail, quiet=False):
    """Filter prompts; returns what was written, what was rejected, and the job."""
    lines = [prompt if prompt.startswith("{") else json.dumps({"prompt": prompt}) for prompt in prompts]
    (folder / "in.jsonl").write_text("".join(f"{line}\n" for line in lines))
    rejects = folder / "rejects.jsonl"
    options = WordsOptions(devices=devices, on_error=on_error, rejects=rejects, quiet=quiet)
    job = Job([str(folder / "in.jsonl")], output=folder / "out.jsonl", on_error=on_error, rejects=rejects, quiet=quiet)
    filter_job(job, options, LineFilter(options))
    return (folder / "out.jsonl").read_bytes(), rejects.read_bytes(), job


PROMPTS = [f"the cat {'sat ' * (number % 5)}{number}" for number in range(20)]
MIXED = [*PROMPTS[:4], "{broken", "refuse", *PROMPTS[4:9], "refuse", '{"no": "prompt"}', *PROMPTS[9:], "refuse", "{}"]


@pytest.mark.parametrize("prompts", [PROMPTS, MIXED, []], ids=["sound", "mixed", "empty"])
def test_two_workers_write_what_one_process_writes(prompts, tmp_path, capsys):
    """Records, refusals in the order of the input, counts and the last line."""
    output, rejects, job = run_filter(tmp_path, prompts, devices="1", on_error=OnError.skip)
    lines = capsys.readouterr().err
    spread = run_filter(tmp_path, prompts, devices="2", on_error=OnError.skip)
    assert spread[:2] == (output, rejects)
    assert capsys.readouterr().err == lines
    assert "words" in lines
    assert spread[2].status == job.status
    assert spread[2].counter.num_done == job.counter.num_done
    assert len(output.splitlines()) == sum(prompt in PROMPTS for prompt in prompts)


@pytest.mark.parametrize("bad", ["refuse", "{broken"])
def test_a_bad_record_ends_the_run_with_its_place(bad, tmp_path):
    """At the same record, in the same words."""
    messages = []
    for devices in ("1", "2"):
        with pytest.raises(RecordError) as caught:
            run_filter(tmp_path, [*PROMPTS[:5], bad, *PROMPTS[5:]], devices=devices)
        messages.append(str(caught.value))
    assert messages[0] == messages[1]
    assert "in.jsonl:6: " in messages[0]


def test_a_window_whose_worker_was_killed_is_done_again(tmp_path):
    """Once: by a new worker, with nothing written twice and nothing counted twice."""
    prompts = [*PROMPTS[:7], f"die {tmp_path / 'was-killed'}", *PROMPTS[7:]]
    output, _, job = run_filter(tmp_path, prompts, devices="2")
    assert (tmp_path / "was-killed").exists()
    assert [json.loads(line)["prompt"] for line in output.splitlines()] == prompts
    assert job.summary == f"{sum(len(prompt.split()) for prompt in prompts)} words"


def test_records_that_kill_every_worker_end_the_run(tmp_path):
    """With the places among which they are."""
    with pytest.raises(RealError, match=r"in.jsonl:7 to .*in.jsonl:9: two workers were killed by signal 9 at these"):
        run_filter(tmp_path, [*PROMPTS[:7], "die always", *PROMPTS[7:]], devices="2")
    assert not (tmp_path / "out.jsonl").exists()


def test_what_workers_say_is_said_once(tmp_path, capsys):
    """In order, and not with --quiet."""
    run_filter(tmp_path, ["say"] * 9, devices="2")
    assert capsys.readouterr().err == "real: heard a word\nreal: 9 words\n"
    run_filter(tmp_path, ["say"] * 9, devices="2", quiet=True)
    assert capsys.readouterr().err == ""


def test_a_bug_in_a_worker_is_that_error(tmp_path):
    """The guard tells of it as of one in this process."""
    with pytest.raises(ZeroDivisionError, match="broke"):
        run_filter(tmp_path, ["break"], devices="2")


def test_no_worker_outlives_its_command(tmp_path):
    """Whether it ends well or not."""
    before = {child.pid for child in psutil.Process().children(recursive=True)}
    run_filter(tmp_path, PROMPTS, devices="2")
    with pytest.raises(RecordError):
        run_filter(tmp_path, ["refuse", *PROMPTS], devices="2")
    assert {child.pid for child in psutil.Process().children(recursive=True)} - before == set()


def test_a_bounded_number_of_windows_is_under_way(tmp_path):
    """Reading stops where nobody takes what comes back: memory does not grow with the input."""
    taken = []

    class Watched(Job):
        def records(self, *words, **settings):
            for item in super().records(*words, **settings):
                taken.append(item)
                yield item

        def write_line(self, line):
            raise BrokenPipeError  # as the first reader of `| head -1` leaves

    (tmp_path / "in.jsonl").write_text('{"prompt": "a b"}\n' * 3000)
    options = WordsOptions()
    with pytest.raises(BrokenPipeError):
        filter_job(Watched([str(tmp_path / "in.jsonl")], output=tmp_path / "out"), options, LineFilter(options))
    assert 0 < len(taken) < 100


def test_a_filter_for_another_library_takes_lines_of_any_layout():
    """Pickled, as Ray and Spark send it; it gives lines, refusals and counts."""
    lines = pickle.loads(pickle.dumps(LineFilter(WordsOptions(on_error=OnError.skip))))
    done = lines([PlacedLine(b'{"question": "how big"}', "part-3:1"), PlacedLine(b"{", "part-3:2")])
    assert [json.loads(line) for line in done.lines] == [{"prompt": "how big", "num_words": 2}]
    assert json.loads(done.rejects)["place"] == "part-3:2"
    assert (done.num_rejected, done.counts["words"]["num_words"]) == (1, 2)
    with pytest.raises(RecordError, match=r"^part-3:2: "):
        LineFilter(WordsOptions())([PlacedLine(b"{", "part-3:2")])


def test_windows_hold_refusals_at_their_place(tmp_path):
    """A bad record that ends the run comes last."""

    def located(job):
        yield Located("a:1", {"prompt": "x"})
        job.rejects_file.write(b"refused\n")
        yield Located("a:3", {"prompt": "y"})
        yield Located("a:4", {"prompt": "z"})
        raise RecordError("a:5: is bad")

    with Job(["/dev/null"], output=tmp_path / "out", rejects=tmp_path / "rejects") as job:
        windows = list(cut_windows(job, located(job), lambda record: 1, 2))
    kinds = [[line.kind for line in window] for window in windows]
    assert kinds == [[LineKind.record, LineKind.reject, LineKind.record], [LineKind.record, LineKind.error]]


def test_counts_add_up_and_are_set():
    """What is text stays; what was counted elsewhere takes the place of what was counted here."""
    first, second = Words(), Words()
    first.num_words, second.num_words = 2, 5
    total = add_counts(read_counts({"words": first}), read_counts({"words": second}))
    set_counts({"words": first}, total)
    assert first.num_words == 7
    clear_counts({"words": first})
    assert first.num_words == 0


@pytest.mark.parametrize("text", ["0", "-1", "two", "1.5", "99999", "", "²"])
def test_devices_are_a_number_or_all(text):
    """Anything else is a mistake on the command line."""
    with pytest.raises(UsageError, match="--devices "):
        parse_devices(text)


def test_which_devices_are_taken(monkeypatch):
    """Each worker sees one; a subset that the user names is shared out."""
    assert worker_environments("cpu", "auto") == worker_environments("cpu", "all") == []
    assert worker_environments("cpu", "3") == [{}, {}, {}]
    with pytest.raises(UsageError, match="is one device"):
        worker_environments("cuda:1", "2")
    monkeypatch.setattr("real_cli.cluster.devices.is_built_for_cpus", lambda: False)
    monkeypatch.setattr("real_cli.cluster.devices.choose_device", lambda name: type("Device", (), {"type": "cuda"}))
    monkeypatch.setattr("real_cli.cluster.devices._count", lambda kind: 3)
    monkeypatch.setenv("CUDA_VISIBLE_DEVICES", "4,6,7")
    assert worker_environments("auto", "2") == [{"CUDA_VISIBLE_DEVICES": "4"}, {"CUDA_VISIBLE_DEVICES": "6"}]
    assert len(worker_environments("cuda", "all")) == 3
    with pytest.raises(UsageError, match="--devices 4: 3 of cuda here"):
        worker_environments("auto", "4")


def test_a_worker_ends_when_its_command_is_killed(tmp_path):
    """Its pipe is closed then; nobody is left to end it."""
    import subprocess
    import sys
    import time

    code = (
        "import json, os, signal, sys; from tests.cluster.test_processes import run_filter; from pathlib import Path\n"
        "import real_cli.cluster.spread as spread\n"
        "def stop(self, done):\n"
        "    import psutil\n"
        "    print(json.dumps([child.pid for child in psutil.Process().children()]), flush=True)\n"
        "    os.kill(os.getpid(), signal.SIGKILL)\n"
        "spread.Spread._write = stop\n"
        f"run_filter(Path({str(tmp_path)!r}), ['a b'] * 30, devices='2')\n"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True)
    assert done.returncode == -signal.SIGKILL, done.stderr
    workers = json.loads(done.stdout)
    assert workers
    end = time.monotonic() + 30
    while any(map(psutil.pid_exists, workers)) and time.monotonic() < end:
        time.sleep(0.05)
    assert not any(map(psutil.pid_exists, workers))
