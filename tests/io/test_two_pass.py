"""The spool of `--keep`: lines on disk, a number for each in memory, and the lines that stay."""

import io
import json
import sys

import numpy as np
import pytest

from real_cli.errors import RecordError
from real_cli.io.job import Job, Located
from real_cli.io.two_pass import ValueSpool
from real_cli.pair.options import KeepOrder
from real_cli.pair.whole_input import kept_lines
from real_cli.records.choices import OnError
from real_cli.stats.quota import parse_keep


def pair(number, similarity, **fields):
    return {"prompt": f"q{number}", "chosen": "a", "rejected": "b", "similarity": similarity, **fields}


# Methods 1(f): five pairs, of which the halves are two each.
SIMILARITIES = [0.99, 0.90, 0.97, 0.80, 0.95]
PAIRS = [Located(f"x:{number}", pair(number, value)) for number, value in enumerate(SIMILARITIES, 1)]


@pytest.fixture
def job(monkeypatch):
    """A job that reads nothing and writes into memory."""
    monkeypatch.setattr(sys, "stdin", io.TextIOWrapper(io.BytesIO()))
    return lambda **options: Job([], quiet=True, **options)


def kept(job, order, pairs=PAIRS):
    return [json.loads(line)["similarity"] for line in kept_lines(job(), pairs, order)]


def by_similarity(keep, *, lowest):
    return KeepOrder(parse_keep(keep), "similarity", lowest, seed=0)


def test_the_spool_gives_the_marked_lines_back_in_their_order():
    with ValueSpool() as spool:
        for number in range(4):
            spool.add({"text": f"line\n{number}"}, 10.0 - number)
        assert len(spool) == 4
        assert spool.values.tolist() == [10.0, 9.0, 8.0, 7.0]
        assert list(spool.lines(np.array([True, False, False, True]))) == [
            b'{"text":"line\\n0"}\n',
            b'{"text":"line\\n3"}\n',
        ]


def test_the_spool_can_be_read_twice():
    with ValueSpool() as spool:
        spool.add({"a": 1}, 0.0)
        everything = np.array([True])
        assert list(spool.lines(everything)) == list(spool.lines(everything)) == [b'{"a":1}\n']


def test_an_empty_spool_has_no_values_and_no_lines():
    with ValueSpool() as spool:
        assert (len(spool), spool.values.shape) == (0, (0,))
        assert list(spool.lines(np.empty(0, dtype=bool))) == []


def test_a_mask_of_another_length_is_a_mistake():
    with ValueSpool() as spool:
        spool.add({"a": 1}, 0.0)
        with pytest.raises(ValueError, match="shorter|longer"):
            list(spool.lines(np.array([True, False])))


def test_the_spool_leaves_nothing_on_disk(tmp_path, monkeypatch):
    monkeypatch.setattr("tempfile.tempdir", str(tmp_path))
    with ValueSpool() as spool:
        spool.add({"a": 1}, 0.0)
    assert list(tmp_path.iterdir()) == []


def test_without_an_order_every_pair_passes_as_it_comes(job):
    passed = []

    def pairs():
        for located in PAIRS:
            passed.append(located.place)
            yield located

    lines = kept_lines(job(), pairs(), None)
    assert json.loads(next(lines))["similarity"] == 0.99
    assert passed == ["x:1"]  # the second one was not asked for yet: nothing is buffered


def test_the_lowest_half_keeps_the_order_of_the_input(job):
    assert kept(job, by_similarity("50%", lowest=True)) == [0.90, 0.80]


def test_the_highest_half_keeps_the_order_of_the_input(job):
    assert kept(job, by_similarity("50%", lowest=False)) == [0.99, 0.97]


@pytest.mark.parametrize("lowest", [True, False])
def test_all_of_them_are_all_of_them_from_either_end(job, lowest):
    assert kept(job, by_similarity("100%", lowest=lowest)) == SIMILARITIES
    assert kept(job, by_similarity("9", lowest=lowest)) == SIMILARITIES
    assert kept(job, by_similarity("0", lowest=lowest)) == []


def test_no_pairs_are_no_lines(job):
    assert kept(job, by_similarity("50%", lowest=True), []) == []


def test_random_keeps_the_same_pairs_wherever_they_stand(job):
    order = KeepOrder(parse_keep("2"), "random", lowest=True, seed=3)
    assert sorted(kept(job, order)) == sorted(kept(job, order, PAIRS[::-1]))


def test_a_pair_without_the_number_stops_the_run_with_its_place(job):
    pairs = [PAIRS[0], Located("x:9", {"prompt": "q", "chosen": "a", "rejected": "b"})]
    with pytest.raises(RecordError, match=r"^x:9: field 'similarity' is missing; run 'real embed' first$"):
        kept(job, by_similarity("1", lowest=True), pairs)


def test_a_pair_without_the_number_is_no_part_of_the_share_when_it_is_skipped(job):
    pairs = [*PAIRS[:4], Located("x:9", {"prompt": "q", "chosen": "a", "rejected": "b"})]
    skipping = job(on_error=OnError.skip)
    with skipping:
        lines = list(kept_lines(skipping, pairs, by_similarity("50%", lowest=True)))
    assert [json.loads(line)["similarity"] for line in lines] == [0.90, 0.80]
    assert skipping.num_rejected == 1
