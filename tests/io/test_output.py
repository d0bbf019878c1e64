"""Where records go: a file appears whole or not at all, a device is written directly, a closed pipe is no error."""

import os
import stat
import subprocess
import sys
import threading

import pytest

from real_cli.errors import RealError
from real_cli.io.output import LogLines, open_output


def listing(folder):
    return sorted(path.name for path in folder.iterdir())


def mode(path):
    return stat.S_IMODE(path.stat().st_mode)


@pytest.fixture
def umask():
    """Set the umask for one test."""
    before = os.umask(0o022)
    yield os.umask
    os.umask(before)


# Whole or not at all


def test_a_file_holds_what_was_written(tmp_path):
    with open_output(tmp_path / "out") as stream:
        stream.write(b"one\n")
        stream.write(b"two\n")
    assert (tmp_path / "out").read_bytes() == b"one\ntwo\n"
    assert listing(tmp_path) == ["out"]


def test_until_the_end_the_old_file_stands(tmp_path):
    path = tmp_path / "out"
    path.write_bytes(b"old\n")
    with open_output(path) as stream:
        stream.write(b"new\n")
        stream.flush()
        assert path.read_bytes() == b"old\n"
    assert path.read_bytes() == b"new\n"


@pytest.mark.parametrize("error", [ValueError, KeyboardInterrupt, BrokenPipeError, SystemExit])
def test_a_failure_leaves_no_file_and_no_litter(tmp_path, error):
    with pytest.raises(error), open_output(tmp_path / "out") as stream:
        stream.write(b"half\n")
        raise error
    assert listing(tmp_path) == []


def test_a_failure_leaves_the_old_file_intact(tmp_path):
    path = tmp_path / "out"
    path.write_bytes(b"old\n")
    with pytest.raises(ValueError, match="stop"), open_output(path) as stream:
        stream.write(b"half\n")
        raise ValueError("stop")
    assert path.read_bytes() == b"old\n"
    assert listing(tmp_path) == ["out"]


def test_nothing_written_is_an_empty_file(tmp_path):
    with open_output(tmp_path / "out"):
        pass
    assert (tmp_path / "out").read_bytes() == b""


@pytest.mark.parametrize(("mask", "expected"), [(0o022, 0o644), (0o077, 0o600), (0o002, 0o664), (0o000, 0o666)])
def test_a_new_file_has_the_mode_that_the_umask_gives(tmp_path, umask, mask, expected):
    umask(mask)
    with open_output(tmp_path / "out") as stream:
        stream.write(b"x")
    assert mode(tmp_path / "out") == expected
    assert os.umask(mask) == mask  # reading the umask left it as it was


def test_a_link_is_followed_and_stays_a_link(tmp_path):
    """Else `-o latest.jsonl` would cut the link; and as root `-o /dev/stdout` would replace the device."""
    target = tmp_path / "data" / "target"
    target.parent.mkdir()
    target.write_bytes(b"old\n")
    link = tmp_path / "link"
    link.symlink_to(target)
    with open_output(link) as stream:
        stream.write(b"new\n")
    assert link.is_symlink()
    assert target.read_bytes() == b"new\n"


@pytest.mark.parametrize("name", ["none/out", "file/out"])
def test_a_place_that_cannot_be_written_is_told(tmp_path, name):
    (tmp_path / "file").write_bytes(b"")
    with pytest.raises(RealError, match=rf"^{tmp_path}/{name}: "), open_output(tmp_path / name):
        pass


def test_a_folder_is_no_file(tmp_path):
    with pytest.raises(RealError) as caught, open_output(tmp_path):
        pass
    assert str(caught.value) == f"{tmp_path}: Is a directory"


# Devices and pipes


def test_a_device_is_written_directly_and_stays_a_device(tmp_path):
    with open_output(tmp_path.__class__("/dev/null")) as stream:
        stream.write(b"gone\n")
    assert stat.S_ISCHR(os.stat("/dev/null").st_mode)


def test_a_named_pipe_is_written_directly(tmp_path):
    pipe = tmp_path / "pipe"
    os.mkfifo(pipe)
    seen = []
    reader = threading.Thread(target=lambda: seen.append(pipe.read_bytes()))
    reader.start()
    with open_output(pipe) as stream:
        stream.write(b"through\n")
    reader.join()
    assert seen == [b"through\n"]
    assert listing(tmp_path) == ["pipe"]


def script(body, **options):
    """Run a few lines of Python in a process of their own, with this one's real file descriptors."""
    program = "from real_cli.io.output import open_output, standard_output\n" + body
    return subprocess.run([sys.executable, "-c", program], capture_output=True, check=False, **options)


def test_what_a_library_prints_goes_to_standard_error():
    done = script(
        "import os\n"
        "with standard_output() as stream:\n"
        "    print('noise')\n"
        "    os.write(1, b'deep noise\\n')\n"
        "    stream.write(b'{}\\n')\n"
        "print('after')\n"
    )
    assert done.stdout == b"{}\nafter\n"
    assert sorted(done.stderr.splitlines()) == [b"deep noise", b"noise"]


def test_dash_is_standard_output():
    assert script("from pathlib import Path\nwith open_output(Path('-')) as s: s.write(b'x\\n')").stdout == b"x\n"


def test_standard_output_by_its_device_name_is_standard_output(tmp_path):
    """`-o /dev/fd/1 > FILE`: the name is a link to a regular file, in a folder where no file can be made."""
    with (tmp_path / "out").open("wb") as out:
        done = subprocess.run(
            [sys.executable, "-c", "from pathlib import Path\nfrom real_cli.io.output import open_output\n"
             "with open_output(Path('/dev/fd/1')) as s: s.write(b'x\\n')"],
            stdout=out, stderr=subprocess.PIPE, text=True, check=False,
        )  # fmt: skip
    assert (done.returncode, done.stderr.splitlines()[-1:]) == (0, [])
    assert (tmp_path / "out").read_bytes() == b"x\n"


@pytest.mark.parametrize(
    ("name", "stream"), [("/dev/fd/1", "stdout"), ("/dev/fd/2", "stderr"), ("/dev/stderr", "stderr")]
)
def test_what_the_shell_opened_to_append_is_appended_to(tmp_path, name, stream):
    """`--rejects /dev/stderr 2>> log`: what the log held stays, and so does what is said after."""
    log = tmp_path / "log"
    log.write_bytes(b"old\n")
    program = (
        "import sys\n"
        "from pathlib import Path\n"
        "from real_cli.io.output import open_output\n"
        f"with open_output(Path('{name}')) as out: out.write(b'x\\n')\n"
        f"sys.{stream}.write('after\\n')\n"
    )
    with log.open("ab") as opened:
        subprocess.run([sys.executable, "-c", program], check=True, **{stream: opened})
    assert log.read_bytes() == b"old\nx\nafter\n"


# Lines for whoever reads along


def test_a_log_line_is_handed_on_at_once():
    end, start = os.pipe()
    with open(end, "rb") as reader, open(start, "wb") as stream:
        LogLines(stream).write({"step": 1})
        assert reader.readline() == b'{"step":1}\n'


def test_a_log_whose_reader_left_is_written_no_more():
    class Gone:
        calls = 0

        def write(self, data):
            self.calls += 1
            raise BrokenPipeError

    lines = LogLines(stream := Gone())
    lines.write({"step": 1})
    lines.write({"step": 2})
    assert stream.calls == 1
