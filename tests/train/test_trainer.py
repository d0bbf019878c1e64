"""Training by trajectory: the same losses as TRL's own DPOTrainer, step by step; and a contract test for each hook."""

import inspect
import math

import pytest

from real_cli.records.choices import TokenLayout
from tests.train.trajectories import TRL_NAMES, our_losses, settings_for, trl_losses

ON_SMOLLM2 = ("dpo", "aot")


@pytest.mark.slow
@pytest.mark.filterwarnings("ignore")
@pytest.mark.parametrize("loss", TRL_NAMES)
def test_every_step_has_the_loss_of_trl_in_all_layouts(loss, tiny_policy, pair_rows, tmp_path):
    """Eight steps, shuffled by the same seed, some pairs cut: equal within 1e-4 (of 10 and more, 1e-5), and moving."""
    # SPPO's own beta makes losses of a million, below whose rounding nothing could be seen.
    settings = settings_for(loss, knobs={"beta": 0.1} if loss == "sppo-hard" else {})
    trls = trl_losses(tiny_policy, pair_rows, tmp_path / "trl", settings)
    assert len(trls) == 8
    assert max(trls) - min(trls) > 1e-2
    for layout in (TokenLayout.shared, TokenLayout.plain, TokenLayout.packed):
        ours = our_losses(tiny_policy, pair_rows, tmp_path / layout, settings, layout=layout)
        assert ours == pytest.approx(trls, abs=1e-4, rel=1e-5)


@pytest.mark.slow
@pytest.mark.filterwarnings("ignore")
def test_a_sum_of_objectives_over_accumulated_batches_is_that_of_trl_over_the_whole_step(
    tiny_policy, pair_rows, tmp_path
):
    """DRIFT's sum, its second part made visible. TRL takes a token mean over each batch of three, not over the step."""
    weights = {"loss_weights": (1.0, 0.1)}
    split = settings_for("dpo", "sft", batch_size=3, gradient_accumulation=2, **weights)
    whole = settings_for("dpo", "sft", batch_size=6, **weights)
    ours = our_losses(tiny_policy, pair_rows, tmp_path / "ours", split)
    assert ours == pytest.approx(trl_losses(tiny_policy, pair_rows, tmp_path / "whole", whole), abs=1e-4)
    assert len(ours) == 4
    trls = trl_losses(tiny_policy, pair_rows, tmp_path / "split", split)
    assert max(abs(mine - other) for mine, other in zip(ours, trls, strict=True)) > 1e-3


@pytest.mark.slow
@pytest.mark.filterwarnings("ignore")
def test_the_last_batch_of_a_step_weighs_what_its_pairs_do_and_in_trl_as_much_as_a_whole_one(
    tiny_policy, pair_rows, tmp_path
):
    """Seven pairs as 2 + 2 and 2 + 1: the step of three differs from TRL's, and is TRL's own over one batch."""
    split = settings_for("dpo", gradient_accumulation=2, epochs=1.0, learning_rate=0.01)
    whole = settings_for("dpo", batch_size=4, epochs=1.0, learning_rate=0.01)
    ours = our_losses(tiny_policy, pair_rows[:7], tmp_path / "ours", split)
    assert ours == pytest.approx(trl_losses(tiny_policy, pair_rows[:7], tmp_path / "whole", whole), abs=1e-4)
    trls = trl_losses(tiny_policy, pair_rows[:7], tmp_path / "split", split)
    assert ours[0] == pytest.approx(trls[0], abs=1e-4)
    assert abs(ours[1] - trls[1]) > 1e-3


@pytest.mark.slow
@pytest.mark.filterwarnings("ignore")
def test_every_metric_is_that_of_trl(tiny_policy, pair_rows, tmp_path):
    """Names and values, over batches of three in several passes and a last one of two; only tokens are fewer."""
    settings = settings_for("dpo", batch_size=3)
    ours = our_losses(tiny_policy, pair_rows, tmp_path / "ours", settings, whole_lines=True)
    trls = trl_losses(tiny_policy, pair_rows, tmp_path / "trl", settings, whole_lines=True)
    assert len(ours) == len(trls) == 6
    names = [name for name in ours[0] if name.startswith(("rewards/", "logps/"))]
    assert len(names) == 6
    for step, (mine, other) in enumerate(zip(ours, trls, strict=True)):
        for name in [*names, "loss", "grad_norm", "learning_rate"]:
            if step or name != "rewards/accuracies":  # before the first step all pairs are ties, but for rounding
                assert mine[name] == pytest.approx(other[name], abs=2e-4), name
    assert abs(ours[-1]["rewards/margins"]) > 1e-2
    # Read once: each prompt, both responses. TRL reads each prompt twice.
    assert 0 < ours[-1]["num_tokens"] < trls[-1]["num_tokens"]


@pytest.mark.slow
@pytest.mark.filterwarnings("ignore")
@pytest.mark.parametrize("loss", ON_SMOLLM2)
def test_every_step_has_the_loss_of_trl_on_smollm2(loss, pair_rows, tmp_path):
    """The same on a real model with a chat template, four steps in order."""
    pytest.importorskip("gguf")
    rows = [
        {name: [{"role": "user" if name == "prompt" else "assistant", "content": text}] for name, text in row.items()}
        for row in pair_rows[:4]
    ]
    settings = settings_for(loss, learning_rate=1e-5, max_length=64, order="given")
    ours = our_losses("smollm2", rows, tmp_path / "ours", settings)
    trls = trl_losses("smollm2", rows, tmp_path / "trl", settings)
    assert len(ours) == 4
    assert ours == pytest.approx(trls, abs=1e-4, rel=1e-5)


@pytest.mark.slow
@pytest.mark.filterwarnings("ignore")
def test_neither_accumulation_nor_passes_change_the_trajectory(tiny_policy, pair_rows, tmp_path):
    """Two pairs twice make the step of four pairs once; so do one pair a pass, all in one, and activations redone."""
    settings = settings_for("dpo", batch_size=4)
    once = our_losses(tiny_policy, pair_rows, tmp_path / "a", settings, batch_tokens=4096)
    assert len(once) == 4
    twice = our_losses(tiny_policy, pair_rows, tmp_path / "b", settings_for("dpo", gradient_accumulation=2))
    assert twice == pytest.approx(once, abs=1e-5)
    for name, changes in {"one": {"batch_tokens": 1}, "redone": {"gradient_checkpointing": True}}.items():
        losses = our_losses(tiny_policy, pair_rows, tmp_path / name, settings, **changes)
        assert losses == pytest.approx(once, abs=1e-5)


@pytest.mark.slow
@pytest.mark.filterwarnings("ignore")
def test_an_adapter_learns_the_same_in_all_layouts(tiny_policy, pair_rows, tmp_path):
    """LoRA wraps the model; its forward is still ours."""
    pytest.importorskip("peft")
    settings = settings_for("dpo", lora=True, learning_rate=1e-2)
    shared = our_losses(tiny_policy, pair_rows, tmp_path / "a", settings)
    plain = our_losses(tiny_policy, pair_rows, tmp_path / "b", settings, layout=TokenLayout.plain)
    packed = our_losses(tiny_policy, pair_rows, tmp_path / "c", settings, layout=TokenLayout.packed)
    assert shared == pytest.approx(plain, abs=1e-4)
    assert packed == pytest.approx(plain, abs=1e-4)
    assert max(shared) - min(shared) > 1e-2


@pytest.mark.slow
@pytest.mark.filterwarnings("ignore")
def test_pairs_of_one_prompt_share_its_pass_and_keep_their_weights(tiny_policy, pair_rows, tmp_path):
    """best-vs-rest in one batch of three: two pairs share prompt and chosen; the losses are the plain layout's."""
    rows = [pair_rows[0], pair_rows[0] | {"rejected": " saw it"}, pair_rows[3]] * 2
    settings = settings_for("dpo", batch_size=3, order="given")
    shared = our_losses(tiny_policy, rows, tmp_path / "a", settings, batch_tokens=4096)
    plain = our_losses(tiny_policy, rows, tmp_path / "b", settings, layout=TokenLayout.plain)
    assert shared == pytest.approx(plain, abs=1e-5)
    assert len(shared) == 4


@pytest.mark.slow
@pytest.mark.filterwarnings("ignore")
def test_the_first_loss_is_log_two_and_another_reference_changes_that(
    make_tiny_policy, tiny_policy, pair_rows, tmp_path
):
    """h is 0 where policy and reference are one model; a reference that is used makes it something else."""
    ours = our_losses(tiny_policy, pair_rows, tmp_path / "own", settings_for("dpo", max_steps=1))
    other = make_tiny_policy(seed=5)
    foreign = our_losses(
        tiny_policy, pair_rows, tmp_path / "other", settings_for("dpo", max_steps=1), reference=str(other)
    )
    assert ours == pytest.approx([math.log(2)], abs=1e-5)
    assert abs(foreign[0] - math.log(2)) > 1e-2


@pytest.mark.slow
@pytest.mark.filterwarnings("ignore")
def test_reference_log_probabilities_in_the_records_are_what_the_loss_uses(tiny_policy, pair_rows, tmp_path):
    """Shifting the reference of chosen by 10 nats makes h = -10: -log sigmoid(0.1 * -10) = 1.313262 at step one."""
    from real_cli.models.load.policies import load_policy
    from real_cli.models.score.columns import add_reference
    from real_cli.models.score.scoring import Scorer
    from real_cli.models.score.tokens import ExampleTokenizer

    policy = load_policy(str(tiny_policy), device="cpu")
    tokenize = ExampleTokenizer(policy.tokenizer, 12)
    scores = Scorer(policy, 512)([tokenize(row) for row in pair_rows])
    rows = [add_reference(row, [score[0] + 10, score[1]]) for row, score in zip(pair_rows, scores, strict=True)]
    losses = our_losses(tiny_policy, rows, tmp_path, settings_for("dpo", max_steps=1))
    assert losses == pytest.approx([1.313262], abs=1e-4)


@pytest.mark.parametrize(
    ("name", "parameters"),
    [
        ("_prepare_dataset", ["self", "dataset", "processing_class", "args", "dataset_name"]),
        ("_precompute_ref_logps", ["self", "dataset", "name", "batch_size"]),
        ("training_step", None),
        ("get_batch_samples", ["self", "epoch_iterator", "num_batches", "device"]),
        ("prediction_step", ["self", "model", "inputs", "prediction_loss_only", "ignore_keys"]),
        ("get_train_dataloader", ["self"]),
        ("get_eval_dataloader", ["self", "eval_dataset"]),
        ("_load_from_checkpoint", ["self", "resume_from_checkpoint", "model"]),
        ("_compute_loss", ["self", "model", "inputs", "return_outputs"]),
        ("log", ["self", "logs", "start_time"]),
        ("create_model_card", None),
        ("_save_checkpoint", ["self", "model", "trial"]),
        ("_run_epoch", None),
        ("_init_training_state", None),
        ("_load_best_model", ["self"]),
    ],
)
@pytest.mark.slow
@pytest.mark.filterwarnings("ignore")
def test_trl_still_has_the_hooks_that_we_override(name, parameters):
    """A new TRL that renames a hook, or calls it otherwise, fails here and not in somebody's run."""
    from trl import DPOTrainer

    from real_cli.train.batches.halving import HalvingPasses
    from real_cli.train.batches.metrics import LoggedMeans, PairMetrics
    from real_cli.train.batches.passes import PassByPass
    from real_cli.train.batches.steps import EvenSteps
    from real_cli.train.checkpoints.saving import WholeCheckpoints
    from real_cli.train.trainers.dpo import RealTrainer

    assert hasattr(DPOTrainer, name)
    ours = (RealTrainer, PassByPass, HalvingPasses, WholeCheckpoints, EvenSteps, PairMetrics, LoggedMeans)
    assert any(name in vars(values) for values in ours) or name == "_load_from_checkpoint"
    if parameters is not None:
        assert list(inspect.signature(getattr(DPOTrainer, name)).parameters) == parameters


@pytest.mark.slow
@pytest.mark.filterwarnings("ignore")
def test_trl_still_hashes_the_weights_by_the_name_that_we_replace():
    """The hash is the key of a cache that we do not use; patching a name that is gone would raise."""
    from trl.trainer import dpo_trainer

    assert "hash_module(" in inspect.getsource(dpo_trainer.DPOTrainer.__init__)
    assert callable(dpo_trainer.hash_module)


@pytest.mark.slow
@pytest.mark.filterwarnings("ignore")
def test_the_data_set_reaches_the_loss_as_it_was_tokenized(tiny_policy, pair_rows, tmp_path, monkeypatch):
    """TRL's own preparation must not run on top of ours: its tokenizer is never called."""
    import trl.trainer.dpo_trainer as trl_module

    def fail(*args, **kwargs):
        raise AssertionError("TRL prepared the data again")

    monkeypatch.setattr(trl_module, "_tokenize", fail)
    assert len(our_losses(tiny_policy, pair_rows, tmp_path, settings_for("dpo", max_steps=1))) == 1
