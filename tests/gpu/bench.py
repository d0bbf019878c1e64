"""Figures of a GPU: training, embedding and sampling against their peers, in one process, in ten minutes at most.

`python -m tests.gpu.bench [--seconds 480] [--only sample]` prints a JSON line a figure, as many as there is time for.
Peak memory is the device's; MFU counts 6 operations a parameter and token that a pass reads, over 989 TFLOP/s.

TRL's best settings keep activations and precompute references. TRL 1.16 ignores `padding_free`, and its Liger kernels
need a package that does not travel.
"""

import argparse
import contextlib
import functools
import gc
import json
import math
import sys
import tempfile
import time
from pathlib import Path
from unittest import mock

import numpy as np

from tests.bench import hh_like, text_of, write_rows
from tests.bench.embed import embed_ours, embed_peer
from tests.bench.sample import sample_ours, sample_peer
from tests.bench.train_dpo import train_ours, train_trl
from tests.gpu.assets import asset
from tests.gpu.models import make_encoder, make_llama, on_cuda

PEAK = 989e12
BILLION = dict(hidden_size=2048, intermediate_size=8192, num_hidden_layers=16, num_attention_heads=32)
BILLION |= dict(num_key_value_heads=8, tie_word_embeddings=True)
EIGHT_BILLION = dict(hidden_size=4096, intermediate_size=14336, num_hidden_layers=32, num_attention_heads=32)
EIGHT_BILLION |= dict(num_key_value_heads=8)
# Words of long prompts and responses, at least and at most; a word is about a token.
LONG_PROMPT, LONG_RESPONSE, LONGEST = (1500, 3000), (100, 600), 4096
PROFILED_STEP, MOST_SHOWN = 3, 12
TRL_BEST = {"gradient_checkpointing": False, "precompute_ref_log_probs": True}
STARTED = time.perf_counter()


def measured(work, *args, **changes):
    """Run one side; what it returns, with its wall time and the device's peak memory. An error is its line."""
    import torch

    gc.collect()
    if on_cuda():
        torch.cuda.empty_cache()
        torch.cuda.reset_peak_memory_stats()
    started = time.perf_counter()
    try:
        with contextlib.redirect_stdout(sys.stderr):
            result = work(*args, **changes)
    except Exception as error:
        return {"error": f"{type(error).__name__}: {str(error)[:200]}"}
    peak = torch.cuda.max_memory_allocated() >> 20 if on_cuda() else None
    return result | {"wall_s": round(time.perf_counter() - started, 1), "peak_mb": peak}


def show(figure, ours, peers, amount, unit, **more):
    """Print one figure: ours, and each peer with the ratio to it."""
    line = {"figure": figure, "unit": unit, **more}
    for name, run in {"ours": ours, **peers}.items():
        if "error" in run:
            line[name] = run["error"]
            continue
        line[name] = float(f"{amount / run['seconds']:.4g}")
        line[f"{name}_peak_mb"] = run["peak_mb"]
        if name != "ours" and "error" not in ours:
            line[f"ratio_to_{name}"] = round(run["seconds"] / ours["seconds"], 2)
            if run.get("losses"):
                pairs = zip(ours["losses"], run["losses"], strict=True)
                line[f"{name}_loss_apart"] = round(max(abs(first - other) for first, other in pairs), 4)
    print(json.dumps(line), flush=True)


def count_parameters(policy):
    """Count the numbers in a model's files."""
    from safetensors import safe_open

    total = 0
    for path in Path(policy).glob("*.safetensors"):
        with safe_open(path, "pt") as weights:
            total += sum(math.prod(weights.get_slice(key).get_shape()) for key in weights.keys())  # noqa: SIM118
    return total


def training_job(policy, rows, batch_size, **changes):
    """Make what a side of training is given."""
    job = {"policy": str(policy), "device": "cuda" if on_cuda() else "cpu", "batch_size": batch_size, "rows": rows}
    return job | {"max_length": 1024, "layout": "auto", "batch_tokens": None, **changes}


def show_training(name, policy, rows, batch_size, peers, **changes):
    """Training from records to the last step; models are loaded before the clock starts."""
    job = training_job(policy, rows, batch_size, **changes)
    # A length that comes for the first time costs more than its step: whoever runs first would pay for all.
    measured(train_ours, job)
    ours = measured(train_ours, job)
    others = {}
    for peer, words in peers.items():
        measured(train_trl, job | {"rows": job["rows"][: 2 * batch_size]}, **words)
        others[peer] = measured(train_trl, job, **words)
    parameters = count_parameters(policy)
    more = {"parameters": parameters, "pairs": len(rows), "batch_size": batch_size}
    if "error" not in ours:
        seconds = ours["seconds"] - ours["reference_seconds"]
        more |= {"tokens": ours["tokens"], "training_s": round(seconds, 2)}
        more |= {"tokens_per_s": round(ours["tokens"] / seconds)}
        # Frozen weights have no gradients of their own: a pass back through them is as much as one forward.
        operations = 4 if job.get("lora") else 6
        more |= {"mfu": round(operations * parameters * ours["tokens"] / seconds / PEAK, 3)}
    show(f"train-dpo, {name}", ours, others, len(rows), "pairs/s", **more)


def show_profile(name, policy, rows, batch_size):
    """Where the time of one warm step goes: what runs on the device, and how much of the wall's time that is."""
    from real_cli.train.trainers.dpo import RealTrainer

    steps, lines = [], []
    training_step = RealTrainer.training_step

    def begin_step(trainer, *args, **kwargs):
        steps.append(time.perf_counter())
        if len(steps) == PROFILED_STEP:
            begin_step.profile = begin_profile()
        elif len(steps) == PROFILED_STEP + 1:
            lines.append(end_profile(begin_step.profile))
        return training_step(trainer, *args, **kwargs)

    with mock.patch.object(RealTrainer, "training_step", begin_step):
        run = measured(train_ours, training_job(policy, rows, batch_size))
    line = lines[0] | {"step_ms": round(1000 * (steps[PROFILED_STEP] - steps[PROFILED_STEP - 1]), 1)} if lines else run
    print(json.dumps({"figure": f"profile of a step, {name}", "batch_size": batch_size, **line}), flush=True)


def begin_profile():
    """Start to record what runs."""
    from torch.profiler import ProfilerActivity, profile

    recorded = profile(activities=[ProfilerActivity.CPU] + [ProfilerActivity.CUDA] * on_cuda())
    recorded.start()
    return recorded


def end_profile(recorded):
    """Sum up what ran: the most expensive operations, and how many there were."""
    import torch

    if on_cuda():
        torch.cuda.synchronize()
    recorded.stop()
    field = "self_device_time_total" if on_cuda() else "self_cpu_time_total"
    events = sorted(recorded.key_averages(), key=lambda event: -getattr(event, field))
    # The device's own events are its kernels; those of the host have the same time once more.
    events = [event for event in events if not on_cuda() or "CUDA" in str(event.device_type)]
    busy = sum(getattr(event, field) for event in events)
    top = [[event.key[:80], round(getattr(event, field) / 1000, 2), event.count] for event in events[:MOST_SHOWN]]
    return {"busy_ms": round(busy / 1000, 1), "operations": sum(event.count for event in events), "top": top}


def long_pairs(count, seed=0, scale=1):
    """Make pairs of some thousand tokens."""
    draw = np.random.default_rng(seed)
    ranges = {"prompt": LONG_PROMPT, "chosen": LONG_RESPONSE, "rejected": LONG_RESPONSE}
    sizes = {name: draw.integers(*(end // scale for end in ends), size=count) for name, ends in ranges.items()}
    return [{"id": number, **{name: text_of(draw, sizes[name][number]) for name in ranges}} for number in range(count)]


def show_embedding(name, model, folder, num_pairs):
    """What the command does to records, JSON and all, against `encode` with its defaults on a list of texts."""
    job = {"model": str(model), "device": "cuda" if on_cuda() else "cpu", "input": f"{folder}/in.jsonl"}
    job |= {"output": f"{folder}/out.jsonl", "vectors": f"{folder}/vectors.npy"}
    write_rows(Path(job["input"]), hh_like(256, seed=1))
    measured(embed_ours, job)
    write_rows(Path(job["input"]), hh_like(num_pairs))
    ours, peer = measured(embed_ours, job), measured(embed_peer, job)
    half = measured(embed_peer, job | {"peer_dtype": "bfloat16"})
    show(f"embed, {name}", ours, {"encode": peer, "encode_bfloat16": half}, 2 * num_pairs, "texts/s")


def show_sampling(policy, folder, num_prompts, rows, max_tokens=64):
    """Tokens that the policy wrote, against a loop of `model.generate` with the same rows in a batch."""
    records = [{"id": row["id"], "prompt": row["prompt"]} for row in hh_like(num_prompts)]
    write_rows(Path(folder) / "in.jsonl", records)
    job = {"model": str(policy), "device": "cuda" if on_cuda() else "cpu", "top_p": 1.0, "rows": rows}
    job |= {"input": f"{folder}/in.jsonl", "output": f"{folder}/out.jsonl", "max_tokens": max_tokens, "responses": 4}
    job |= {"dtype": "bfloat16" if on_cuda() else "float32"}
    # No budget splits what the peer has in one batch: a step of half the rows takes as long.
    job |= {"batch_tokens": rows * 1024, "amount": num_prompts * 4 * max_tokens}
    # Kernels and lengths that come for the first time take seconds: whoever runs first would pay for both.
    measured(sample_ours, job)
    measured(sample_peer, job)
    ours, peer = measured(sample_ours, job), measured(sample_peer, job)
    show("sample", ours, {"generate": peer}, job["amount"], "tokens/s", rows=rows)


def make_policy(folder, name, tiny, **shape):
    """Make a random policy, or where it is only to be seen that all runs, a tiny one."""
    if tiny:
        return make_llama(f"{folder}/{name}", dtype=shape.get("dtype", "float32"))
    return make_llama(f"{folder}/{name}", large=True, scaled=False, **shape)


def figures_of(folder, tiny):
    """List the figures in the order of their worth, each with what measures it; models are made once they are asked."""
    small = dict(json.loads((asset("smollm2") / "config.json").read_text()))
    names = ("hidden_size", "intermediate_size", "num_hidden_layers", "num_attention_heads", "num_key_value_heads")
    shapes = {"135M": {name: small[name] for name in names} | {"tie_word_embeddings": True}}
    shapes |= {"1B": BILLION | {"max_position_embeddings": LONGEST}, "8B": EIGHT_BILLION | {"dtype": "bfloat16"}}
    policy = functools.cache(lambda name: make_policy(folder, name, tiny, **shapes[name]))
    encoder = functools.cache(lambda: make_encoder(f"{folder}/minilm", large=not tiny))
    peers = {"trl": {}, "trl_best": TRL_BEST}
    few = 2 if tiny else 8
    lora = {"lora": True, "dtype": "bfloat16"}
    long_rows = {"max_length": 256 if tiny else LONGEST}

    def rows(count, least=4):
        return hh_like(least if tiny else count)

    def long(count):
        return long_pairs(4 if tiny else count, scale=40 if tiny else 1)

    return {
        "train 135M": lambda: show_training("135M", policy("135M"), rows(128), few, peers),
        "train 1B": lambda: show_training("1B", policy("1B"), rows(96), 2 * few, {"trl": {}}),
        "profile 1B": lambda: show_profile("1B", policy("1B"), rows(64, 8), few),
        "profile 135M": lambda: show_profile("135M", policy("135M"), rows(64, 8), few),
        "sample": lambda: show_sampling(policy("135M"), folder, *((few, few, 8) if tiny else (64, 128))),
        "embed MiniLM": lambda: show_embedding("MiniLM", encoder(), folder, few if tiny else 4000),
        "train long": lambda: show_training("1B, long rows", policy("1B"), long(32), few // 2, peers, **long_rows),
        "train 8B": lambda: show_training("8B, LoRA", policy("8B"), rows(48), few, {"trl": {}}, **lora),
        "embed 135M": lambda: show_embedding("135M", policy("135M"), folder, few if tiny else 1000),
        "train 135M, batches of 64": lambda: show_training(
            "135M, batches of 64", policy("135M"), rows(512), 2 if tiny else 64, peers
        ),
    }


def main(words=None):
    """Measure in the order of worth, while there is time."""
    options = argparse.ArgumentParser(description="Prints one JSON line a figure.")
    options.add_argument("--seconds", type=float, default=480, help="begin no figure later than this")
    options.add_argument("--tiny", action="store_true", help="tiny models and few records: to see that it runs")
    options.add_argument("--only", default="", help="how the figures begin that are measured: train, sample, embed")
    options = options.parse_args(words)
    with tempfile.TemporaryDirectory() as folder:
        for name, figure in figures_of(folder, options.tiny).items():
            if name.startswith(options.only) and time.perf_counter() - STARTED < options.seconds:
                figure()


if __name__ == "__main__":
    main()
