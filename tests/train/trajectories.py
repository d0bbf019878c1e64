"""Training runs whose losses can be held against each other, step by step: ours, and TRL's own trainers."""

from real_cli.records.choices import Attention, Precision, TokenLayout
from tests.train.training import located

# TRL's name for each objective that its DPOTrainer has too.
TRL_NAMES = {
    "dpo": "sigmoid",
    "ipo": "ipo",
    "hinge": "hinge",
    "robust": "robust",
    "exo": "exo_pair",
    "nca": "nca_pair",
    "bco": "bco_pair",
    "aot": "aot",
    "aot-unpaired": "aot_unpaired",
    "apo-zero": "apo_zero",
    "apo-down": "apo_down",
    "discopop": "discopop",
    "dpo-norm": "sigmoid_norm",
    "sppo-hard": "sppo_hard",
    "sft": "sft",
}
FAST = {"learning_rate": 1e-3, "batch_size": 2, "epochs": 2.0, "max_length": 12}


def settings_for(*loss, **changes):
    """Settings of a short run; label smoothing and the like go into `knobs`."""
    from real_cli.train.settings import TrainingSettings

    return TrainingSettings(loss=loss, **(FAST | changes))


def refuse(line, reason):
    raise AssertionError(f"{line.place}: {reason}")


def say(line):
    raise AssertionError(f"nothing should be told: {line}")


def our_losses(
    policy_name,
    rows,
    folder,
    settings,
    *,
    reference=None,
    layout=TokenLayout.shared,
    batch_tokens=30,
    whole_lines=False,
    **routine,
):
    """Train as `real train-dpo` does, several passes a step, and return the loss of each step."""
    from real_cli.models.load.policies import load_trainee
    from real_cli.models.score.probe import settle_layout
    from real_cli.models.score.tokens import ExampleTokenizer
    from real_cli.train.arguments import Routine
    from real_cli.train.prepare import prepare
    from real_cli.train.reference import Reference
    from real_cli.train.stages import StagedTraining

    policy = load_trainee(str(policy_name), device="cpu", precision=Precision.auto)
    policy = settle_layout(policy, "policy", layout, max_length=settings.max_length, tell=say)
    folder.mkdir(parents=True, exist_ok=True)
    tokenize = ExampleTokenizer(policy.tokenizer, settings.max_length)
    arrow, use_given = folder / "pairs.arrow", reference is None
    examples = prepare(located(rows), settings.reader(), tokenize, arrow, settings, use_given=use_given, refuse=refuse)
    compared = Reference(reference, settings.mixture, layout, Attention.auto, batch_tokens, settings.max_length, say)
    compared.fill([examples], policy, lambda count: None)
    lines = []
    staged = StagedTraining(
        policy, compared, settings, Routine(batch_tokens=batch_tokens, **routine), folder,
        last_checkpoint=lambda folder: None, tell=lambda line: None,
    )  # fmt: skip
    staged.run(examples, None, lines.append, False)
    return lines if whole_lines else [line["loss"] for line in lines]


def trl_losses(policy_name, rows, folder, settings, *, whole_lines=False):
    """Train with TRL's DPOTrainer alone: its data preparation, reference model, forward and losses."""
    from trl import DPOConfig, DPOTrainer

    knobs = settings.mixture.knobs
    args = DPOConfig(
        loss_type=[TRL_NAMES[name] for name in settings.loss], loss_weights=list(settings.loss_weights) or None,
        beta=knobs.get("beta", 0.1), label_smoothing=knobs.get("label_smoothing", 0.0),
        discopop_tau=knobs.get("tau", 0.05), **trl_arguments(folder, settings),
    )  # fmt: skip
    return run_trl(DPOTrainer, args, policy_name, rows, whole_lines=whole_lines, ref_model=load(policy_name))


def trl_arguments(folder, settings):
    """What all of TRL's trainers are told."""
    return dict(
        output_dir=str(folder), learning_rate=settings.learning_rate,
        num_train_epochs=settings.epochs, max_steps=settings.max_steps,
        per_device_train_batch_size=settings.batch_size,
        gradient_accumulation_steps=settings.gradient_accumulation, max_length=settings.max_length,
        seed=settings.seed, logging_steps=1, save_strategy="no", report_to="none", use_cpu=True, bf16=False,
        disable_tqdm=True, gradient_checkpointing=False, dataloader_pin_memory=False,
        train_sampling_strategy="random" if settings.order == "shuffle" else "sequential",
    )  # fmt: skip


def load(policy_name):
    """Load a model as TRL would."""
    from transformers import AutoModelForCausalLM

    from real_cli.models.load.resolve import resolve_model

    return AutoModelForCausalLM.from_pretrained(resolve_model(str(policy_name)))


def run_trl(trainer_class, args, policy_name, rows, *, whole_lines=False, **models):
    """Train with one of TRL's trainers, and return the loss of each step."""
    from datasets import Dataset
    from transformers import AutoTokenizer, TrainerCallback

    from real_cli.models.load.resolve import resolve_model

    class Keep(TrainerCallback):
        def on_log(self, args, state, control, logs, **kwargs):
            if "loss" in logs:
                losses.append(dict(logs) if whole_lines else float(logs["loss"]))

    losses = []
    trainer = trainer_class(
        load(policy_name),
        args=args,
        train_dataset=Dataset.from_list(rows),
        processing_class=AutoTokenizer.from_pretrained(resolve_model(str(policy_name))),
        callbacks=[Keep()],
        **models,
    )
    trainer.train()
    return losses
