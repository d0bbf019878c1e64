"""A small file that unpacks to gigabytes takes no more memory than its lines may have."""

import bz2
import gzip
import lzma
import subprocess
import sys
import zlib

import pyarrow as pa
import pyarrow.parquet as pq
import pytest

from tests.attacks.commands import INSTALLED

if sys.version_info >= (3, 14):
    from compression import zstd
else:
    from backports import zstd

PIECE = b" " * (1 << 20)
OPENERS = {"gz": gzip.open, "bz2": bz2.open, "zst": zstd.open, "xz": lzma.open}


# What the system says of a child counts the memory of the process that it was forked from: this one counts its own.
MEASURED = """
import atexit, runpy, sys
peak = lambda: next(line.split()[1] for line in open("/proc/self/status") if line.startswith("VmHWM"))
atexit.register(lambda: sys.__stderr__.write(peak()))
sys.argv = sys.argv[1:]
runpy.run_path(sys.argv[0], run_name="__main__")
"""


def pair(*words):
    """Run pair; returns its status, what it says, and the most memory it held, in MiB."""
    command = [sys.executable, "-c", MEASURED, INSTALLED, "pair", "-s", "random", *map(str, words)]
    done = subprocess.run(
        command, stdout=subprocess.DEVNULL, stderr=subprocess.PIPE, text=True, check=False, timeout=60
    )
    notes, _, peak = done.stderr.rpartition("\n")
    return done.returncode, f"{notes}\n", int(peak) >> 10


@pytest.mark.parametrize("kind", OPENERS)
def test_a_line_without_end_is_refused_at_its_limit(tmp_path, kind):
    with OPENERS[kind](tmp_path / f"bomb.{kind}", "wb") as file:
        for _ in range(32 if kind == "bz2" else 48):
            file.write(PIECE)
    status, notes, megabytes = pair("--max-line-bytes", 4 << 20, tmp_path / f"bomb.{kind}")
    assert status == 1
    assert "line is longer than" in notes
    assert megabytes < 150


def test_xz_does_not_choose_its_memory(tmp_path):
    filters = [{"id": lzma.FILTER_LZMA2, "dict_size": 1 << 30, "mode": lzma.MODE_FAST, "mf": lzma.MF_HC3, "depth": 1}]
    # What asks for so much to be packed is made by hand: the size of the dictionary stands in the header of the block.
    packed = lzma.compress(b"{}\n", filters=[filters[0] | {"dict_size": 1 << 20}])
    header = bytearray(packed[12:24])
    assert header[2:4] == b"\x21\x01"
    header[4] = 36  # 1 GiB
    header[8:12] = int.to_bytes(zlib.crc32(header[:8]), 4, "little")
    (tmp_path / "bomb.xz").write_bytes(packed[:12] + header + packed[24:])
    status, notes, megabytes = pair(tmp_path / "bomb.xz")
    assert (status, notes.count("\n")) == (1, 1)
    assert "cannot be read to its end" in notes
    assert megabytes < 150


@pytest.mark.parametrize("cut", [0, 30])
def test_xz_streams_one_after_the_other_are_read_and_a_cut_one_is_told(tmp_path, cut):
    line = b'{"prompt": "q", "chosen": "a", "rejected": "b"}\n' * 9000
    packed = lzma.compress(line) + b"\0" * 8 + lzma.compress(line, preset=9)
    (tmp_path / "a.xz").write_bytes(packed[: len(packed) - cut])
    status, notes, _ = pair(tmp_path / "a.xz")
    assert status == (1 if cut else 0)
    assert "cannot be read to its end" in notes if cut else "18,000" in notes


def test_a_table_is_read_a_few_rows_at_a_time(tmp_path):
    text = pa.DictionaryArray.from_arrays(pa.array([0] * 600, pa.int32()), pa.array(["x" * (1 << 20)]))
    table = pa.table({"prompt": text, "chosen": ["a"] * 600, "rejected": ["b"] * 600})
    pq.write_table(table, tmp_path / "bomb.parquet", compression="zstd")
    assert (tmp_path / "bomb.parquet").stat().st_size < 10_000
    status, _, megabytes = pair(tmp_path / "bomb.parquet")
    assert status == 0
    assert megabytes < 700


def test_a_line_of_csv_has_the_limit_of_lines(tmp_path):
    (tmp_path / "long.csv").write_bytes(b"prompt,chosen,rejected\n" + b"x" * (9 << 20) + b",a,b\n")
    status, notes, megabytes = pair("--max-line-bytes", 4 << 20, tmp_path / "long.csv")
    assert (status, megabytes < 150) == (1, True)
    assert "long.csv:2: line is longer than" in notes
