"""What is read of a training run's lines."""

from real_cli.train.curves import read_curves

STEP = {"loss": 0.7, "rewards/margins": 0.1, "rewards/accuracies": 0.5, "rewards/chosen": 0.2, "rewards/rejected": 0.1}


def test_held_out_pairs_have_curves_of_their_own_and_the_result_is_no_step():
    lines = [
        {"step": 1, **STEP, "learning_rate": 0.1},
        {"step": 1, **{f"eval_{name}": value for name, value in STEP.items()}},
        {"step": 2, **STEP, "loss": 0.6, "grad_norm": 1},
        {"step": 2, "loss": 0.65, "output": "aligned", "num_pairs": 8},
    ]
    result = read_curves(lines)
    assert result.curves["loss"] == ((1, 2), (0.7, 0.6))
    assert result.curves["eval_rewards/margins"] == ((1,), (0.1,))
    assert len(result.curves) == 10
    assert (result.num_steps, result.num_unknown) == (3, 0)
    assert result.sentence() == ""


def test_other_lines_are_counted_and_told():
    result = read_curves([None, {"step": 3}, {"loss": 0.5}, {"step": 1, "loss": None}, {"step": 1, "loss": 0.5}])
    assert (result.num_steps, result.num_unknown) == (1, 4)
    assert result.sentence() == "--training: 4 lines that are no step of a training run were passed over"
    assert read_curves([]).sentence() == "--training: no step was found"


def test_a_log_that_goes_on_after_a_kill_has_each_step_once():
    """A killed run logged steps after its checkpoint; the run that went on from there logs them again."""
    lines = [{"step": step, "loss": loss} for step, loss in ((1, 0.9), (2, 0.8), (3, 0.7), (2, 0.6), (3, 0.5))]
    result = read_curves(lines)
    assert result.curves["loss"] == ((1, 2, 3), (0.9, 0.6, 0.5))
    assert result.num_steps == 3
    held = [{"step": 2, "eval_loss": 0.8}, {"step": 1, "loss": 0.7}]
    assert list(read_curves(held).curves) == ["loss"]
