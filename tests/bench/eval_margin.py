"""`real eval margin` against TRL's `DPOTrainer.evaluate`: pairs a second, peak memory, and the margin of both.

Policy and reference are two models in memory on both sides. The clock runs from the records to the summary.
"""

import json
import sys
import tempfile
import time
from pathlib import Path

from tests.bench import alternate, count_tokens, figure, hh_like, parser, read_pairs


def measure_ours(job):
    """What `real eval margin` does with its records."""
    from real_cli.evaluate.margin.margins import MarginTally
    from real_cli.evaluate.margin.meter import MarginMeter
    from real_cli.models.score.model_pair import ModelPair
    from real_cli.records.choices import Attention, Precision, TokenLayout
    from real_cli.records.messages import text_key

    models = ModelPair(
        job["policy"], job["reference"], device=job["device"], precision=Precision.auto, attention=Attention.auto,
        layout=TokenLayout.auto, batch_tokens=None, max_length=job["max_length"], tell=lambda line: None,
    )  # fmt: skip
    models.load()
    meter = MarginMeter(models)
    tally = MarginTally(0.1)
    started = time.perf_counter()
    for item in meter(("", meter.tokenize(row)) for row in job["rows"]):
        if item.pair is not None:  # a prompt of a real file may fill the limit
            tally.add(item.pair, text_key(item.record["prompt"]))
    summary = tally.summary()
    return {"seconds": time.perf_counter() - started, "margin": summary["margin_beta"]}


def measure_trl(job):
    """The same pairs with TRL alone."""
    from datasets import Dataset
    from transformers import AutoModelForCausalLM, AutoTokenizer
    from trl import DPOConfig, DPOTrainer

    from real_cli.models.load.resolve import resolve_model

    on_cpu = job["device"] == "cpu"
    model, reference = (
        AutoModelForCausalLM.from_pretrained(resolve_model(job[name])) for name in ("policy", "reference")
    )
    tokenizer = AutoTokenizer.from_pretrained(resolve_model(job["policy"]))
    with tempfile.TemporaryDirectory() as folder:
        started = time.perf_counter()
        rows = Dataset.from_list(job["rows"])
        args = DPOConfig(
            output_dir=folder, max_length=job["max_length"], report_to="none", disable_tqdm=True,
            **({"use_cpu": True, "bf16": False, "dataloader_pin_memory": False} if on_cpu else {}),
        )  # fmt: skip
        trainer = DPOTrainer(
            model, ref_model=reference, args=args, train_dataset=rows.select([0]), eval_dataset=rows,
            processing_class=tokenizer,
        )  # fmt: skip
        result = trainer.evaluate()
        return {"seconds": time.perf_counter() - started, "margin": result["eval_rewards/margins"]}


def make_reference(policy, folder):
    """Make another model of the policy's shape: its weights, a little moved."""
    import torch
    from transformers import AutoModelForCausalLM, AutoTokenizer

    from real_cli.models.load.resolve import resolve_model

    path = resolve_model(str(policy))
    model = AutoModelForCausalLM.from_pretrained(path)
    torch.manual_seed(0)
    with torch.no_grad():
        for parameter in model.parameters():
            parameter.mul_(1 + 0.01 * torch.randn_like(parameter))
    model.save_pretrained(folder)
    AutoTokenizer.from_pretrained(path).save_pretrained(folder)


def main():
    """Measure, and print the figure."""
    options = parser(records=32, rounds=1)
    options.add_argument("--policy", default="smollm2")
    options.add_argument("--device", default="cpu")
    options.add_argument("--max-length", type=int, default=1024)
    options = options.parse_args()
    if options.side:
        sides = {"ours": measure_ours, "trl": measure_trl}
        print(json.dumps(sides[options.side](json.loads(options.job.read_text()))), file=sys.__stdout__)
        return
    with tempfile.TemporaryDirectory() as folder:
        reference = Path(folder) / "reference"
        make_reference(options.policy, reference)
        job = {name: getattr(options, name) for name in ("policy", "device", "max_length")}
        job |= {"reference": str(reference)}
        job["rows"] = read_pairs(options.data, options.records) if options.data else hh_like(options.records)
        ours, peer = alternate("tests.bench.eval_margin", ["ours", "trl"], job, options).values()
        figure(
            "eval margin",
            ours,
            peer,
            amount=len(job["rows"]),
            unit="pairs/s",
            peer_name="trl DPOTrainer.evaluate, defaults",
            bar="2 times the pairs/s",
            met=lambda ratio: ratio >= 2,
            options=options,
            margin_difference=abs(ours[0]["margin"] - peer[0]["margin"]),
            policy=options.policy,
            tokens=count_tokens(options.policy, [row[name] for row in job["rows"] for name in row if name != "id"]),
        )


if __name__ == "__main__":
    main()
