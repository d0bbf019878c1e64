"""What a reward model's training says of itself."""

from types import SimpleNamespace

from real_cli.train.diagnosis.moments import Moments
from real_cli.train.reward.readings import close_reward_run, read_reward_run
from real_cli.train.reward.settings import RewardSettings

COUNTS = {"num_pairs": 40, "num_same_tokens": 0, "num_truncated": 0}


def read(margins, *, losses=None, moments=(), counts=COUNTS, limit=9, **settings):
    """Read a run of a line a step: its margins, chosen and rejected moving apart from 1."""
    losses = losses or [0.6] * len(margins)
    lines = [
        {"step": step, "loss": loss, "grad_norm": 1.0, "learning_rate": 1e-5, "rewards/chosen": 1 + margin}
        | {"rewards/rejected": 1.0, "rewards/accuracies": 0.5 + 0.1 * (margin > 0), "rewards/margins": margin}
        for step, (loss, margin) in enumerate(zip(losses, margins, strict=True), 1)
    ]
    examples = SimpleNamespace(scores=[None] * 40, columns={})
    trainer = SimpleNamespace(state=SimpleNamespace(global_step=len(lines)), moments=list(moments))
    return read_reward_run(lines, counts, RewardSettings(**settings), examples, trainer, limit)


def test_margin_and_accuracy_are_told_and_no_level():
    sentences = read([0.0, 0.0, 0.0, 0.9, 0.9, 0.9])
    assert sentences == ["margin 0.000 at the start, 0.900 at the end", "accuracy went from 0.50 to 0.60"]


def test_a_run_of_one_step_has_moved_nothing_that_is_known():
    assert read([0.3]) == []


def test_a_loss_that_doubles_has_diverged():
    assert read([0.1, 0.5, -3.0, -3.0], losses=[0.7, 0.7, 3.0, 3.0])[0].startswith(
        "it diverged: the loss went from 0.7"
    )


def test_length_that_was_learned_is_told_without_a_loss_that_there_is_none_of():
    """Margins that are half the difference of lengths, exactly."""
    moments = [Moments(40, 0, 0, 400, 100, 200)] * 6
    (cause, *_) = read([0.0, 0.0, 0.0, 0.9, 0.9, 0.9], moments=moments)
    assert cause.startswith("pairs pull against each other")
    shifted = [Moments(40, 80, 40, 560, 140, 280)] * 6
    (cause, *_) = read([0.0, 0.0, 0.0, 0.9, 0.9, 0.9], moments=shifted)
    assert cause.startswith("length was learned: margins go with how much longer the chosen response is")
    assert "--loss" not in cause
    assert "real eval pairs --drop longer-chosen" in cause


def test_the_share_of_cut_pairs_is_told_with_what_the_model_reads():
    """Which may be less than --max-length."""
    sentences = read([0.0, 0.9], counts=COUNTS | {"num_truncated": 10}, max_length=12, limit=6)
    assert sentences[-1] == "25% of the pairs were cut to 6 tokens"


def test_the_next_command_reads_the_folder_as_it_was_trained(tmp_path):
    result = {"num_pairs": 2, "step": 1}
    sentences = close_reward_run(result, tmp_path, "m", no_chat_template=True)
    assert sentences.startswith(f"m trained on 2 pairs in 1 step: {tmp_path}; next: ")
    assert sentences.endswith(f"real relabel reward --model {tmp_path} --no-chat-template FILE")
