"""The layouts of `real train-dpo` against each other: padding, CPU-seconds of forward and backward passes, peak memory.

The clock is the processor's, so that a busy machine does not change what is compared; take one thread, since threads
that wait at a barrier count too.
"""

import json
import sys
import time

from tests.bench import alternate, hh_like, median, parser, read_pairs

LAYOUTS = ("plain", "shared", "packed")


def run_passes(job, layout):
    """Run the passes of all batches, in the order of the records; returns tokens and seconds."""
    import torch

    from real_cli.models.load.device import default_training_tokens
    from real_cli.models.load.policies import load_trainee
    from real_cli.models.score.probe import settle_layout
    from real_cli.models.score.tokens import ExampleTokenizer
    from real_cli.records.choices import Precision, TokenLayout
    from real_cli.train.batches.collate import Collator

    def refuse(line):
        raise SystemExit(line)

    policy = load_trainee(job["policy"], device="cpu", precision=Precision.float32)
    policy = settle_layout(policy, job["policy"], TokenLayout(layout), max_length=job["max_length"], tell=refuse)
    tokenize = ExampleTokenizer(policy.tokenizer, job["max_length"])
    examples = [example for example in map(tokenize, job["rows"]) if isinstance(example, tuple)]
    collate = Collator(policy.layout, job["batch_tokens"] or default_training_tokens(policy.place.device, None), 0)
    size = job["batch_size"]
    batches = [
        collate(
            [{"prompt_ids": example.prompt, "response_ids": example.responses, "marks": [1.0, 0.0]} for example in rows]
        )
        for rows in (examples[start : start + size] for start in range(0, len(examples), size))
    ]
    passes = [forward["batch"] for batch in batches for forward in batch["passes"]]
    policy.model.train()
    started = time.process_time()
    total = 0.0
    for number, batch in enumerate(passes):
        if number == 1:  # the first pass warms up
            started = time.process_time()
        logps = policy.model(**batch).logps
        logps.sum().backward()
        total += float(logps.detach().sum())
    return {
        "seconds": time.process_time() - started,
        "tokens": sum(batch["input_ids"].numel() for batch in passes),
        "largest_pass": max(batch["input_ids"].numel() for batch in passes),
        "passes": len(passes),
        "logps": total,
        "gradient": float(torch.cat([weight.grad.flatten() for weight in policy.model.parameters()]).norm()),
    }


def main():
    """Measure, and print a line for each layout."""
    options = parser(records=64, rounds=2)
    options.add_argument("--policy", default="smollm2")
    options.add_argument("--batch-size", type=int, default=8)
    options.add_argument("--batch-tokens", type=int)
    options.add_argument("--max-length", type=int, default=1024)
    options.add_argument("--layouts", default=",".join(LAYOUTS), help="which to measure")
    options = options.parse_args()
    if options.side:
        job = json.loads(options.job.read_text())
        print(json.dumps(run_passes(job, options.side)), file=sys.__stdout__)
        return
    job = {name: getattr(options, name) for name in ("policy", "batch_size", "batch_tokens", "max_length")}
    job["rows"] = read_pairs(options.data, options.records) if options.data else hh_like(options.records)
    layouts = options.layouts.split(",")
    result = alternate("tests.bench.packing", layouts, job, options)
    for layout in layouts:
        first = result[layout][0]
        line = {name: first[name] for name in ("tokens", "largest_pass", "passes", "logps", "gradient")}
        line |= {name: median(result[layout], name) for name in ("seconds", "peak_mb")}
        print(json.dumps({"layout": layout, "batch_size": options.batch_size, **line}), flush=True)


if __name__ == "__main__":
    main()
