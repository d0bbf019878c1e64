"""`real train-dpo --devices 2` on a CPU: what comes in, what comes out, and how it ends."""

import json
import os
import subprocess
import sys
from types import SimpleNamespace

import orjson
import psutil
import pytest
from safetensors.torch import load_file

pytestmark = pytest.mark.slow

FAST = ["--learning-rate", "1e-4", "--batch-size", "4", "--device", "cpu", "--max-length", "32"]
HOOK = {"LAUNCHER_HOOK": "tests.train.devices.happenings:start"}
LINE = "real: process 2 of 2 was ended by SIGKILL, as the system does when memory is short; checkpoints stay: go on"


@pytest.fixture(scope="module")
def rows(pair_rows):
    """Nineteen pairs: five batches, of which the last has three."""
    firsts = [row["prompt"] for row in pair_rows]
    return [row | {"prompt": f"{firsts[number % 3]} {row['prompt']}"} for number, row in enumerate(pair_rows * 3)][:19]


@pytest.fixture(scope="module")
def train_in(launched_real, tiny_policy, rows):
    """Run the command on two devices; returns its status, lines and words."""

    def run(folder, *words, data=rows, start=(), devices=("--devices", "2"), **environment):
        lines = b"".join(row if isinstance(row, bytes) else orjson.dumps(row) + b"\n" for row in data)
        command = [*start, *launched_real, "train-dpo", "--policy", tiny_policy, "--output", folder]
        done = subprocess.run(
            [*command, *FAST, *devices, *words],
            input=lines,
            capture_output=True,
            env=os.environ | HOOK | environment,
            timeout=120,
        )
        records = [json.loads(line) for line in done.stdout.splitlines()]
        return SimpleNamespace(status=done.returncode, lines=records, words=done.stderr.decode(), folder=folder)

    return run


@pytest.fixture
def train(train_in, tmp_path):
    """The same in a folder of tmp_path."""
    return lambda folder, *words, **how: train_in(tmp_path / folder, *words, **how)


@pytest.fixture(scope="module")
def alone(train_in, tmp_path_factory):
    """The same run in one process."""
    done = train_in(tmp_path_factory.mktemp("alone") / "out", devices=())
    assert (done.status, len(done.lines)) == (0, 6)
    return done


def differ(folder, other):
    """The largest difference of two models' weights."""
    ours, theirs = (load_file(path / "model.safetensors") for path in (folder, other))
    assert ours.keys() == theirs.keys()
    return max((ours[name] - theirs[name]).abs().max().item() for name in ours)


def assert_same(ours, theirs):
    """The same losses and margins, and one result line."""
    assert [line["loss"] for line in ours.lines] == pytest.approx([line["loss"] for line in theirs.lines], abs=1e-5)
    assert ours.lines[-1].keys() == theirs.lines[-1].keys()
    assert ours.lines[-1]["num_pairs"] == theirs.lines[-1]["num_pairs"]


def test_two_processes_train_what_one_trains_and_one_of_them_speaks(train, alone, tmp_path):
    """From a pipe; the other is up to two seconds late to whatever the first tells it."""
    done = train("out", "--dump", tmp_path / "dump.jsonl", LATE="1:0.2")
    assert done.status == 0, done.words
    assert_same(done, alone)
    assert differ(tmp_path / "out", alone.folder) < 1e-5
    words = done.words.replace(str(tmp_path / "out"), str(alone.folder))
    assert words == alone.words.replace(": cpu, float32", ": 2 CPU processes, float32")
    steps = [json.loads(line)["step"] for line in (tmp_path / "dump.jsonl").read_bytes().splitlines()]
    assert steps == sorted(4 * [1, 2, 3, 4] + 3 * [5])
    manifest = json.loads((tmp_path / "out" / "real.json").read_text())
    assert manifest["num_devices"] == 2
    assert json.loads((alone.folder / "real.json").read_text())["num_devices"] == 1
    assert not list((tmp_path / "out").glob("*checkpoint*"))
    assert not (tmp_path / "out" / ".work").exists()


@pytest.mark.parametrize(
    ("happens", "status"), [("1:2:self:SIGTERM", 143), ("0:2:starter:SIGINT", 130), ("1:2:starter:SIGHUP", 143)]
)
def test_a_signal_to_any_process_stops_all_at_a_step_and_the_run_goes_on(happens, status, train, alone, tmp_path):
    """In one process then, which is another number of devices."""
    stopped = train("out", HAPPENS=happens)
    assert stopped.status == status
    step = stopped.lines[-1]["step"]
    assert step in (2, 3, 4)  # one that has to reach the processes through another takes a moment
    assert [path.name for path in (tmp_path / "out").glob("checkpoint-*")] == [f"checkpoint-{step}"]
    assert stopped.words.endswith(f"real: stopped at step {step}; go on with --resume\n")
    resumed = train("out", "--resume", devices=())
    assert resumed.status == 0, resumed.words
    assert [line["step"] for line in resumed.lines] == [*range(step + 1, 6), 5]
    assert differ(tmp_path / "out", alone.folder) < 1e-5


def test_a_run_of_one_process_goes_on_in_two(train, alone, tmp_path):
    stopped = train("out", "--max-steps", "5", devices=(), RANK="0", HAPPENS="0:2:self:SIGTERM")
    assert stopped.status == 143
    resumed = train("out", "--max-steps", "5", "--resume")
    assert resumed.status == 0, resumed.words
    assert "checkpoint-2\n" in resumed.words
    assert differ(tmp_path / "out", alone.folder) < 1e-5


def test_a_killed_process_ends_all_with_a_line_and_checkpoints_stay(train, tmp_path):
    done = train("out", "--save-steps", "1", HAPPENS="1:3:self:SIGKILL")
    assert (done.status, done.words.splitlines()[-1]) == (1, f"{LINE} from the last with --resume")
    assert (tmp_path / "out" / "checkpoint-2" / "whole.json").exists()
    assert not [each for each in psutil.process_iter(["cmdline"]) if str(tmp_path) in (each.info["cmdline"] or [])]


@pytest.mark.parametrize("rank", [0, 1])
def test_what_fails_in_any_process_is_told_once(rank, train):
    done = train("out", FAILS=f"{rank}:2")
    assert done.status == 1
    sentences = [line for line in done.words.splitlines() if "reference" not in line and "layout" not in line]
    assert sentences == ["real: ZeroDivisionError: division by zero; this is a bug: REAL_DEBUG=1 shows where"]


def test_a_bad_record_is_told_once_and_what_is_skipped_is_counted_once(train, rows, tmp_path):
    data = [*rows[:6], b'{"prompt": 3}\n']
    done = train("out", data=data)
    assert (done.status, done.lines, done.words.count("\n")) == (1, [], 1)
    assert done.words.startswith("real: <stdin>:7: ")
    assert not (tmp_path / "out").exists()
    done = train("out", "--on-error", "skip", "--rejects", tmp_path / "rejects.jsonl", data=data)
    assert done.status == 3, done.words
    assert done.words.endswith("; 1 rejected\n")
    assert (tmp_path / "rejects.jsonl").read_bytes().count(b"\n") == 1


def test_a_wrong_word_is_told_once(train):
    """By the one that starts the others, and by the first of those that a launcher has started."""
    for words, problem in (
        (["--devices", "some"], "--devices 'some': auto, all, or a number from 1 to 1,024 is needed"),
        (["--estimate"], "--estimate, --devices 2: an estimate is of one device; leave --devices out: each of several"),
        (["--batch-size", "3"], "--batch-size 3: does not divide among 2 devices; 2 or 4 does"),
        (["--policy", "./nowhere"], "model './nowhere': no such folder"),
    ):
        done = train("out", *words)
        assert done.status == (1 if "nowhere" in problem else 2)
        assert done.lines == []
        assert done.words.startswith(f"real: {problem}")
        assert done.words.count("\n") == 1
    done = train("out", "--show-config", "--batch-size", "3")
    assert (done.status, done.lines) == (2, [])
    done = train("out", RANK="0", WORLD_SIZE="1")
    assert (done.status, done.words) == (
        2, "real: --devices 2: the launcher started 1; leave --devices out, or start 2 with it\n"
    )  # fmt: skip


TORCHRUN = "torch.distributed.run --no-python --nproc-per-node 2 --master-port"
ACCELERATE = """accelerate.commands.launch --multi_gpu --num_processes 2 --num_machines 1 --mixed_precision no
    --dynamo_backend no --no_python --main_process_port"""


@pytest.mark.parametrize("launcher", [TORCHRUN, ACCELERATE], ids=["torchrun", "accelerate"])
def test_processes_of_another_launcher_are_the_run(launcher, train, alone, tmp_path):
    start = [sys.executable, "-m", *launcher.split(), str(free_port())]
    done = train("out", start=start, devices=())
    assert done.status == 0, done.words
    assert_same(done, alone)
    assert differ(tmp_path / "out", alone.folder) < 1e-5


def free_port():
    """A port that nobody listens at."""
    import socket

    with socket.socket() as listener:
        listener.bind(("127.0.0.1", 0))
        return listener.getsockname()[1]
