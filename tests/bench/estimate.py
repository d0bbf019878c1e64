"""`real train-dpo --estimate` against the run itself: the peak of memory that it names, and the one that the run has.

Two steps of two pairs each: the peak comes in the second, when the optimizer has its states. Each run is a fresh
process, and its peak is what the system says of it.
"""

import json
import os
import sys
import tempfile
from pathlib import Path
from unittest import mock

import numpy as np

from tests.bench import child, parser, run_measured, text_of, write_rows

# Words of prompt, chosen and rejected.
LENGTHS = ((100, 80, 90), (40, 60, 50), (90, 100, 90), (30, 40, 30))
BASE = ["--max-steps", "2", "--batch-size", "2", "--order", "given", "--quiet"]
SMOLLM2, WIDE = ["--policy", "smollm2"], ["--policy", "WIDE"]
SETTINGS = {
    "48M, vocabulary of 128,000": WIDE,
    "smollm2": SMOLLM2,
    "smollm2 --lora": [*SMOLLM2, "--lora"],
    "48M --batch-tokens 1024": [*WIDE, "--batch-tokens", "1024"],
    "48M --loss simpo": [*WIDE, "--loss", "simpo", "--reference", "none"],
    "48M --gradient-checkpointing": [*WIDE, "--gradient-checkpointing"],
    "48M --dtype bfloat16": [*WIDE, "--dtype", "bfloat16"],
    "smollm2 --batch-tokens 1024": [*SMOLLM2, "--batch-tokens", "1024"],
}
BAR = 0.15


def save_wide(folder):
    """Save a random Llama with few layers and a large vocabulary."""
    import torch
    from transformers import AutoTokenizer, LlamaConfig, LlamaForCausalLM

    from real_cli.models.load.resolve import resolve_model

    tokenizer = AutoTokenizer.from_pretrained(resolve_model("smollm2"))
    torch.manual_seed(0)
    config = LlamaConfig(
        vocab_size=128000, hidden_size=320, intermediate_size=864, num_hidden_layers=6, num_attention_heads=5,
        num_key_value_heads=5, tie_word_embeddings=True, eos_token_id=tokenizer.eos_token_id, bos_token_id=None,
        pad_token_id=None,
    )  # fmt: skip
    LlamaForCausalLM(config).save_pretrained(folder)
    tokenizer.save_pretrained(folder)


def estimate(job):
    """Estimate in this process, without a probe: the command itself, told that there is no memory to be had."""
    from typer.testing import CliRunner

    from real_cli.app import app
    from real_cli.train.estimate import run

    with mock.patch.object(run, "available_bytes", return_value=0), mock.patch.object(run, "alternatives") as others:
        others.return_value = iter(())
        result = CliRunner().invoke(app, ["train-dpo", "--estimate", *job["words"]])
    if result.exit_code:
        raise SystemExit(result.stderr)
    return json.loads(result.stdout)["memory"]


def main():
    options = parser(rounds=1)
    options.add_argument("--only", default="", help="the settings whose name holds this")
    options = options.parse_args()
    if options.side:
        print(json.dumps(estimate(json.loads(options.job.read_text()))))
        return
    draw = np.random.default_rng(0)
    names = ("prompt", "chosen", "rejected")
    rows = [dict(zip(names, (text_of(draw, size) for size in sizes), strict=True)) for sizes in LENGTHS]
    with tempfile.TemporaryDirectory() as folder:
        room = Path(folder)
        write_rows(room / "pairs.jsonl", rows)
        save_wide(room / "wide")
        for number, (name, words) in enumerate(SETTINGS.items()):
            if options.only not in name:
                continue
            words = [str(room / "wide") if word == "WIDE" else word for word in (*words, *BASE)]
            words.append(str(room / "pairs.jsonl"))
            command = [sys.executable, "-m", "real_cli", "train-dpo", "--output", str(room / f"out{number}"), *words]
            run = run_measured(command, os.environ | {"OMP_NUM_THREADS": str(options.threads)})
            notes = child("tests.bench.estimate", "estimate", {"words": words}, options.threads)
            peak = notes["host"]["peak_bytes"] / 2**20
            ratio = peak / run["peak_mb"]
            line = {"figure": f"estimate, {name}", "ours": round(peak), "peer": run["peak_mb"], "unit": "MB"}
            line |= {"ratio": round(ratio, 3), "bar": "within 15%", "met": abs(ratio - 1) <= BAR}
            line |= {"peer_name": "peak of the run", "rounds": 1, "threads": options.threads}
            print(json.dumps(line | {"parts": notes["host"], "method": notes["method"]}), flush=True)


if __name__ == "__main__":
    main()
