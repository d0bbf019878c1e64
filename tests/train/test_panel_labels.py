"""What a panel of judges leaves on a pair is what training reads: its agreement as a weight, its odds for SPPO."""

import json

import pytest
from typer.testing import CliRunner

from real_cli.app import app
from tests.relabel.judge.panels import always, lines
from tests.servers import Server, prefers_longer
from tests.train.training import train


@pytest.fixture(scope="module")
def labeled(pair_rows, tmp_path_factory):
    """Pairs that two judges agree on and a third wavers about; of one pair all three."""
    folder = tmp_path_factory.mktemp("panel")
    pairs = [
        {"prompt": row["prompt"], "responses": [{"text": row[side]} for side in ("chosen", "rejected")]}
        for row in pair_rows
    ]
    with Server(prefers_longer) as long, Server(always("A")) as first:
        words = ["-m", f"a@{long.url}", "-m", f"b@{long.url}", "-m", f"c@{first.url}", "--cache", str(folder)]
        result = CliRunner().invoke(app, ["relabel", "judge", *words], input=lines(pairs))
    assert result.exit_code == 0, result.stderr
    return [json.loads(line) for line in result.stdout.splitlines()]


@pytest.mark.filterwarnings("default")  # of the trainer's libraries
def test_training_reads_what_the_panel_says(tiny_policy, tmp_path, labeled):
    """An agreement of 2/3 weighs the loss; SPPO pulls to odds of 5/6 and 1/6, over beta."""
    assert len(labeled) >= 4
    assert {round(row["agreement"], 6) for row in labeled} == {0.666667}
    kinds = {
        "plain": [],
        "weighed": ["--weight-field", "agreement", "--raw-weights"],
        "odds": ["--loss", "sppo", "--max-length", "64"],
    }
    losses = {
        name: train(tiny_policy, tmp_path / name, labeled, *words, "--max-steps", "1", "--seed", "0")[0][0]["loss"]
        for name, words in kinds.items()
    }
    assert losses["weighed"] == pytest.approx(losses["plain"] * 2 / 3, rel=1e-4)
    assert losses["odds"] == pytest.approx((1 / 3 / 0.001) ** 2, rel=1e-3)
