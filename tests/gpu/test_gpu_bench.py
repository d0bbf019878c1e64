"""The benchmark of a GPU, at tiny size: every figure is printed, and no side of it fails."""

import json

import pytest

from tests.gpu import bench

pytestmark = [pytest.mark.slow, pytest.mark.filterwarnings("ignore")]
# One of each kind; the others differ by their sizes.
KINDS = ("train 1B", "train long", "train 8B", "profile 1B", "sample", "embed MiniLM")


@pytest.mark.parametrize("name", KINDS)
def test_a_figure_is_measured_on_all_sides(name, tmp_path, capsys):
    """Ours and each peer have a number, and the losses of training are the peer's."""
    bench.figures_of(tmp_path, tiny=True)[name]()
    lines = [json.loads(line) for line in capsys.readouterr().out.splitlines()]
    assert len(lines) == 1
    for line in lines:
        if line["figure"].startswith("profile"):
            assert line["top"]
            assert line["busy_ms"] > 0
            continue
        assert line["ours"] > 0
        ratios = [value for key, value in line.items() if key.startswith("ratio_to_")]
        assert ratios
        assert all(ratio > 0 for ratio in ratios)
        apart = [value for key, value in line.items() if key.endswith("_loss_apart")]
        assert all(value < 0.02 for value in apart)
        assert bool(apart) == line["figure"].startswith("train-dpo")


def test_no_figure_begins_when_time_is_up(capsys, monkeypatch):
    """A machine is lent for ten minutes."""
    monkeypatch.setattr(bench, "STARTED", float("-inf"))
    bench.main(["--tiny"])
    assert capsys.readouterr().out == ""
