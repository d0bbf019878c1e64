"""`train-dpo --loss kto`: single completions with a label, against TRL's trainer, and from end to end."""

import re

import pytest
from tests.train.training import train, write_rows
from tests.train.trajectories import our_losses, run_trl, settings_for, trl_arguments

pytestmark = [pytest.mark.slow, pytest.mark.filterwarnings("ignore")]
LABELS = [True, False, False, True, True, False, True, False]


@pytest.fixture
def labeled_rows(pair_rows):
    """Eight completions of eight prompts."""
    return [
        {"prompt": row["prompt"], "completion": row["chosen" if label else "rejected"], "label": label}
        for row, label in zip(pair_rows, LABELS, strict=True)
    ]


def as_candidates(rows):
    return [
        {"prompt": row["prompt"], "responses": [{"text": row["completion"], "label": row["label"]}]} for row in rows
    ]


@pytest.mark.parametrize("batch_tokens", [30, 4096])
def test_losses_are_those_of_trl(batch_tokens, tiny_policy, labeled_rows, tmp_path):
    """Eight steps within 1e-4, in several passes and in one; so are the metrics that both have."""
    from trl import KTOConfig, KTOTrainer

    knobs = {"beta": 0.3, "desirable_weight": 1.2, "undesirable_weight": 0.7}
    settings = settings_for("kto", knobs=knobs, batch_size=4, epochs=4.0, max_length=64, order="given")
    args = KTOConfig(**trl_arguments(tmp_path / "trl", settings), **knobs)
    theirs = run_trl(KTOTrainer, args, tiny_policy, labeled_rows, whole_lines=True)
    lines = our_losses(
        tiny_policy, as_candidates(labeled_rows), tmp_path / "ours", settings, batch_tokens=batch_tokens, whole_lines=True
    )
    ours = [line["loss"] for line in lines]
    assert len(ours) == 8
    assert ours == pytest.approx([line["loss"] for line in theirs], abs=1e-4)
    assert max(ours) - min(ours) > 1e-2
    names = ["kl", "rewards/chosen", "rewards/rejected", "rewards/margins", "logps/chosen", "logps/rejected"]
    for name in names:
        assert [line[name] for line in lines] == pytest.approx([line[name] for line in theirs], abs=1e-3), name
    assert max(line["kl"] for line in lines) > 0
