"""The journal of `relabel human`."""

import json
import os

import pytest

from real_cli.errors import RealError
from real_cli.relabel.human import journal as module
from real_cli.relabel.human.choices import Shown, Verdict
from real_cli.relabel.human.journal import Journal
from real_cli.relabel.human.pair import PairAnswer

FIRST = PairAnswer(Verdict.first, Shown.as_is, 2.5)
TIE = PairAnswer(Verdict.tie, Shown.swapped, 1.0, "equal")


def test_the_later_of_two_lines_for_one_pair_counts_and_a_repetition_is_kept_apart(tmp_path):
    path = tmp_path / "j"
    with Journal(path, 7) as journal:
        journal.add("k", FIRST, is_repeat=False)
        journal.add("k", TIE, is_repeat=False)
        journal.add("k", FIRST, is_repeat=True)
        journal.add("l", FIRST, is_repeat=False)
    with Journal(path, 8) as journal:
        assert journal.answers == {"k": TIE, "l": FIRST}
        assert journal.repeats == {"k": FIRST}
    lines = [json.loads(line) for line in path.read_bytes().splitlines()]
    assert {line["seed"] for line in lines} == {7}
    assert all(line["when"].endswith("Z") and line["when"][10] == "T" for line in lines)


def test_an_answer_is_on_the_disk_before_add_returns(tmp_path, monkeypatch):
    synced = []
    monkeypatch.setattr(module.os, "fsync", lambda descriptor: synced.append(os.fstat(descriptor).st_size))
    with Journal(tmp_path / "j", 0) as journal:
        journal.add("k", FIRST, is_repeat=False)
        assert synced == [(tmp_path / "j").stat().st_size] != [0]


def test_a_torn_last_line_is_cut_off_and_the_next_answer_stands_on_its_own(tmp_path):
    path = tmp_path / "j"
    with Journal(path, 0) as journal:
        journal.add("k", FIRST, is_repeat=False)
    with path.open("ab") as file:
        file.write(b'{"version":1,"key":"l","ver')
    with Journal(path, 0) as journal:
        journal.add("m", TIE, is_repeat=False)
    with Journal(path, 0) as journal:
        assert journal.answers == {"k": FIRST, "m": TIE}


@pytest.mark.parametrize(
    ("line", "message"),
    [
        (b"garbage", "j:2: not JSON"),
        (b'{"prompt":"q"}', "j:2: field 'version' is None; 1 is needed: name another --journal"),
        (b'{"version":9}', "j:2: field 'version' is 9; 1 is needed"),
    ],
)
def test_a_line_that_is_none_of_a_journal_is_told_with_its_number_and_left_alone(tmp_path, line, message):
    path = tmp_path / "j"
    with Journal(path, 0) as journal:
        journal.add("k", FIRST, is_repeat=False)
    before = path.read_bytes() + line + b"\n"
    path.write_bytes(before)
    with pytest.raises(RealError, match=message), Journal(path, 0):
        pass
    assert path.read_bytes() == before


def test_two_runs_do_not_write_one_journal(tmp_path):
    path = tmp_path / "j"
    with Journal(path, 0), pytest.raises(RealError, match="j: another run is writing it; "), Journal(path, 0):
        pass
    with Journal(path, 0):
        pass


def test_a_journal_that_cannot_be_written_is_told(tmp_path):
    with pytest.raises(RealError, match="none/j: No such file or directory"), Journal(tmp_path / "none" / "j", 0):
        pass
