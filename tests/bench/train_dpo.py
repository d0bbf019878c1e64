"""`real train-dpo` against TRL's DPOTrainer: pairs a second, peak memory, and the losses of both, step by step.

The clock runs from the records to the last step: tokenizing, reference log-probabilities, training. The models are
loaded before it starts. TRL has its defaults, but for float32 on a CPU and a log line each step.
"""

import json
import sys
import tempfile
import time
from pathlib import Path

from tests.bench import alternate, figure, hh_like, median, parser, read_pairs

TRL_SIDES = {
    "trl": {},
    "trl-precomputed": {"precompute_ref_log_probs": True},
    "trl-kept": {"gradient_checkpointing": False},
}
PEER_NAMES = {
    "trl": "trl DPOTrainer, defaults",
    "trl-precomputed": "trl DPOTrainer, precompute_ref_log_probs",
    "trl-kept": "trl DPOTrainer, gradient_checkpointing=False",
}


def train_ours(job):
    """What `real train-dpo` does after it has spooled its input."""
    from real_cli.io.job import Located
    from real_cli.models.load.device import default_training_tokens
    from real_cli.models.load.policies import load_trainee
    from real_cli.models.score.probe import settle_layout
    from real_cli.models.score.tokens import ExampleTokenizer
    from real_cli.records.choices import Attention, Precision, TokenLayout
    from real_cli.train.arguments import Routine
    from real_cli.train.prepare import prepare
    from real_cli.train.reference import Reference
    from real_cli.train.settings import TrainingSettings
    from real_cli.train.stages import StagedTraining

    lora = job.get("lora", False)
    settings = TrainingSettings(batch_size=job["batch_size"], max_length=job["max_length"], lora=lora)
    precision = Precision(job.get("dtype", "auto"))
    policy = load_trainee(job["policy"], device=job["device"], precision=precision)
    policy = settle_layout(
        policy, job["policy"], TokenLayout(job["layout"]), max_length=job["max_length"], tell=lambda line: None
    )
    lines = []
    with tempfile.TemporaryDirectory() as folder:
        started = time.perf_counter()
        tokenize = ExampleTokenizer(policy.tokenizer, settings.max_length)
        arrow = Path(folder) / "pairs.arrow"
        rows = [Located(f"row {number}", row) for number, row in enumerate(job["rows"], 1)]
        examples = prepare(rows, settings.reader(), tokenize, arrow, settings, use_given=False, refuse=print)
        reference = Reference(
            None, settings.mixture, policy.layout, Attention.auto, job["batch_tokens"], settings.max_length, print
        )
        reference.fill([examples], policy, lambda count: None)
        referred = time.perf_counter()
        tokens = job["batch_tokens"] or default_training_tokens(policy.place.device, policy.model)
        staged = StagedTraining(
            policy, reference, settings, Routine(batch_tokens=tokens), Path(folder),
            last_checkpoint=lambda folder: None, tell=print,
        )  # fmt: skip
        staged.run(examples, None, lines.append, False)
        ended = time.perf_counter()
    return {
        "seconds": ended - started,
        "reference_seconds": referred - started,
        "losses": [line["loss"] for line in lines],
        "tokens": lines[-1]["num_tokens"],
    }


def train_trl(job, **changes):
    """The same pairs with TRL alone."""
    from datasets import Dataset
    from transformers import AutoModelForCausalLM, AutoTokenizer, TrainerCallback
    from trl import DPOConfig, DPOTrainer

    from real_cli.models.load.resolve import resolve_model

    class Keep(TrainerCallback):
        def on_log(self, args, state, control, logs, **kwargs):
            if "loss" in logs:
                lines.append(logs)

    lines = []
    path = resolve_model(job["policy"])
    on_cpu = job["device"] == "cpu"
    model = AutoModelForCausalLM.from_pretrained(path)
    if job.get("lora"):  # the adapter, switched off, is the reference
        from real_cli.train.lora import lora_config
        from real_cli.train.settings import TrainingSettings

        beside = {"peft_config": lora_config(TrainingSettings(lora=True))}
    else:
        beside = {"ref_model": AutoModelForCausalLM.from_pretrained(path)}
    tokenizer = AutoTokenizer.from_pretrained(path)
    with tempfile.TemporaryDirectory() as folder:
        started = time.perf_counter()
        args = DPOConfig(
            output_dir=folder, per_device_train_batch_size=job["batch_size"], max_length=job["max_length"],
            num_train_epochs=1, logging_steps=1, save_strategy="no", report_to="none", disable_tqdm=True,
            **({"use_cpu": True, "bf16": False, "dataloader_pin_memory": False} if on_cpu else {}), **changes,
        )  # fmt: skip
        trainer = DPOTrainer(
            model, args=args, train_dataset=Dataset.from_list(job["rows"]), processing_class=tokenizer,
            callbacks=[Keep()], **beside,
        )  # fmt: skip
        trainer.train()
        ended = time.perf_counter()
        if "output" in job:
            trainer.save_model(job["output"])
    return {
        "seconds": ended - started,
        "losses": [line["loss"] for line in lines],
        "tokens": int(lines[-1]["num_tokens"]),
    }


def main():
    """Measure, and print a line for each peer."""
    options = parser(records=16, rounds=1)
    options.add_argument("--policy", default="smollm2")
    options.add_argument("--device", default="cpu")
    options.add_argument("--batch-size", type=int, default=8)
    options.add_argument("--max-length", type=int, default=1024)
    options.add_argument("--layout", default="auto")
    options.add_argument("--batch-tokens", type=int)
    options.add_argument("--peers", default=",".join(TRL_SIDES), help="which TRL sides to measure")
    options = options.parse_args()
    if options.side:
        job = json.loads(options.job.read_text())
        sides = {side: lambda job, changes=changes: train_trl(job, **changes) for side, changes in TRL_SIDES.items()}
        print(json.dumps((sides | {"ours": train_ours})[options.side](job)), file=sys.__stdout__)
        return
    job = {
        name: getattr(options, name)
        for name in ("policy", "device", "batch_size", "max_length", "layout", "batch_tokens")
    }
    job["rows"] = read_pairs(options.data, options.records) if options.data else hh_like(options.records)
    peers = [side for side in options.peers.split(",") if side]
    result = alternate("tests.bench.train_dpo", ["ours", *peers], job, options)
    for peer in peers:
        pairs = zip(result["ours"][0]["losses"], result[peer][0]["losses"], strict=True)
        apart = max(abs(first - other) for first, other in pairs)
        memory = median(result["ours"], "peak_mb") / median(result[peer], "peak_mb")
        figure(
            "train-dpo",
            result["ours"],
            result[peer],
            amount=len(job["rows"]),
            unit="pairs/s",
            peer_name=PEER_NAMES[peer],
            bar="3 times the pairs/s, half the memory, losses within 1e-4",
            options=options,
            ours_tokens=result["ours"][0]["tokens"],
            peer_tokens=result[peer][0]["tokens"],
            met=lambda ratio, memory=memory, apart=apart: ratio >= 3 and memory <= 0.5 and apart <= 1e-4,
            memory_ratio=round(memory, 2),
            largest_loss_difference=apart,
            steps=len(result[peer][0]["losses"]),
            policy=options.policy,
        )


if __name__ == "__main__":
    main()
