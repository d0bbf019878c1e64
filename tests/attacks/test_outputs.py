"""`-o FILE` under kills, by two runs at once, over files of other modes, on full devices."""

import contextlib
import os
import signal
import stat
import subprocess
import threading
import time

import pytest

from real_cli.cli.stopping import stopping
from real_cli.errors import Terminated
from real_cli.io.parts import STOPS, signals_wait
from tests.attacks.commands import CANDIDATES, REAL, lines, one_line, real

PAIR = ["pair", "-s", "random", "--orient", "score"]


@contextlib.contextmanager
def started(*words, cwd, parts=1):
    """Start a command that waits for its standard input, its outputs open."""
    process = subprocess.Popen(
        [*REAL, *words], cwd=cwd, stdin=subprocess.PIPE, stdout=subprocess.DEVNULL, stderr=subprocess.PIPE
    )
    try:
        process.stdin.write(lines(CANDIDATES[0]))
        process.stdin.flush()
        deadline = time.monotonic() + 20
        while len(parts_in(cwd)) < parts and time.monotonic() < deadline and process.poll() is None:
            time.sleep(0.01)
        yield process
    finally:
        if process.poll() is None:
            process.kill()
        process.stdin.close()
        process.wait(20)
        process.stderr.close()


def parts_in(folder):
    return sorted(path.name for path in folder.iterdir() if path.name.endswith(".part"))


def names_in(folder):
    return sorted(path.name for path in folder.iterdir())


# What a killed run leaves


@pytest.mark.parametrize("number", [signal.SIGKILL, signal.SIGHUP], ids=["SIGKILL", "SIGHUP"])
def test_the_next_run_removes_what_a_killed_one_left_and_nothing_else(tmp_path, number):
    for name in (".out.part", ".out.abcdefgh.part", ".out.12345678.part", ".other.part", "out.part", ".out"):
        (tmp_path / name).write_bytes(b"mine")
    before = names_in(tmp_path)
    with started(*PAIR, "-o", "out", "--rejects", "left", cwd=tmp_path, parts=6) as process:
        process.send_signal(number)
        process.wait(20)
    real(*PAIR, "-o", "out", "--rejects", "left", cwd=tmp_path, data=lines(*CANDIDATES), status=0)
    assert names_in(tmp_path) == sorted([*before, "left", "out"])
    assert all((tmp_path / name).read_bytes() == b"mine" for name in before)


def test_the_parts_of_a_run_that_still_writes_another_file_stay(tmp_path):
    with started(*PAIR, "-o", "other", cwd=tmp_path) as process:
        real(*PAIR, "-o", "out", cwd=tmp_path, data=lines(*CANDIDATES), status=0)
        assert len(parts_in(tmp_path)) == 1
        process.communicate(lines(CANDIDATES[1]), 20)
        assert process.returncode == 0
    assert names_in(tmp_path) == ["other", "out"]


# Two runs at once


@pytest.mark.parametrize("option", ["-o", "--rejects"])
def test_a_second_run_on_one_output_is_refused_and_the_first_ends_well(tmp_path, option):
    with started(*PAIR, option, "out", cwd=tmp_path) as process:
        done = real(*PAIR, option, "out", cwd=tmp_path, data=lines(*CANDIDATES))
        assert done.returncode == 1
        assert one_line(done.stderr).startswith("real: out: another run is writing it; ")
        assert done.stdout == b""
        process.communicate(lines(CANDIDATES[1]), 20)
        assert process.returncode == 0
    assert names_in(tmp_path) == ["out"]


def test_an_output_behind_a_link_is_the_same_output(tmp_path):
    (tmp_path / "link").symlink_to("out")
    with started(*PAIR, "-o", "link", cwd=tmp_path):
        done = real(*PAIR, "-o", "out", cwd=tmp_path, data=lines(*CANDIDATES))
        assert done.returncode == 1


# Modes and names


@pytest.mark.parametrize("mode", [0o600, 0o640, 0o664, 0o444])
def test_the_mode_of_a_file_that_is_replaced_is_kept(tmp_path, mode):
    for name in ("out", "left"):
        (tmp_path / name).write_bytes(b"old\n")
        (tmp_path / name).chmod(mode)
    real(*PAIR, "-o", "out", "--rejects", "left", cwd=tmp_path, data=lines(*CANDIDATES), status=0, umask=0o022)
    assert [stat.S_IMODE((tmp_path / name).stat().st_mode) for name in ("out", "left")] == [mode, mode]
    assert (tmp_path / "out").read_bytes() != b"old\n"


def test_a_name_as_long_as_the_file_system_allows_is_written(tmp_path):
    name = "n" * 255
    real(*PAIR, "-o", name, cwd=tmp_path, data=lines(*CANDIDATES), status=0)
    assert names_in(tmp_path) == [name]


def test_a_link_into_nothing_makes_the_file_and_a_link_to_itself_is_told(tmp_path):
    (tmp_path / "to").symlink_to("target")
    real(*PAIR, "-o", "to", cwd=tmp_path, data=lines(*CANDIDATES), status=0)
    assert (tmp_path / "target").is_file()
    assert (tmp_path / "to").is_symlink()


@pytest.mark.parametrize("option", ["-o", "--rejects"])
def test_a_link_to_itself_is_told(tmp_path, option):
    (tmp_path / "loop").symlink_to("loop")
    done = real(*PAIR, option, "loop", cwd=tmp_path, data=lines(*CANDIDATES))
    assert done.returncode == 1
    assert one_line(done.stderr).startswith("real: loop: ")


# Full devices

FULL = {
    "standard output": ([*PAIR], {"stdout": "/dev/full"}),
    "-o": ([*PAIR, "-o", "/dev/full"], {}),
    "--rejects": ([*PAIR[:-1], "rank", "--rejects", "/dev/full", "--on-error", "skip", "-"], {}),
    "--export": (["relabel", "human", "--export", "csv"], {"stdout": "/dev/full"}),
    "eval": (["eval", "pairs"], {"stdout": "/dev/full"}),
    "eval -o": (["eval", "pairs", "-o", "/dev/full"], {}),
    "weight": (["relabel", "weight", "--expression", "1"], {"stdout": "/dev/full"}),
}


@pytest.mark.parametrize("name", FULL)
def test_a_full_device_is_named_with_its_place(tmp_path, name):
    words, options = FULL[name]
    data = lines(*(CANDIDATES if name != "weight" else [{"prompt": "q", "chosen": "a", "rejected": "b"}]))
    with open("/dev/full", "wb") as full:
        options = {key: full for key in options}
        done = real(*words, cwd=tmp_path, data=data, **options)
    assert done.returncode == 1
    place = "/dev/full" if "/dev/full" in words else "standard output"
    assert one_line(done.stderr).startswith(f"real: {place}: No space left on device; ")


@pytest.fixture
def tiny_disk(tmp_path):
    """A file system of a few kilobytes."""
    folder = tmp_path / "disk"
    folder.mkdir()
    mount = subprocess.run(["mount", "-t", "tmpfs", "-o", "size=16k", "none", folder], capture_output=True, check=False)
    if mount.returncode:
        pytest.skip("no file system can be mounted here")
    yield folder
    subprocess.run(["umount", "-l", folder], check=True)


def test_a_full_disk_leaves_the_old_file_and_names_the_new(tiny_disk, tmp_path):
    (tiny_disk / "out").write_bytes(b"old\n")
    many = [row | {"prompt": f"{number} {'x' * 100}"} for number in range(300) for row in CANDIDATES[:1]]
    done = real(*PAIR, "-o", "disk/out", cwd=tmp_path, data=lines(*many))
    assert done.returncode == 1
    assert one_line(done.stderr).startswith("real: disk/out: No space left on device; ")
    assert names_in(tiny_disk) == ["out"]
    assert (tiny_disk / "out").read_bytes() == b"old\n"


def test_a_full_folder_for_temporary_files_is_named(tiny_disk, tmp_path):
    many = [row | {"prompt": f"{number} {'x' * 100}"} for number in range(300) for row in CANDIDATES[:1]]
    done = real(
        *PAIR, "--keep", "50%", "--by", "random", cwd=tmp_path, data=lines(*many), env=os.environ | {"TMPDIR": "disk"}
    )
    assert done.returncode == 1
    line = one_line(done.stderr)
    assert line.startswith("real: ")
    assert "disk (TMPDIR): No space left on device; " in line


def test_a_signal_that_reaches_a_thread_waits_for_steps_that_belong_together():
    """Threads of numpy have it open: Python's handler then runs in the main thread, in spite of that thread's mask."""
    steps = []

    def hit():
        signal.pthread_kill(threading.get_ident(), signal.SIGTERM)

    with stopping(), pytest.raises(Terminated):
        thread = threading.Thread(target=hit)
        with signals_wait():
            signal.pthread_sigmask(signal.SIG_UNBLOCK, STOPS)  # or the thread would have it blocked too
            thread.start()
            thread.join()
            signal.pthread_sigmask(signal.SIG_BLOCK, STOPS)
            steps.append("part")
            steps.append("name")
        steps.append("not reached")
    assert steps == ["part", "name"]
